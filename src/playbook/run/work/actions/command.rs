//! `raw` and `script`: what is handed to the host's shell as it is.

use std::sync::Arc;

use bytes::Bytes;

use super::super::context::Context;
use super::super::exchange::{self, exchange};
use super::super::results::Outcome;
use super::text;
use crate::base::shlex;
use crate::base::text::{self as encodings, Charset};
use crate::base::value::{Map, Value};
use crate::engine::task::TaskEnd;
use crate::module::{Platform, builtin};
use crate::shell::{Command, Plan, Script, Stdin, quote};
use crate::target::Target;

/// A line for the login shell.
pub(super) async fn raw(context: &Context<'_>, params: &Map) -> Outcome {
    if context.check {
        let mut outcome = Outcome::skipped("");
        outcome.result.shift_remove("msg");
        return outcome;
    }
    let line = text(params, "cmd").unwrap_or_default();
    let line = match text(params, "executable") {
        Some(shell) => format!("{shell} -c {}", quote::word(line)),
        None => line.to_owned(),
    };
    run(context, Command::Line(line), None).await
}

/// A script of the controller's.
pub(super) async fn script(context: &Context<'_>, params: &Map) -> Outcome {
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    for guard in ["creates", "removes"] {
        if let Some(path) = text(params, guard)
            && let Some(skipped) = guarded(context, guard, path, &target).await
        {
            return skipped;
        }
    }
    let line = text(params, "cmd").unwrap_or_default();
    let words = match shlex::split(line, false) {
        Ok(words) => words,
        Err(why) => return Outcome::failed(format!("`{line}`: {why}")),
    };
    let Some((name, args)) = words.split_first() else {
        return Outcome::failed("no script is named");
    };
    let script = match read(context, params, name, args, &target) {
        Ok(script) => script,
        Err(why) => return Outcome::failed(why),
    };
    if context.check {
        // A condition on files was held against what is there, so that much is known.
        return if ["creates", "removes"]
            .iter()
            .any(|guard| params.contains_key(*guard))
        {
            Outcome::with([("changed", Value::Bool(true))])
        } else {
            Outcome::skipped("Check mode is not supported for this task.")
        };
    }
    let chdir = text(params, "chdir").map(str::to_owned);
    run(context, Command::Script(Arc::new(script)), chdir).await
}

fn read(
    context: &Context<'_>,
    params: &Map,
    name: &str,
    args: &[String],
    target: &Target,
) -> Result<Script, String> {
    let path = context.scope.find_file("files", name)?;
    let body = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let decrypt = params.get("decrypt") != Some(&Value::Bool(false));
    let mut body = match std::str::from_utf8(&body) {
        Ok(vault) if decrypt && vault.starts_with("$ANSIBLE_VAULT;") => {
            context.runner().hosts.open_file(vault)?.into_bytes()
        }
        _ => body,
    };
    if let Some(program) = text(params, "executable") {
        if exchange::platform(target) == Platform::Windows {
            return Err("executable: scripts for Windows run by their ending".to_owned());
        }
        let line = format!("#!{program}\n");
        // In the place of its own, so that lines keep their numbers.
        let own = if body.starts_with(b"#!") {
            body.iter()
                .position(|byte| *byte == b'\n')
                .map_or(body.len(), |end| end + 1)
        } else {
            0
        };
        body.splice(..own, line.into_bytes());
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Script {
        name,
        body: Bytes::from(body),
        args: args.to_vec(),
    })
}

/// Whether a path on the host says that there is nothing to do.
async fn guarded(
    context: &Context<'_>,
    guard: &str,
    path: &str,
    target: &Arc<Target>,
) -> Option<Outcome> {
    let module = builtin("command")?;
    let word = |text: &str| Value::Unsafe(text.into());
    // Any program will do: it is only asked whether it would be run.
    let args = Map::from_iter([
        ("argv".into(), Value::List(vec![word("whoami")])),
        (guard.into(), word(path)),
    ]);
    let said = exchange::module_on(context, &module, &args, target).await;
    if said.error.is_some() {
        return Some(said);
    }
    let there = match guard {
        "creates" => format!("{path} exists, matching creates option"),
        _ => format!("{path} does not exist, matching removes option"),
    };
    let nothing_to_do = said
        .result
        .get("stdout")
        .and_then(Value::as_str)
        .is_some_and(|said| said.starts_with("skipped, since"));
    nothing_to_do.then(|| Outcome::skipped(there))
}

/// Runs it; the result is that of a program.
pub(super) async fn run(context: &Context<'_>, command: Command, chdir: Option<String>) -> Outcome {
    let (target, env) = match (context.target(), context.environment()) {
        (Ok(target), Ok(env)) => (target, env),
        (Err(error), _) => return Outcome::error(error),
        (_, Err(wrong)) => return Outcome::wrong(&wrong),
    };
    let end = exchange(context, &target, &plan(command, env, chdir)).await;
    if end.error.is_some() {
        return exchange::lost(context, end);
    }
    result(&end, target.encoding.unwrap_or(Charset::UTF_8))
}

/// A plan for a command that reads nothing.
pub(super) fn plan(command: Command, env: Vec<(String, String)>, chdir: Option<String>) -> Plan {
    Plan {
        command,
        env,
        chdir,
        tty: false,
        stdin: Stdin::Empty,
        detach: false,
    }
}

fn result(end: &TaskEnd, charset: Charset) -> Outcome {
    let decoded = |bytes: &[u8]| encodings::decode(bytes, charset).text.into_owned();
    let lines = |text: &str| {
        Value::List(
            text.lines()
                .map(|line| Value::Unsafe(line.into()))
                .collect(),
        )
    };
    let (stdout, stderr) = (decoded(&end.stdout), decoded(&end.stderr));
    let status = end.exit.map_or(-1, i64::from);
    let mut outcome = Outcome::with([
        ("changed", Value::Bool(true)),
        ("rc", Value::Int(status)),
        ("stdout_lines", lines(&stdout)),
        ("stderr_lines", lines(&stderr)),
        ("stdout", Value::Unsafe(stdout.into())),
        ("stderr", Value::Unsafe(stderr.into())),
    ]);
    if status != 0 {
        outcome.result.insert("failed".into(), Value::Bool(true));
        outcome
            .result
            .insert("msg".into(), Value::Unsafe("non-zero return code".into()));
    }
    outcome
}
