//! Tasks in the background (`async` with `poll: 0`): the module's program is left on the host, detached
//! from the connection, and writes its record into a file there that `async_status` reads: in this run
//! or a later one, as the file beside it says what the record is to be read with. What `no_log` keeps
//! out of that file only the run itself knows.

mod known;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

pub(super) use known::Jobs;

use super::context::Context;
use super::exchange;
use super::prepared::Prepared;
use super::results::{self, Outcome};
use super::runner::Runner;
use super::task::no_log;
use crate::base::value::{Map, Value};
use crate::engine::task;
use crate::module::{
    Call, Content, Controller, FileKind, Module, ModuleError, Platform, Said, Situation,
};
use crate::shell::record::{Record, RecordReader};
use crate::shell::{ModuleScript, Plan, windows};
use crate::target::Target;

/// The module that does it on hosts, and shows how a job is getting on.
const MODULE: &str = "async_status";

/// How much of a job's record is kept, in bytes.
const RECORD_MAX: usize = 16 << 20;

/// How long parameters may be that are left on the host to read the record with, in bytes.
const HEAD_MAX: usize = 256 * 1024;

/// What stands in a job's file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    module: String,
    mark: String,
    /// Lines that the host's shell says, and no task.
    #[serde(default)]
    noise: Vec<String>,
    check: bool,
    diff: bool,
    /// How many seconds it may take.
    limit: u64,
    /// Parameters that are no secrets.
    params: serde_json::Value,
    /// What the controller knew of the result.
    known: serde_json::Value,
    /// The result itself, of what had ended before it was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<serde_json::Value>,
}

impl Head {
    /// `hidden`: nothing is left there that may be somebody's secret.
    fn of(call: &Call, mark: &str, limit: u64, hidden: bool) -> Self {
        let json = |map: Map| Value::Map(map).to_json();
        let (params, known) = if hidden {
            (call.module.without_texts(&call.params), Map::new())
        } else {
            (
                call.module.without_secrets(&call.params),
                call.known.clone(),
            )
        };
        let params = json(params);
        let short = params.to_string().len() <= HEAD_MAX;
        Self {
            module: call.module.name.to_string(),
            mark: mark.to_owned(),
            noise: Vec::new(),
            check: call.situation.check,
            diff: call.situation.diff,
            limit,
            params: if short { params } else { json(Map::new()) },
            known: json(known),
            result: None,
        }
    }

    /// The job's number. The mark is random already, and no secret to the host.
    fn id(&self) -> String {
        format!("j{}", self.mark)
    }
}

/// Begins a module's program in the background.
pub(super) async fn begin(
    context: &Context<'_>,
    target: &Arc<Target>,
    call: &Call,
    script: ModuleScript,
    env: Vec<(String, String)>,
    limit: u64,
) -> Outcome {
    let hidden = no_log(&context.scope, context.prepared);
    let mut head = Head::of(call, &script.mark, limit, hidden);
    if hidden {
        context.runner().jobs.hide(head.id(), call, None);
    }
    match call.situation.platform {
        Platform::Posix => start(context, target, &head, script.whole(), env).await,
        Platform::Windows => {
            // What starts it there may take no variables along.
            let text = windows::with_variables(&env, &script.text);
            head.noise = vec![task::mark(), task::mark()];
            let program = windows::unattended(&text, &head.noise);
            start(context, target, &head, program, Vec::new()).await
        }
    }
}

/// A task that can't be left alone, as it asks the controller or is given content, was done before its
/// job begins: this is what came of it.
pub(super) async fn done(
    context: &Context<'_>,
    target: &Arc<Target>,
    call: &Call,
    mark: &str,
    result: Map,
) -> Outcome {
    let hidden = no_log(&context.scope, context.prepared);
    let shown = if hidden {
        results::shown(&result, true).into()
    } else {
        Value::Map(result.clone()).to_json()
    };
    let head = Head {
        result: Some(shown),
        ..Head::of(call, mark, 0, hidden)
    };
    if hidden {
        context.runner().jobs.hide(head.id(), call, Some(result));
    }
    start(context, target, &head, String::new(), Vec::new()).await
}

async fn start(
    context: &Context<'_>,
    target: &Arc<Target>,
    head: &Head,
    program: String,
    env: Vec<(String, String)>,
) -> Outcome {
    let limit = i64::try_from(head.limit).unwrap_or(i64::MAX);
    let id = head.id();
    let head = serde_json::to_string(head).unwrap_or_default();
    let mut ask = Ask::new("begin", &id);
    ask.say("head", head);
    ask.say("program", program);
    ask.extra.insert("limit".into(), Value::Int(limit));
    let said = match ask.of(context, target, env).await {
        Ok(said) => said,
        Err(outcome) => return outcome,
    };
    let words = |text: &str| Value::Unsafe(text.into());
    Outcome::with([
        ("changed", Value::Bool(true)),
        ("started", Value::Bool(true)),
        ("finished", Value::Bool(false)),
        ("ansible_job_id", words(&id)),
        ("results_file", words(&text(&said, "results_file"))),
    ])
}

/// How a job is getting on; at the end, its result.
pub(super) async fn status(context: &Context<'_>, params: &Map) -> Outcome {
    let id = params
        .get("jid")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    let cleanup = params.get("mode").and_then(Value::as_str) == Some("cleanup");
    let verb = if cleanup { "remove" } else { "status" };
    let said = if is_id(id) {
        match Ask::new(verb, id).of(context, &target, Vec::new()).await {
            Ok(said) => Some(said),
            Err(outcome) => return outcome,
        }
    } else {
        None
    };
    let said = said.filter(|said| said.field("ioms/none").is_none());
    let mut outcome = match &said {
        None => Outcome::failed("could not find job"),
        Some(_) if cleanup => Outcome::with([("changed", Value::Bool(false))]),
        Some(said) if said.field("ioms/lives").is_some() => {
            Outcome::with([("changed", Value::Bool(false))])
        }
        Some(said) => {
            context.runner().jobs.read(&target, id);
            ended(context, &target, said, id)
        }
    };
    let lives = said
        .as_ref()
        .is_some_and(|said| said.field("ioms/lives").is_some());
    let mut more = vec![
        ("ansible_job_id", Value::Unsafe(id.into())),
        ("started", Value::Bool(!cleanup || said.is_none())),
        (
            "finished",
            Value::Bool(!cleanup && !lives || said.is_none()),
        ),
    ];
    if let Some(said) = &said {
        let name = if cleanup { "erased" } else { "results_file" };
        more.push((name, Value::Unsafe(text(said, "results_file").into())));
    }
    for (name, value) in more {
        outcome.result.insert(name.into(), value);
    }
    for stream in ["stdout", "stderr"] {
        let lines = Arc::from(format!("{stream}_lines"));
        let result = &mut outcome.result;
        result
            .entry(stream.into())
            .or_insert_with(|| Value::Unsafe("".into()));
        result
            .entry(lines)
            .or_insert_with(|| Value::List(Vec::new()));
    }
    outcome
}

/// What a job's record means.
fn ended(context: &Context<'_>, target: &Target, said: &Record, id: &str) -> Outcome {
    let field = |name: &str| said.field(name).cloned().unwrap_or_default();
    let broken = |why: String| Outcome::failed(format!("Could not parse job output: {why}"));
    let head: Head = match serde_json::from_slice(&field("ioms/head")) {
        Ok(head) => head,
        Err(error) => return broken(error.to_string()),
    };
    let hidden = context.runner().jobs.hidden(id);
    if let Some(result) = hidden.as_ref().and_then(|hidden| hidden.result.clone()) {
        return Outcome::of(result);
    }
    if let Some(result) = head.result {
        return match Value::from_json(&result) {
            Value::Map(result) => Outcome::of(result),
            _ => broken("the result is no mapping".to_owned()),
        };
    }
    let found = find(context, &head.module);
    let module = match found {
        Ok(Some(module)) => module,
        Ok(None) => return broken(format!("there is no module `{}` here", head.module)),
        Err(error) => return broken(error.message),
    };
    let mut reader = RecordReader::new(&head.mark, RECORD_MAX);
    if let Err(error) = reader.take(&field("ioms/out")) {
        return broken(error.to_string());
    }
    let record = reader.finish();
    let status = field("ioms/rc");
    let mut numbers = std::str::from_utf8(&status)
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map_while(|word| word.parse::<i64>().ok());
    let status = numbers.next();
    let began = String::from_utf8_lossy(&field("ioms/began"))
        .trim()
        .parse::<i64>()
        .ok();
    let time = began.zip(numbers.next()).and_then(|(began, ended)| {
        let lasted =
            Duration::from_secs(u64::try_from(ended.saturating_sub(began)).unwrap_or_default());
        Some((jiff::Timestamp::from_second(began).ok()?, lasted))
    });
    let lasted = time.map_or(0, |(_, lasted): (_, Duration)| lasted.as_secs());
    let late = match status {
        // timeout(1) says so, or what it has ended does.
        Some(124) => true,
        Some(137 | 143) => head.limit > 0 && lasted >= head.limit,
        _ => said.field("ioms/late").is_some(),
    };
    if late {
        return Outcome::failed("Timeout exceeded");
    }
    let map = |json: &serde_json::Value| match Value::from_json(json) {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let situation = Situation {
        check: head.check,
        diff: head.diff,
        ..exchange::situation(context, target)
    };
    let (params, known) = match hidden {
        Some(hidden) => (hidden.params, hidden.known),
        None => (map(&head.params), map(&head.known)),
    };
    let call = Call::of_earlier(&module, params, known, situation);
    Outcome::of(call.conclude(&Said {
        record,
        exit: None,
        stderr: without(&field("ioms/err"), &head.noise),
        time,
    }))
}

/// Without the lines that are these.
fn without(text: &[u8], noise: &[String]) -> Bytes {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let is_noise = |line: &[u8]| {
        noise
            .iter()
            .any(|noise| noise.as_bytes() == line.trim_ascii())
    };
    let kept: Vec<&[u8]> = lines.filter(|line| !is_noise(line)).collect();
    kept.concat().into()
}

/// A module by its name, of the task's role or playbook too.
fn find(context: &Context<'_>, name: &str) -> Result<Option<Arc<Module>>, ModuleError> {
    let folders = Prepared::folders(&context.prepared.task);
    context.runner().library.find(name, &folders)
}

/// Whether it can be a job's number: it becomes a name on the host.
fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain)
}

fn text(said: &Record, name: &str) -> String {
    let bytes = said.field(name).cloned().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a host is asked about a job.
struct Ask {
    args: Map,
    extra: Map,
}

impl Ask {
    fn new(verb: &str, id: &str) -> Self {
        let mut ask = Self {
            args: Map::from_iter([("jid".into(), Value::Unsafe(id.into()))]),
            extra: Map::new(),
        };
        ask.say("verb", verb.to_owned());
        ask
    }

    fn say(&mut self, name: &str, text: String) {
        self.extra.insert(name.into(), Value::Unsafe(text.into()));
    }

    async fn of(
        self,
        context: &Context<'_>,
        target: &Arc<Target>,
        env: Vec<(String, String)>,
    ) -> Result<Record, Outcome> {
        let situation = Situation {
            check: false,
            ..exchange::situation(context, target)
        };
        let plan = self.plan(context.runner(), situation, env);
        let plan = plan.map_err(|error| Outcome::refused(&error, context.prepared))?;
        let mut end = exchange::exchange(context, target, &plan).await;
        let record = end.record.take().filter(|record| record.ended);
        match record.filter(|_| end.error.is_none()) {
            Some(record) if record.field("failed").is_some() => {
                Err(Outcome::failed(text(&record, "msg")))
            }
            Some(record) => Ok(record),
            None if end.error.is_some() => Err(exchange::lost(context, end)),
            None => {
                let stderr = String::from_utf8_lossy(&end.stderr);
                let why = format!("the host said nothing of the job: {}", stderr.trim());
                Err(Outcome::failed(why))
            }
        }
    }

    fn plan(
        self,
        runner: &Runner,
        situation: Situation,
        env: Vec<(String, String)>,
    ) -> Result<Plan, ModuleError> {
        let Some(module) = runner.library.find(MODULE, &[])? else {
            return Err(ModuleError::new("the module async_status is not there"));
        };
        let mut call = Call::new(&module, &self.args, situation)?;
        call.extra = self.extra;
        let script = call.prepare(&NoFiles, &task::mark())?;
        Ok(Plan::module(Arc::new(script), env))
    }
}

/// For what needs no files of the controller.
struct NoFiles;

impl Controller for NoFiles {
    fn file(&self, _kind: FileKind, name: &str) -> Result<Content, ModuleError> {
        Err(ModuleError::new(format!("{name} is not looked for")))
    }

    fn render(&self, _: &str, path: &Path, _: &Map) -> Result<String, ModuleError> {
        let path = path.display();
        Err(ModuleError::new(format!("{path} is not rendered")))
    }
}

/// How long the removal of a job may take.
const REMOVAL: Duration = Duration::from_secs(30);

/// Removes from their hosts the jobs whose end the run has read; one that can't be removed stays.
pub(super) async fn remove_read(runner: &Arc<Runner>) {
    let read = runner.jobs.take_read();
    let removals = futures::stream::iter(read);
    let forks = runner.options.forks.max(1);
    removals
        .for_each_concurrent(forks, |(target, id)| async move {
            let situation = exchange::plain_situation(&target);
            let ask = Ask::new("remove", &id);
            if let Ok(plan) = ask.plan(runner, situation, Vec::new()) {
                exchange::on(runner, &target, &plan, Some(REMOVAL)).await;
            }
        })
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_jobs_number_is_no_name_on_a_host() {
        for id in ["j0123abc", "359123.4711", "j1_2-3"] {
            assert!(is_id(id), "{id}");
        }
        for id in [
            "", ".", "..", "../x", "a/b", "a b", "$(id)", "-rf", r"a\b", "a\n",
        ] {
            assert!(!is_id(id), "{id:?}");
        }
    }
}
