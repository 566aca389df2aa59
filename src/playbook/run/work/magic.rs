//! Ansible's magic variables: what a task may ask of the run, the play and the inventory. No variable
//! of these names is stronger.

use std::path::Path;
use std::sync::Arc;

use super::scope::TaskScope;
use super::state::locked;
use crate::base::python::python;
use crate::base::value::{Map, Value};
use crate::playbook::RoleUse;

/// The version whose language is spoken.
const VERSION: (i64, i64, i64) = (2, 19, 14);

/// Those that members of `hostvars` have not.
const OF_PLAYS: &[&str] = &[
    "ansible_dependent_role_names",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_search_path",
    "environment",
    "play_hosts",
    "role_names",
];

fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Value {
    Value::List(
        texts
            .into_iter()
            .map(|text| Value::Unsafe(text.as_ref().into()))
            .collect(),
    )
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Unsafe(text.as_ref().into())
}

impl TaskScope {
    /// A magic variable; `None`: it is none, or there is nothing to say.
    pub(super) fn magic(&self, name: &str) -> Option<Value> {
        if self.without_play && OF_PLAYS.contains(&name) {
            return None;
        }
        let of_host = || {
            self.host
                .as_ref()
                .and_then(|host| self.magic_of_host(host, name))
        };
        match name {
            "inventory_hostname"
            | "inventory_hostname_short"
            | "group_names"
            | "inventory_file"
            | "inventory_dir"
            | "ansible_facts"
            | "ansible_local" => of_host(),
            "omit" => Some(Value::Omit),
            _ if name.starts_with("role_")
                || name.ends_with("role_names")
                || name.starts_with("ansible_role_")
                || name.starts_with("ansible_parent_role") =>
            {
                self.magic_of_role(name)
            }
            "playbook_dir" | "play_hosts" | "ansible_search_path" | "environment" => {
                self.magic_of_play(name)
            }
            "ansible_playbook_python" => Some(text(python_here())),
            _ if name.starts_with("ansible_") => {
                self.magic_of_play(name).or_else(|| self.magic_of_run(name))
            }
            _ => None,
        }
    }

    fn magic_of_host(&self, host: &Arc<str>, name: &str) -> Option<Value> {
        let hosts = &self.runner.hosts;
        Some(match name {
            "inventory_hostname" => text(host),
            "inventory_hostname_short" => text(host.split('.').next().unwrap_or_default()),
            "group_names" => texts(hosts.groups_of(host)),
            "inventory_file" => text(absolute(&hosts.source_of(host)?)),
            "inventory_dir" => text(absolute(hosts.source_of(host)?.parent()?)),
            "ansible_facts" => Value::Map(self.facts(host)),
            "ansible_local" => {
                let state = self.with_facts(host)?;
                let state = locked(&state);
                (*state.facts.get("local")?.value).clone()
            }
            _ => return None,
        })
    }

    fn facts(&self, host: &str) -> Map {
        let Some(state) = self.with_facts(host) else {
            return Map::new();
        };
        let state = locked(&state);
        let mut facts: Vec<_> = state.facts.iter().collect();
        facts.sort_unstable_by(|one, other| one.0.cmp(other.0));
        facts
            .into_iter()
            .map(|(name, fact)| (name.clone(), (*fact.value).clone()))
            .collect()
    }

    fn magic_of_role(&self, name: &str) -> Option<Value> {
        let included = || {
            let play = self.runner.play(&self.batch.play, self.batch.number);
            play.included_roles()
        };
        let play_roles = || self.batch.play.roles.iter();
        let own = || self.task.as_ref().and_then(|task| task.task.role.as_ref());
        let dependencies = || {
            let included = included();
            let all = play_roles().chain(&included);
            unique(all.flat_map(dependencies_of))
        };
        Some(match name {
            "role_names" | "ansible_play_role_names" => {
                texts(play_roles().chain(&included()).map(|used| &used.role.name))
            }
            "ansible_dependent_role_names" => texts(dependencies()),
            "ansible_role_names" => {
                let included = included();
                let direct = play_roles().chain(&included);
                texts(unique(
                    direct
                        .map(|used| used.role.name.clone())
                        .chain(dependencies()),
                ))
            }
            "role_name" => text(&own()?.role.name),
            "ansible_role_name" => text(own()?.role.shown_name()),
            "role_path" => text(absolute(&own()?.role.path)),
            "ansible_parent_role_names" => {
                let parents = including(own()?)?;
                texts(parents.iter().map(|used| &used.role.name))
            }
            "ansible_parent_role_paths" => {
                let parents = including(own()?)?;
                texts(parents.iter().map(|used| absolute(&used.role.path)))
            }
            _ => return None,
        })
    }

    fn magic_of_play(&self, name: &str) -> Option<Value> {
        let play = &self.batch.play;
        Some(match name {
            "playbook_dir" => text(absolute(&play.folder)),
            "ansible_play_name" => text(self.play_name()),
            "ansible_play_hosts_all" => texts(self.batch.all.iter()),
            "ansible_play_hosts" => texts(self.batch.all_left().iter()),
            "ansible_play_batch" | "play_hosts" => texts(self.batch.hosts_left().iter()),
            "ansible_search_path" => texts(
                self.search_path()
                    .iter()
                    .map(|path| path.to_string_lossy().into_owned()),
            ),
            "environment" => Value::List(
                self.task
                    .iter()
                    .flat_map(|task| &task.environment)
                    .map(crate::playbook::Written::value)
                    .collect(),
            ),
            _ => return None,
        })
    }

    /// As it is shown; as it is written where it can't be rendered without a host.
    fn play_name(&self) -> String {
        let written = crate::playbook::play_name(&self.batch.play);
        let name = Value::string(&written);
        if !name.is_template() || self.working_out {
            return written;
        }
        let mut scope = self.clone();
        (scope.host, scope.task, scope.working_out) = (None, None, true);
        let rendered = super::render::value(&scope, &name);
        rendered.map_or(written, |name| python(&name))
    }

    fn magic_of_run(&self, name: &str) -> Option<Value> {
        let options = &self.runner.options;
        Some(match name {
            "ansible_check_mode" => Value::Bool(options.check),
            "ansible_diff_mode" => Value::Bool(options.diff),
            "ansible_forks" => Value::Int(i64::try_from(options.forks).unwrap_or(i64::MAX)),
            "ansible_verbosity" => Value::Int(options.verbosity),
            "ansible_limit" => text(options.limit.as_ref()?),
            "ansible_run_tags" => texts(&options.tags),
            "ansible_skip_tags" => texts(&options.skip_tags),
            "ansible_config_file" => match &options.config_file {
                Some(file) => text(file.to_string_lossy()),
                None => Value::Null,
            },
            "ansible_inventory_sources" => texts(&options.inventories),
            "ansible_version" => version(),
            _ => return None,
        })
    }
}

fn unique(names: impl Iterator<Item = Arc<str>>) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The names of all roles that a role depends on.
fn dependencies_of(used: &Arc<RoleUse>) -> Vec<Arc<str>> {
    let each = |used: &Arc<RoleUse>| {
        let mut names = vec![used.role.name.clone()];
        names.extend(dependencies_of(used));
        names
    };
    used.role.dependencies.iter().flat_map(each).collect()
}

/// The roles whose tasks asked for a role, or for one that depends on it, the innermost first; none
/// where a play did.
fn including(used: &Arc<RoleUse>) -> Option<Vec<&Arc<RoleUse>>> {
    let mut by_task = used.by_task;
    let mut found = Vec::new();
    for parent in used.parents.iter().rev() {
        if by_task {
            found.push(parent);
        }
        by_task = parent.by_task;
    }
    (!found.is_empty()).then_some(found)
}

/// The Python of this machine: playbooks name it for what is done here. Nothing here needs it.
fn python_here() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("python3"))
        .find(|program| program.is_file());
    found.map_or_else(
        || "/usr/bin/python3".to_owned(),
        |program| program.to_string_lossy().into_owned(),
    )
}

/// A path from the root; of no path the folder that is worked in.
fn absolute(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.to_string_lossy().into_owned()
}

fn version() -> Value {
    let (major, minor, revision) = VERSION;
    let full = format!("{major}.{minor}.{revision}");
    Value::Map(Map::from_iter([
        ("string".into(), text(&full)),
        ("full".into(), text(&full)),
        ("major".into(), Value::Int(major)),
        ("minor".into(), Value::Int(minor)),
        ("revision".into(), Value::Int(revision)),
    ]))
}
