//! Roles with an argument spec: the task that Ansible puts before theirs, which holds the arguments
//! against it.

use std::sync::Arc;

use indexmap::IndexMap;

use super::keyword::{Keyword, Keywords};
use super::loader::Within;
use super::model::{Action, Args, RoleUse, Task};
use super::roles::From;
use super::written::Written;
use crate::base::value::Value;
use crate::base::yaml::{Content, Key, Node};

/// The task, where the role has a spec for this entry point.
pub(super) fn argument_check(
    used: &Arc<RoleUse>,
    from: &From,
    within: &Within,
) -> Option<Arc<Task>> {
    let spec = used.role.argument_spec.as_ref()?;
    let entry = from.tasks.as_deref().unwrap_or("main");
    let about = spec.get("short_description");
    let about = about.as_ref().and_then(Written::text);
    let about = about.map(|about| format!(" - {about}")).unwrap_or_default();
    let name = format!("Validating arguments against arg spec '{entry}'{about}");
    let mut own = Keywords::default();
    own.set(Keyword::Name, spec.with_value(Value::Unsafe(name.into())));
    own.set(Keyword::Tags, spec.with_value(Value::string("always")));
    let named = [
        (
            "argument_spec",
            spec.get("options")
                .unwrap_or_else(|| mapping(spec, &IndexMap::new())),
        ),
        ("provided_arguments", mapping(spec, &used.params)),
        ("validate_args_context", context(spec, used, entry)),
    ];
    let module: Arc<str> = Arc::from("validate_argument_spec");
    Some(Arc::new(Task {
        keywords: own.within(&within.keywords),
        outer: within.keywords.clone(),
        written: spec.clone(),
        action: Action {
            written: Arc::from(format!("ansible.builtin.{module}")),
            module,
            place: spec.clone(),
            args: Args {
                named: named
                    .into_iter()
                    .map(|(name, value)| (name.into(), value))
                    .collect(),
                ..Args::default()
            },
            local: false,
        },
        r#loop: None,
        role: within.role.clone(),
        files: within.files.clone(),
        folder: within.folder.clone(),
    }))
}

/// Values as one mapping at the place of another.
fn mapping(at: &Written, values: &IndexMap<Arc<str>, Written>) -> Written {
    let entry = |(name, value): (&Arc<str>, &Written)| (key(name, at), (*value.node).clone());
    at.with(&Node {
        content: Content::Map(values.iter().map(entry).collect()),
        line: at.node.line,
        column: at.node.column,
    })
}

fn context(at: &Written, used: &RoleUse, entry: &str) -> Written {
    let path = &used.role.path;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let path = path.to_string_lossy();
    let parts = [
        ("type", "role"),
        ("name", &*used.role.name),
        ("argument_spec_name", entry),
        ("path", &*path),
    ];
    let parts = parts.into_iter().map(|(name, text)| {
        let value = Value::Unsafe(text.into());
        (Arc::from(name), at.with_value(value))
    });
    mapping(at, &parts.collect())
}

fn key(name: &Arc<str>, at: &Written) -> Key {
    Key {
        name: name.clone(),
        is_text: true,
        line: at.node.line,
        column: at.node.column,
    }
}
