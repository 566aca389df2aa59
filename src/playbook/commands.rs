//! What arguments of tasks say before anything runs: the command lines, for whoever has rules about
//! them, and the secrets that must not be on record.

use super::action::{is_command, short};
use super::list::task_tags;
use super::loader::each_task;
use super::model::{Playbook, Task};
use super::tags::TagSelection;
use crate::base::diag::Place;
use crate::base::python::python;
use crate::base::value::{Map, Value};
use crate::module::Library;
use crate::shell::quote;

/// The arguments that hold a line, whichever the module.
const LINES: &[&str] = &["_raw_params", "free_form", "cmd", "command", "script"];

/// The command lines of the chosen tasks that are the same for all hosts, with their places.
pub fn constant_commands(playbook: &Playbook, selection: &TagSelection) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for play in &playbook.plays {
        let handlers = play.handlers.iter().map(|handler| &handler.task);
        let mut look = |task: &Task| {
            let tags: Vec<String> = task_tags(task).into_iter().collect();
            if let Some(command) = constant(task).filter(|_| selection.chooses(&tags)) {
                found.push((command, task.place()));
            }
        };
        for (_, steps) in &play.sections {
            each_task(steps, &mut |task| look(task));
        }
        handlers.for_each(|task| look(task));
    }
    found
}

/// The secrets that stand in the arguments of tasks as they are.
pub fn constant_secrets(playbook: &Playbook, library: &Library) -> Vec<String> {
    let tasks = playbook.plays.iter().flat_map(|play| play.tasks());
    tasks
        .filter_map(|task| {
            let module = library.find(&task.action.module, &[]).ok()??;
            let args = constant_args(task);
            // Under the parameters' own names, where they can be read already.
            let args = module.settle(&args).unwrap_or(args);
            let secrets = module.secrets(&args).into_iter();
            Some(secrets.map(str::to_owned).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}

fn constant(task: &Task) -> Option<String> {
    command_line(&task.action.module, &constant_args(task))
}

fn constant_args(task: &Task) -> Map {
    let given = &task.action.args;
    let mut args: Map = given
        .named
        .iter()
        .map(|(name, written)| (name.clone(), written.value()))
        .collect();
    if let Some(line) = &given.free_form {
        args.insert("_raw_params".into(), line.value());
    }
    args.retain(|_, value| !holds_template(value));
    args
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(holds_template),
        Value::Vault(_) => true,
        other => other.is_template(),
    }
}

/// The command line among a module's arguments, where it is a module that takes one.
pub(super) fn command_line(module: &str, args: &Map) -> Option<String> {
    if !is_command(module) && short(module) != "win_powershell" {
        return None;
    }
    let line = LINES.iter().find_map(|name| args.get(*name)?.as_str());
    line.map(str::to_owned).or_else(|| match args.get("argv")? {
        Value::List(words) => {
            let words: Vec<String> = words.iter().map(python).collect();
            Some(quote::words(&words))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_in_whichever_form_it_is_given() {
        let args = |name: &str, value| Map::from_iter([(name.into(), value)]);
        let line = Value::string("rm -rf /");
        let of = |module: &str, args: &Map| command_line(module, args);
        for (module, name) in [
            ("shell", "_raw_params"),
            ("ansible.builtin.command", "cmd"),
            ("expect", "command"),
        ] {
            let found = of(module, &args(name, line.clone()));
            assert_eq!(found.as_deref(), Some("rm -rf /"), "{module}");
        }
        let words = Value::List(vec![Value::string("rm"), Value::string("a b")]);
        let found = of("command", &args("argv", words));
        assert_eq!(found.as_deref(), Some("rm 'a b'"));
        assert_eq!(of("copy", &args("cmd", line)), None);
    }
}
