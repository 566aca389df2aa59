//! Tasks in the background (`async` with `poll: 0`): the module's program is left on the host, detached
//! from the connection, and writes its record into a file there that `async_status` reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::context::Context;
use super::exchange::exchange;
use super::results::Outcome;
use super::runner::Runner;
use crate::base::value::{Map, Value};
use crate::module::{Call, Module, Platform, Said, Situation};
use crate::shell::record::RecordReader;
use crate::shell::{Command, ModuleScript, Plan, Stdin, quote};
use crate::target::Target;

/// How much of a job's record is kept, in bytes.
const RECORD_MAX: usize = 16 << 20;

/// The jobs that the run has begun.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<HashMap<String, Job>>);

impl Jobs {
    fn add(&self, id: &str, call: Call, mark: &str) {
        let job = Job {
            call: Arc::new(call),
            mark: mark.to_owned(),
        };
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.insert(id.to_owned(), job);
    }
}

/// A job that an earlier run has begun.
pub(super) fn known(
    runner: &Runner,
    id: &str,
    mark: &str,
    module: &Arc<Module>,
    args: &Map,
    situation: Situation,
) {
    if let Ok(call) = Call::new(module, args, situation) {
        runner.jobs.add(id, call, mark);
    }
}

/// What its record is read with.
#[derive(Debug, Clone)]
struct Job {
    call: Arc<Call>,
    mark: String,
}

/// Where a job's files are on its host.
fn folder() -> &'static str {
    "\"${HOME:-/tmp}/.ioms_async\""
}

/// Begins a module's program in the background.
pub(super) async fn begin(
    context: &Context<'_>,
    target: &Arc<Target>,
    args: &Map,
    call: Call,
    script: ModuleScript,
    env: Vec<(String, String)>,
    limit: u64,
) -> Outcome {
    if call.situation.platform == Platform::Windows {
        return Outcome::failed(
            "tasks in the background (poll: 0) are not there for Windows hosts",
        );
    }
    if script.payload.is_some() {
        return Outcome::failed(format!(
            "module {} can't run in the background",
            call.module.name
        ));
    }
    // The mark is random already, and no secret to the host.
    let id = format!("j{}", script.mark);
    let line = starting(&id, &script.text, limit);
    let plan = Plan {
        command: Command::Line(line),
        env,
        chdir: None,
        tty: false,
        stdin: Stdin::Bytes(script.text.into_bytes().into()),
        detach: false,
    };
    let end = exchange(context, target, &plan).await;
    if end.error.is_some() {
        return super::exchange::lost(context, end);
    }
    if end.exit != Some(0) {
        let stderr = String::from_utf8_lossy(&end.stderr);
        return Outcome::failed(format!("the task could not be begun: {}", stderr.trim()));
    }
    if let Some(kept) = &context.scope.kept {
        kept.job(&id, &script.mark, args, call.situation);
    }
    context.runner().jobs.add(&id, call, &script.mark);
    let words = |text: &str| Value::Unsafe(text.into());
    Outcome::with([
        ("changed", Value::Bool(true)),
        ("started", Value::Bool(true)),
        ("finished", Value::Bool(false)),
        ("ansible_job_id", words(&id)),
        ("results_file", words(&format!("~/.ioms_async/{id}.out"))),
    ])
}

/// The program comes on standard input and is removed as soon as its shell has opened it: what it
/// holds must not outlive it.
fn starting(id: &str, text: &str, limit: u64) -> String {
    let size = text.len();
    let inner = format!(
        "d={folder}; umask 077; mkdir -p \"$d\" && head -c {size} >\"$d/{id}.sh\" || exit 1; l=; command -v timeout \
         >/dev/null 2>&1 && [ {limit} -gt 0 ] && l='timeout {limit}'; s=; command -v setsid >/dev/null 2>&1 && s=setsid; \
         nohup $s $l sh -c 'exec 3<\"$1\"; rm -f \"$1\"; . /dev/fd/3' sh \"$d/{id}.sh\" >\"$d/{id}.out\" 2>\"$d/{id}.err\" \
         </dev/null & echo $! >\"$d/{id}.pid\"",
        folder = folder(),
    );
    format!("sh -c {}", quote::word(&inner))
}

/// How a job is getting on; at the end, its result.
pub(super) async fn status(context: &Context<'_>, params: &Map) -> Outcome {
    let id = params
        .get("jid")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let job = {
        let jobs = context
            .runner()
            .jobs
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        jobs.get(&id).cloned()
    };
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    let words = |text: &str| Value::Unsafe(text.into());
    let Some(job) = job else {
        let mut outcome = Outcome::failed("could not find job");
        outcome.result.insert("ansible_job_id".into(), words(&id));
        outcome.result.insert("started".into(), Value::Bool(true));
        outcome.result.insert("finished".into(), Value::Bool(true));
        return outcome;
    };
    let cleanup = params.get("mode").and_then(Value::as_str) == Some("cleanup");
    let inner = if cleanup {
        format!("d={}; rm -f \"$d/{id}.\"*", folder())
    } else {
        // Whether it lives is asked first: what it says after that is seen.
        format!(
            "d={}; p=$(cat \"$d/{id}.pid\"); if kill -0 \"$p\" 2>/dev/null; then echo running; else echo over; fi; cat \
             \"$d/{id}.out\"; cat \"$d/{id}.err\" >&2",
            folder()
        )
    };
    let line = format!("sh -c {}", quote::word(&inner));
    let plan = Plan {
        command: Command::Line(line),
        env: Vec::new(),
        chdir: None,
        tty: false,
        stdin: Stdin::Empty,
        detach: false,
    };
    let end = exchange(context, &target, &plan).await;
    if end.error.is_some() {
        return super::exchange::lost(context, end);
    }
    if cleanup {
        return Outcome::with([
            ("changed", Value::Bool(false)),
            ("stdout", words("")),
            ("stderr", words("")),
            ("ansible_job_id", words(&id)),
            ("erased", words(&format!("~/.ioms_async/{id}.out"))),
        ]);
    }
    let mut reader = RecordReader::new(&job.mark, RECORD_MAX);
    let (state, said) = match end.stdout.iter().position(|byte| *byte == b'\n') {
        Some(at) => (end.stdout.slice(..at), end.stdout.slice(at + 1..)),
        None => (end.stdout.clone(), bytes::Bytes::new()),
    };
    if let Err(error) = reader.take(&said) {
        return Outcome::failed(error.to_string());
    }
    let record = reader.finish();
    let mut outcome = if record.ended || &state[..] == b"over" {
        let said = Said {
            record,
            exit: None,
            stderr: end.stderr,
            time: None,
        };
        let mut outcome = Outcome::of(job.call.conclude(&said));
        outcome.result.insert("finished".into(), Value::Bool(true));
        outcome
    } else {
        Outcome::with([
            ("changed", Value::Bool(false)),
            ("finished", Value::Bool(false)),
            ("stdout", words("")),
            ("stderr", words("")),
        ])
    };
    outcome.result.insert("started".into(), Value::Bool(true));
    outcome.result.insert("ansible_job_id".into(), words(&id));
    outcome
}
