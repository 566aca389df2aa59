//! Inventory programs: executables that print Ansible's dynamic JSON (`--list`, `_meta`, `--host`).

use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexSet;

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Inventory};
use super::source::Source;
use crate::base::value::Value;
use crate::base::yaml::{Content, Node};

/// A program may take so long.
const LIMIT: Duration = Duration::from_mins(1);
/// And print so much.
const OUTPUT_MAX: u64 = 256 << 20;

/// Runs the program and adds what it says.
pub(super) fn load(inventory: &mut Inventory, path: &Arc<Path>) -> Result<(), InventoryError> {
    let text = run(path, &["--list"])?;
    let printed = output(path, "--list");
    inventory.reading.seen.output(&printed, text.as_bytes());
    let source = Source {
        file: &printed,
        text: &text,
        secret: false,
    };
    let root = source.parse()?;
    let entries = root
        .entries()
        .ok_or_else(|| source.error_at(&root, "expected an object of groups"))?;
    let mut reader = Reader {
        inventory,
        program: path,
        source: &source,
        hosts: IndexSet::new(),
    };
    let mut hostvars = None;
    for (key, node) in entries {
        if &*key.name == "_meta" {
            let entries = node.entries().unwrap_or_default();
            let found = entries.iter().find(|(key, _)| &*key.name == "hostvars");
            hostvars = found.map(|(_, node)| node);
        } else {
            reader.group(&key.name, node)?;
        }
    }
    match hostvars {
        Some(node) => reader.hostvars(node),
        None => reader.ask_each_host(),
    }
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    program: &'a Arc<Path>,
    source: &'a Source<'a>,
    /// Hosts that the program named.
    hosts: IndexSet<usize>,
}

impl Reader<'_> {
    fn bad(&self, node: &Node, message: impl Into<String>) -> InventoryError {
        self.source.error_at(node, message).into()
    }

    fn group(&mut self, name: &str, node: &Node) -> Result<(), InventoryError> {
        let group = self.inventory.group(name);
        // The short form: a list of hosts.
        if let Content::List(hosts) = &node.content {
            return self.add_hosts(group, hosts);
        }
        let expected = || format!("group `{name}`: expected hosts, children or vars");
        let entries = node.entries().ok_or_else(|| self.bad(node, expected()))?;
        let known = |key: &str| matches!(key, "hosts" | "children" | "vars");
        if !entries.is_empty() && !entries.iter().any(|(key, _)| known(&key.name)) {
            return Err(self.bad(node, expected()));
        }
        for (key, value) in entries {
            match (&*key.name, &value.content) {
                ("hosts", Content::List(hosts)) => self.add_hosts(group, hosts)?,
                ("children", Content::List(children)) => self.add_children(group, children)?,
                ("hosts" | "children", _) => {
                    let message = format!("group `{name}`: expected a list of {}", key.name);
                    return Err(self.bad(value, message));
                }
                ("vars", _) => {
                    let found = self.source.vars(value)?;
                    if !self.inventory.set_group_vars(group, found) {
                        return Err(self.bad(value, "ansible_group_priority is not a whole number"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_hosts(&mut self, group: GroupIx, hosts: &[Node]) -> Result<(), InventoryError> {
        for node in hosts {
            let Content::Scalar(Value::String(name)) = &node.content else {
                return Err(self.bad(node, "expected a host's name"));
            };
            let host = self.inventory.host(name, Some(self.program));
            self.inventory.add_host_to(group, host);
            self.hosts.insert(host);
        }
        Ok(())
    }

    fn add_children(&mut self, group: GroupIx, children: &[Node]) -> Result<(), InventoryError> {
        for node in children {
            let Content::Scalar(Value::String(name)) = &node.content else {
                return Err(self.bad(node, "expected a group's name"));
            };
            let child = self.inventory.group(name);
            if child == ALL || !self.inventory.add_child(group, child) {
                let message = format!("group `{name}` would be its own parent");
                return Err(self.bad(node, message));
            }
        }
        Ok(())
    }

    /// The variables below `_meta`. Ansible passes over hosts that are in no group.
    fn hostvars(&mut self, node: &Node) -> Result<(), InventoryError> {
        let entries = node
            .entries()
            .ok_or_else(|| self.bad(node, "expected an object of hosts"))?;
        let mut passed = Vec::new();
        for (key, node) in entries {
            let host = self.inventory.host_index.get(&key.name).copied();
            match host.filter(|host| self.hosts.contains(host)) {
                Some(host) => {
                    let found = self.source.vars(node)?;
                    self.inventory.hosts[host].vars.extend(found);
                }
                None => passed.push(&*key.name),
            }
        }
        if let Some(first) = passed.first() {
            let more = match passed.len() {
                1 => String::new(),
                more => format!(" (and {} more)", more - 1),
            };
            self.inventory.warnings.push(format!(
                "{}: host `{first}`{more} has variables and is in no group: it is passed over",
                self.program.display()
            ));
        }
        Ok(())
    }

    /// Programs without `_meta` are asked for each host: slow, and as Ansible does it.
    fn ask_each_host(&mut self) -> Result<(), InventoryError> {
        for host in &self.hosts {
            let name = self.inventory.name_of(*host);
            let text = run(self.program, &["--host", &name])?;
            let printed = output(self.program, &format!("--host {name}"));
            let seen = &self.inventory.reading.seen;
            seen.output(&printed, text.as_bytes());
            let source = Source {
                file: &printed,
                text: &text,
                secret: false,
            };
            let found = source.vars(&source.parse()?)?;
            self.inventory.hosts[*host].vars.extend(found);
        }
        Ok(())
    }
}

/// What a program prints, as messages and origins name it: not the lines of the program itself.
fn output(path: &Path, arguments: &str) -> Arc<Path> {
    Arc::from(Path::new(&format!("{} {arguments}", path.display())))
}

fn run(path: &Path, arguments: &[&str]) -> Result<String, InventoryError> {
    let fail = |why: String| InventoryError::Program {
        path: path.to_owned(),
        why,
    };
    let absolute = std::path::absolute(path).map_err(|error| fail(error.to_string()))?;
    let mut command = Command::new(&absolute);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut started = command.spawn();
    // A program that was written this moment may still be open in a process that is being started.
    for _ in 0..20 {
        match &started {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
                started = command.spawn();
            }
            _ => break,
        }
    }
    let mut child = started.map_err(|error| fail(format!("can't be run: {error}")))?;
    let reader = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                let _ = pipe.take(OUTPUT_MAX).read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = reader(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = reader(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().map_err(|error| fail(error.to_string()))? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(fail(format!("did not end within {} s", LIMIT.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let said = stderr.join().unwrap_or_default();
    if !status.success() {
        let last = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing");
        return Err(fail(format!("ended with {status}: {last}")));
    }
    Ok(stdout.join().unwrap_or_default())
}
