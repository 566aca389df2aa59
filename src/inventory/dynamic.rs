//! Inventory programs: executables that print Ansible's dynamic JSON (`--list`, `_meta`, `--host`).

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::InventoryError;
use super::model::{ALL, Inventory, UNGROUPED};
use super::vars::vars;
use crate::base::diag::Diagnostic;
use crate::base::value::Value;
use crate::base::yaml::{self, Content, Node};

/// A program may take so long.
const LIMIT: Duration = Duration::from_secs(60);
/// And print so much.
const OUTPUT_MAX: u64 = 256 << 20;

/// Runs the program and adds what it says.
pub(super) fn load(inventory: &mut Inventory, path: &Arc<Path>) -> Result<(), InventoryError> {
    let text = run(path, &["--list"])?;
    // JSON is YAML, and so places of mistakes come for free.
    let root = yaml::parse(&text, path)?;
    let entries = root
        .entries()
        .ok_or_else(|| bad(&root, path, &text, "expected an object of groups"))?;
    let mut hostvars = None;
    for (key, node) in entries {
        if &*key.name == "_meta" {
            hostvars = node
                .entries()
                .and_then(|entries| entries.iter().find(|(key, _)| &*key.name == "hostvars"))
                .map(|(_, node)| node);
            continue;
        }
        let group = inventory.group(&key.name);
        add_group(inventory, group, node, path, &text)?;
    }
    match hostvars {
        Some(node) => {
            for (key, node) in node.entries().unwrap_or_default() {
                let host = inventory.host(&key.name, Some(path));
                let found = vars(node, path, &text)?;
                inventory.hosts[host].vars.extend(found);
            }
        }
        None => ask_each_host(inventory, path)?,
    }
    Ok(())
}

fn bad(node: &Node, path: &Path, text: &str, message: &str) -> InventoryError {
    Diagnostic::new(message, node.place(path), text).into()
}

fn add_group(
    inventory: &mut Inventory,
    group: super::model::GroupIx,
    node: &Node,
    path: &Arc<Path>,
    text: &str,
) -> Result<(), InventoryError> {
    // The short form: a list of hosts.
    if let Content::List(hosts) = &node.content {
        return add_hosts(inventory, group, hosts, path, text);
    }
    for (key, value) in node
        .entries()
        .ok_or_else(|| bad(node, path, text, "expected a group"))?
    {
        match (&*key.name, &value.content) {
            ("hosts", Content::List(hosts)) => add_hosts(inventory, group, hosts, path, text)?,
            ("children", Content::List(children)) => {
                for child in children {
                    let Content::Scalar(Value::String(name)) = &child.content else {
                        return Err(bad(child, path, text, "expected a group's name"));
                    };
                    let child_ix = inventory.group(name);
                    if child_ix != ALL
                        && child_ix != UNGROUPED
                        && !inventory.add_child(group, child_ix)
                    {
                        return Err(bad(child, path, text, "this group would be its own parent"));
                    }
                }
            }
            ("vars", _) => {
                let found = vars(value, path, text)?;
                inventory.groups[group.0].vars.extend(found);
            }
            _ => {}
        }
    }
    Ok(())
}

fn add_hosts(
    inventory: &mut Inventory,
    group: super::model::GroupIx,
    hosts: &[Node],
    path: &Arc<Path>,
    text: &str,
) -> Result<(), InventoryError> {
    for node in hosts {
        let Content::Scalar(Value::String(name)) = &node.content else {
            return Err(bad(node, path, text, "expected a host's name"));
        };
        let host = inventory.host(name, Some(path));
        inventory.add_host_to(group, host);
    }
    Ok(())
}

/// Programs without `_meta` are asked for each host: slow, and as Ansible does it.
fn ask_each_host(inventory: &mut Inventory, path: &Arc<Path>) -> Result<(), InventoryError> {
    for host in 0..inventory.hosts.len() {
        if inventory.hosts[host].source.as_ref() != Some(path) {
            continue;
        }
        let name = inventory.name_of(host);
        let text = run(path, &["--host", &name])?;
        let node = yaml::parse(&text, path)?;
        let found = vars(&node, path, &text)?;
        inventory.hosts[host].vars.extend(found);
    }
    Ok(())
}

fn run(path: &Path, arguments: &[&str]) -> Result<String, InventoryError> {
    let fail = |why: String| InventoryError::Program {
        path: path.to_owned(),
        why,
    };
    let absolute = std::path::absolute(path).map_err(|error| fail(error.to_string()))?;
    let mut child = Command::new(&absolute)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| fail(format!("can't be run: {error}")))?;
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
