//! What a task does: finding the module among its keys, and the forms in which arguments are written.

use std::sync::Arc;

use super::kv;
use super::model::{Action, Args};
use super::written::Written;
use crate::base::diag::Diagnostic;
use crate::base::value::Value;
use crate::base::yaml::{Content, Key};

/// Modules whose one-line form is a command.
const COMMANDS: &[&str] = &[
    "command",
    "shell",
    "script",
    "raw",
    "win_command",
    "win_shell",
    "powershell",
    "win_powershell",
    "expect",
];
/// A name without the prefixes of Ansible's own collections.
pub(super) fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy.", "ansible.windows."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

/// Whether its one-line form is a command.
pub(super) fn is_command(module: &str) -> bool {
    COMMANDS.contains(&short(module))
}

/// What of a task says what it does.
pub(super) enum Words<'a> {
    /// `action:` or `local_action:`.
    Action(&'a Key, Written),
    /// A key that is a module's name.
    Module(&'a Key, Written),
}

type Read<T> = Result<T, Diagnostic>;

impl<'a> Words<'a> {
    /// The key that names it.
    pub(super) fn key(&self) -> &'a Key {
        match self {
            Self::Action(key, _) | Self::Module(key, _) => key,
        }
    }

    /// The action they make, with `args:` of the same task.
    pub(super) fn read(&self, args: Option<&Written>) -> Read<Action> {
        let mut args = more(args)?;
        match self {
            Self::Module(key, value) => {
                one_line_or_mapping(&key.name, value, &mut args)?;
                Ok(action(&key.name, value, key, args, false))
            }
            Self::Action(key, value) => old_style(key, value, args),
        }
    }
}

/// `action: copy src=a`, `action: {module: copy, src: a}`.
fn old_style(key: &Key, value: &Written, mut args: Args) -> Read<Action> {
    let local = &*key.name == "local_action";
    let line = |line: &str| kv::first_word(line).map_err(|why| value.error(why));
    let (module, rest) = match &value.node.content {
        Content::Scalar(Value::String(text)) => line(text)?,
        Content::Map(_) => {
            let Some(module) = value.get("module") else {
                return Err(value
                    .error(format!("`{}` names no module", key.name))
                    .help(format!("write `{}: MODULE NAME=VALUE ...`", key.name)));
            };
            let text = module
                .text()
                .ok_or_else(|| module.error("a module's name is text"))?;
            line(text)?
        }
        _ => {
            return Err(value.error(format!(
                "`{}` takes a module with its arguments, this is {}",
                key.name,
                value.value().kind()
            )));
        }
    };
    if let Content::Map(_) = value.node.content {
        for (name, node) in value.entries() {
            match &*name.name {
                "module" => {}
                "args" if node.text().is_none() => put_mapping(&mut args, &node)?,
                "args" => one_line_or_mapping(&module, &node, &mut args)?,
                _ => {
                    args.named.insert(name.name.clone(), node);
                }
            }
        }
    }
    let rest = value.with_value(Value::string(rest));
    one_line_or_mapping(&module, &rest, &mut args)?;
    Ok(action(&module, value, key, args, local))
}

/// `args:`, weaker than what stands with the module.
fn more(written: Option<&Written>) -> Read<Args> {
    let mut args = Args::default();
    let Some(more) = written else {
        return Ok(args);
    };
    match &more.node.content {
        Content::Map(_) => put_mapping(&mut args, more)?,
        Content::Scalar(Value::Null) => {}
        Content::Scalar(value) if value.is_template() => args.template = Some(more.clone()),
        _ => {
            return Err(more
                .error(format!(
                    "`args` takes a mapping, this is {}",
                    more.value().kind()
                ))
                .help("write the arguments as a mapping, or as a template that gives one"));
        }
    }
    Ok(args)
}

fn action(module: &str, value: &Written, key: &Key, args: Args, local: bool) -> Action {
    let named = crate::base::yaml::Node {
        content: Content::Scalar(Value::string(module)),
        line: key.line,
        column: key.column,
    };
    let template = Value::string(module).is_template();
    Action {
        module: Arc::from(if template { "" } else { short(module) }),
        written: Arc::from(module),
        place: value.with(&named),
        args,
        local,
    }
}

fn put_mapping(args: &mut Args, mapping: &Written) -> Read<()> {
    for (key, node) in mapping.entries() {
        if !key.is_text {
            return Err(mapping
                .source
                .error_at(format!("`{}` is no name of an argument", key.name), key));
        }
        args.named.insert(key.name.clone(), node);
    }
    Ok(())
}

/// Arguments as they stand with the module's name.
fn one_line_or_mapping(module: &str, value: &Written, args: &mut Args) -> Read<()> {
    match &value.node.content {
        Content::Map(_) => put_mapping(args, value),
        Content::Scalar(Value::Null) => Ok(()),
        Content::Scalar(Value::String(text)) => {
            let line = kv::parse(text, is_command(module)).map_err(|why| {
                value
                    .error(why)
                    .help("close it, or write the arguments as a mapping")
            })?;
            let text = |text: String| value.with_value(Value::string(text));
            for (name, found) in line.named {
                args.named.insert(Arc::from(name), text(found));
            }
            if let Some(free) = line.free {
                args.free_form = Some(text(free));
            }
            Ok(())
        }
        Content::Scalar(Value::Vault(_) | Value::Unsafe(_)) => {
            args.free_form = Some(value.clone());
            Ok(())
        }
        _ => Err(value.error(format!(
            "a module's arguments are text or a mapping, this is {}",
            value.value().kind()
        ))),
    }
}
