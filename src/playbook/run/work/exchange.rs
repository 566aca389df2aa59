//! A module done on a host: arguments become a program, one exchange on a connection of the pool
//! carries it, its record becomes a result.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::files::Finder;
use super::jobs;
use super::results::Outcome;
use super::runner::Runner;
use crate::base::clock;
use crate::base::secret::Secret;
use crate::base::text::Charset;
use crate::base::value::{Map, Value};
use crate::engine::task::{self, Order, TaskEnd};
use crate::event::{self, ErrorKind, HostError};
use crate::module::{Call, Module, Platform, Said, Situation};
use crate::shell::{Command, Plan};
use crate::target::{ShellKind, Target};

/// Does a module with these arguments.
pub(super) async fn module(context: &Context<'_>, module: &Arc<Module>, args: &Map) -> Outcome {
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    module_on(context, module, args, &target).await
}

/// The same on a target that is known.
pub(super) async fn module_on(
    context: &Context<'_>,
    module: &Arc<Module>,
    args: &Map,
    target: &Arc<Target>,
) -> Outcome {
    if context.check && !module.check {
        return Outcome::skipped(format!(
            "remote module ({}) does not support check mode",
            module.name
        ));
    }
    let situation = situation(context, target);
    let env = match context.environment() {
        Ok(env) => env,
        Err(wrong) => return Outcome::wrong(&wrong),
    };
    let finder = Finder {
        scope: &context.scope,
    };
    let prepared = Call::new(module, args, situation).and_then(|mut call| {
        for secret in module.secrets(&call.params) {
            context.runner().hosts.learn(&Secret::new(secret));
        }
        let script = call.prepare(&finder, &task::mark())?;
        Ok((call, script))
    });
    let (call, script) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Outcome::refused(&error, context.prepared),
    };
    // What is given content, or asks the controller, is not left alone: it is done at once.
    let alone = script.payload.is_none() && script.answers.is_none();
    if let (Some(limit), true) = (context.background, alone) {
        return jobs::begin(context, target, &call, script, env, limit).await;
    }
    let plan = Plan::module(Arc::new(script), env);
    let began = clock::now();
    let clock = std::time::Instant::now();
    let end = exchange(context, target, &plan).await;
    let Some(record) = end.record.clone().filter(|_| end.error.is_none()) else {
        return lost(context, end);
    };
    let said = Said {
        record,
        exit: end.exit,
        stderr: end.stderr,
        time: Some((began, clock.elapsed())),
    };
    let mut result = call.conclude(&said);
    if context.background.is_some() {
        return jobs::done(context, target, &call, script_mark(&plan), result).await;
    }
    if context.waited_for {
        // As if it had been asked about until it was through.
        result.insert("started".into(), Value::Bool(true));
        result.insert("finished".into(), Value::Bool(true));
        let id = format!("j{}", script_mark(&plan));
        result.insert("ansible_job_id".into(), Value::Unsafe(id.into()));
    }
    Outcome::of(result)
}

fn script_mark(plan: &Plan) -> &str {
    match &plan.command {
        Command::Module(script) => &script.mark,
        _ => "",
    }
}

/// One exchange with a target.
pub(super) async fn exchange(context: &Context<'_>, target: &Arc<Target>, plan: &Plan) -> TaskEnd {
    on(context.runner(), target, plan, context.timeout).await
}

/// The same for no task in particular.
pub(super) async fn on(
    runner: &Runner,
    target: &Arc<Target>,
    plan: &Plan,
    timeout: Option<Duration>,
) -> TaskEnd {
    task::perform(Order {
        connections: &runner.connections,
        target,
        plan,
        timeout,
        max_output: runner.options.max_output,
        halt: runner.halt.clone(),
    })
    .await
}

/// How a task is to be done on a target.
pub(super) fn situation(context: &Context<'_>, target: &Target) -> Situation {
    Situation {
        check: context.check,
        diff: context.diff,
        ..plain_situation(target)
    }
}

/// The same without modes.
pub(super) fn plain_situation(target: &Target) -> Situation {
    Situation {
        platform: platform(target),
        check: false,
        diff: false,
        charset: target.encoding.unwrap_or(Charset::UTF_8),
    }
}

/// The system that answers there.
pub(super) fn platform(target: &Target) -> Platform {
    match target.shell {
        ShellKind::Posix => Platform::Posix,
        ShellKind::Cmd | ShellKind::Powershell => Platform::Windows,
    }
}

/// What is said of an exchange that gave no result.
pub(super) fn lost(context: &Context<'_>, end: TaskEnd) -> Outcome {
    let error = end.error.unwrap_or_else(|| {
        HostError::new(ErrorKind::Protocol, "the host said nothing of the task")
    });
    if end.outcome == event::Outcome::Unreachable {
        return Outcome::unreachable(error);
    }
    match (error.kind, context.keyword_timeout) {
        (ErrorKind::Timeout, _) if context.waited_for => Outcome::out_of_time(error),
        (ErrorKind::Timeout, Some(limit)) => Outcome::timed_out(error, limit),
        _ => Outcome::error(error),
    }
}

/// Seconds as a duration; nothing of nothing.
pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    (seconds > 0.0)
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
}
