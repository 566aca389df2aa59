//! `wait_for_connection` and `reboot`: sequences of attempts until the host answers again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::context::Context;
use super::super::exchange::{self, exchange};
use super::super::results::Outcome;
use super::command::plan;
use super::text;
use crate::base::value::{Map, Value};
use crate::event::{HostError, Outcome as EngineOutcome};
use crate::module::Platform;
use crate::shell::Command;
use crate::target::{Target, Via};

/// What tells one boot of a Unix system from the next.
const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id 2>/dev/null || who -b";
/// The same on Windows, also on those with PowerShell 2.
const BOOT_TIME: &str = "powershell -NoProfile -NonInteractive -Command \"(Get-WmiObject Win32_OperatingSystem).LastBootUpTime\"";

fn seconds(params: &Map, name: &str) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    match params.get(name)? {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 1e7)).unwrap_or_default()
}

/// The target with another limit for attempts at connecting.
fn with_connect_timeout(target: &Arc<Target>, limit: Option<f64>) -> Arc<Target> {
    let Some(limit) = limit.map(duration) else {
        return target.clone();
    };
    let mut target = Target::clone(target);
    match &mut target.via {
        Via::Ssh(ssh) => Arc::make_mut(&mut Arc::make_mut(ssh).options).connect_timeout = limit,
        Via::Winrm(winrm) => {
            Arc::make_mut(&mut Arc::make_mut(winrm).options).connect_timeout = limit;
        }
        Via::Local => {}
    }
    Arc::new(target)
}

/// Waits until a shell answers there.
pub(super) async fn for_connection(context: &Context<'_>, params: &Map) -> Outcome {
    let began = Instant::now();
    let value = |name: &str, default| seconds(params, name).unwrap_or(default);
    let target = match context.target() {
        Ok(target) => with_connect_timeout(&target, seconds(params, "connect_timeout")),
        Err(error) => return Outcome::error(error),
    };
    if context.check {
        return Outcome::with([
            ("changed", Value::Bool(false)),
            ("skipped", Value::Bool(true)),
        ]);
    }
    if !context.runner().sleep(duration(value("delay", 0.0))).await {
        return Outcome::failed("interrupted");
    }
    let deadline = began + duration(value("timeout", 600.0));
    // What there is of a connection may be half dead: the first attempt makes a new one.
    context.runner().connections.reset(&target).await;
    let pause = duration(value("sleep", 1.0));
    let answered = attempts(
        context,
        &target,
        deadline,
        pause,
        || Command::Ping,
        |_| true,
    )
    .await;
    let elapsed = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
    let mut outcome = match answered {
        Ok(_) => Outcome::with([("changed", Value::Bool(false))]),
        Err(why) => Outcome::failed(format!("timed out waiting for ping module test: {why}")),
    };
    outcome.result.insert("elapsed".into(), Value::Int(elapsed));
    outcome
}

/// Tries until a command succeeds and what it says is good.
async fn attempts(
    context: &Context<'_>,
    target: &Arc<Target>,
    deadline: Instant,
    pause: Duration,
    command: impl Fn() -> Command,
    good: impl Fn(&str) -> bool,
) -> Result<String, String> {
    let mut why = "no answer".to_owned();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // (An attempt that the end cuts short tells less than the one before.)
        match tokio::time::timeout(left, say(context, target, command())).await {
            Ok(Ok(said)) if good(&said) => return Ok(said),
            Ok(Ok(_)) => "the host has not been booted yet".clone_into(&mut why),
            Ok(Err(error)) => why = error.message,
            Err(_) => {}
        }
        if deadline.saturating_duration_since(Instant::now()) <= pause {
            return Err(why);
        }
        context.runner().connections.reset(target).await;
        if !context.runner().sleep(pause).await {
            return Err("interrupted".to_owned());
        }
    }
}

/// What a command that succeeds says.
async fn say(
    context: &Context<'_>,
    target: &Arc<Target>,
    command: Command,
) -> Result<String, HostError> {
    let end = exchange(context, target, &plan(command, Vec::new(), None)).await;
    match end.error {
        Some(error) => Err(error),
        None if end.exit.is_none_or(|exit| exit == 0) && end.outcome == EngineOutcome::Ok => {
            Ok(String::from_utf8_lossy(&end.stdout).trim().to_owned())
        }
        None => {
            let said = String::from_utf8_lossy(&end.stderr).trim().to_owned();
            let status = end.exit.unwrap_or(-1);
            Err(super::super::context::local(format!(
                "the command ended with {status}: {said}"
            )))
        }
    }
}

/// Boots the host and waits until it is back.
pub(super) async fn reboot(context: &Context<'_>, params: &Map) -> Outcome {
    let began = Instant::now();
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    if matches!(target.via, Via::Local) {
        return Outcome::failed(
            "Running reboot with local connection would reboot the control node.",
        );
    }
    if context.check {
        return Outcome::with([
            ("changed", Value::Bool(true)),
            ("elapsed", Value::Int(0)),
            ("rebooted", Value::Bool(true)),
        ]);
    }
    let elapsed = |outcome: Outcome| {
        let mut outcome = outcome;
        let elapsed = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
        outcome.result.insert("elapsed".into(), Value::Int(elapsed));
        outcome
    };
    match sequence(context, params, &target).await {
        Ok(()) => elapsed(Outcome::with([
            ("changed", Value::Bool(true)),
            ("rebooted", Value::Bool(true)),
        ])),
        Err(outcome) => elapsed(*outcome),
    }
}

async fn sequence(
    context: &Context<'_>,
    params: &Map,
    target: &Arc<Target>,
) -> Result<(), Box<Outcome>> {
    let windows = exchange::platform(target) == Platform::Windows;
    let given = |name: &str| text(params, name).map(str::to_owned);
    let id = given("boot_time_command");
    let id = id.unwrap_or_else(|| (if windows { BOOT_TIME } else { BOOT_ID }).to_owned());
    let line = |text: &str| Command::Line(text.to_owned());
    let before = say(context, target, line(&id)).await;
    let before = before.map_err(|error| Box::new(Outcome::error(error)))?;
    let failed = |why: String| Box::new(Outcome::failed(why));
    // The connection may be cut before the command has said anything.
    match say(context, target, Command::Line(boot_line(params, windows))).await {
        Ok(_) => {}
        Err(error) if cut(&error) => {}
        Err(error) => return Err(failed(format!("Reboot command failed: {}", error.message))),
    }
    context.runner().connections.reset(target).await;
    let limit = duration(seconds(params, "reboot_timeout").unwrap_or(600.0));
    let after = with_connect_timeout(
        target,
        Some(seconds(params, "connect_timeout").unwrap_or(10.0)),
    );
    // (A host that is about to go down may say nothing.)
    let another = |said: &str| !said.is_empty() && said != before;
    let pause = Duration::from_secs(2);
    let delay = duration(seconds(params, "pre_reboot_delay").unwrap_or(0.0));
    let deadline = Instant::now() + delay + limit;
    attempts(context, &after, deadline, pause, || line(&id), another)
        .await
        .map_err(|why| failed(format!("Timed out waiting for last boot time check: {why}")))?;
    context
        .runner()
        .sleep(duration(
            seconds(params, "post_reboot_delay").unwrap_or(0.0),
        ))
        .await;
    let test = given("test_command").unwrap_or_else(|| "whoami".to_owned());
    let deadline = Instant::now() + limit;
    attempts(context, &after, deadline, pause, || line(&test), |_| true)
        .await
        .map_err(|why| {
            failed(format!(
                "Timed out waiting for post-reboot test command: {why}"
            ))
        })?;
    Ok(())
}

fn cut(error: &HostError) -> bool {
    use crate::event::ErrorKind;
    matches!(
        error.kind,
        ErrorKind::Disconnected | ErrorKind::Reset | ErrorKind::Timeout
    )
}

fn boot_line(params: &Map, windows: bool) -> String {
    let message = text(params, "msg").unwrap_or("Reboot initiated by Ansible");
    let delay = seconds(params, "pre_reboot_delay").unwrap_or(0.0).max(0.0);
    if windows {
        let message = message.replace('"', "'");
        return format!("shutdown /r /t {:.0} /c \"{message}\"", delay.max(2.0));
    }
    if let Some(own) = text(params, "reboot_command") {
        return own.to_owned();
    }
    let paths: Vec<&str> = match params.get("search_paths") {
        Some(Value::List(paths)) => paths.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let paths = crate::shell::quote::word(&paths.join(":"));
    let message = crate::shell::quote::word(message);
    let minutes = (delay / 60.0).floor();
    format!("PATH={paths}:$PATH shutdown -r +{minutes:.0} {message}")
}
