//! Modules' parameters held against what Ansible documents: each name and each choice is one of ours,
//! or the module's page says why it is refused.

use ioms_fleet::left_out;
use serde_json::Value;

use super::sides::ansible;
use crate::support::{Desk, Ran};

/// What documents call parameters and nobody writes: words for what stands behind a module's name, or
/// for any name.
const NO_NAMES: &[&str] = &[
    "free_form",
    "free-form",
    "_raw_params",
    "key_value",
    "_measure_subset",
];

#[test]
fn every_documented_parameter_is_taken_or_refused_with_a_reason() {
    if left_out("parameters held against Ansible's", "ansible-playbook") {
        return;
    }
    let desk = Desk::new();
    let list = desk.json(&["doc"]);
    let ours: Vec<&str> = items(&list["modules"])
        .map(|m| text(&m["module"]))
        .collect();
    let ours = desk.json(&[&["doc"], &ours[..]].concat());
    let names = items(&ours["modules"]).flat_map(full_names);
    let mut command = ansible("ansible-doc");
    command.arg("-j").args(names).env("HOME", desk.home());
    let theirs: Value = serde_json::from_str(&Ran::of(command).stdout).unwrap();
    let (mut held, mut missing) = (0, Vec::new());
    for module in items(&ours["modules"]) {
        for name in full_names(module) {
            let options = theirs[&name]["doc"]["options"].as_object();
            held += usize::from(options.is_some());
            for (option, documented) in options.into_iter().flatten() {
                let lacks = lacks(module, option, documented);
                missing.extend(lacks.iter().map(|what| format!("{name}: {option}: {what}")));
            }
        }
    }
    assert!(held > 80, "only {held} modules are documented");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Names and choices of a documented parameter that a module neither has nor speaks of.
fn lacks(module: &Value, option: &str, documented: &Value) -> Vec<String> {
    let is = |ours: &Value, name: &str| {
        ours["name"] == name || items(&ours["aliases"]).any(|alias| alias == name)
    };
    let parameter = |name: &str| items(&module["parameters"]).find(|ours| is(ours, name));
    let aliases = items(&documented["aliases"]).map(text);
    let names = std::iter::once(option).chain(aliases);
    let names = names.filter(|name| !NO_NAMES.contains(name) && parameter(name).is_none());
    let own = parameter(option).map_or(&Value::Null, |ours| &ours["choices"]);
    let choices = match &documented["choices"] {
        // By their names, with descriptions.
        Value::Object(choices) => choices.keys().cloned().map(Value::from).collect(),
        list => items(list).cloned().collect::<Vec<_>>(),
    };
    let any = items(own).next().is_none();
    let choices = choices
        .into_iter()
        .filter(|choice| !any && !items(own).any(|one| one == choice))
        .map(|choice| choice.as_str().map_or(choice.to_string(), str::to_owned));
    let said = |name: &String| {
        let quoted = format!("`{name}`");
        items(&module["notes"]).any(|note| text(note).contains(&quoted))
    };
    let mut lacks: Vec<String> = names.map(str::to_owned).chain(choices).collect();
    lacks.retain(|name| !said(name));
    lacks
}

/// Under which names Ansible may document a module.
fn full_names(module: &Value) -> impl Iterator<Item = String> {
    let short = text(&module["module"]);
    let names = items(&module["names"]).map(text);
    let full = names.filter(|name| name.contains('.')).map(str::to_owned);
    std::iter::once(format!("ansible.builtin.{short}")).chain(full)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
