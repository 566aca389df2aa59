//! From a piece of work on chosen hosts to its exit status: confirms, runs, shows and records. What
//! `run`, `script` and `ping` have in common.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::ask::{Terminal, confirm};
use super::codepages::CodePages;
use super::connection::ConnectionArgs;
use super::execution::{FormArgs, LimitArgs, LimitDefaults, OutputArgs};
use super::fleet::{Fleet, inventories_of_record};
use super::identities::Identities;
use super::listeners::Listeners;
use super::selection::Chosen;
use super::targets::{Overrides, RunTargets};
use super::{CliError, Setup, Status, signals};
use crate::base::clock;
use crate::base::id::RunId;
use crate::base::prompt::Prompt;
use crate::base::secret::MASK;
use crate::engine::{self, Job, Limits};
use crate::event::{Event, RunEnd, RunHeader, Stopped};
use crate::report::{Report, exit_status};
use crate::shell::windows::{begins_with_start, names_a_share};
use crate::shell::{Command, Plan};
use crate::transport::{Pool, raise_open_files};

/// Hosts that files move to or from at a time.
const TRANSFERS: usize = 100;

/// How long nothing may move. A host may be hashing a large file meanwhile; that it is gone shows
/// sooner.
const STANDSTILL: std::time::Duration = std::time::Duration::from_mins(5);

/// Work to be done on hosts.
pub struct Work<'a> {
    /// `run`, `script`, `ping`.
    pub verb: &'static str,
    /// What is done, as a person would write it; also what deny rules look at.
    pub command: Option<String>,
    /// The pattern, as typed.
    pub pattern: String,
    /// The hosts.
    pub chosen: Chosen,
    /// What is done.
    pub task: engine::Work,
    /// The fleet they belong to.
    pub fleet: Arc<Fleet>,
    /// How they are reached.
    pub connection: &'a ConnectionArgs,
    /// How the run is bounded.
    pub limits: &'a LimitArgs,
    /// What is shown and kept.
    pub output: &'a OutputArgs,
    /// What flags say of every target.
    pub overrides: Overrides,
    /// Who wants to hear of the run, too.
    pub listener: Option<Box<dyn crate::event::Consumer>>,
}

/// Does it, all of it.
pub fn perform(setup: &Setup, mut work: Work<'_>) -> Result<Status, CliError> {
    if work.output.list_hosts || work.output.dry_run {
        let (command, hosts) = (work.command.as_deref(), &work.chosen.hosts);
        let denied = denied(setup, &work);
        return list(setup, work.verb, command, hosts, work.output, denied);
    }
    if work.chosen.hosts.is_empty() && !work.output.allow_empty {
        return Err(nobody(&work.pattern));
    }
    let command = work.command.as_deref().unwrap_or_default();
    confirm_all(setup, work.verb, command, &work.chosen, work.output.yes)?;
    check_destinations(setup, &work.output.form)?;
    let files = raise_open_files();
    let limits = limits(setup, &work, files)?;
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let flags = work
        .connection
        .flags(&*prompt, setup.settings.become_ask_pass())?;
    for secret in [&flags.password, &flags.become_password]
        .into_iter()
        .flatten()
    {
        setup.redactor.learn(secret);
    }
    let pages = Arc::new(CodePages::new(
        setup.database().ok(),
        work.chosen.hosts.clone(),
    ));
    let targets = RunTargets::new(
        work.fleet.clone(),
        work.chosen.hosts.clone(),
        flags,
        &setup.settings,
        work.connection.ssh_config.as_deref(),
        work.overrides.clone(),
    )?;
    let targets = Arc::new(targets.with_code_pages(pages.clone()));
    let header = Arc::new(header(setup, &work, &limits));
    let denied = denied(setup, &work);
    let listener = work.listener.take();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let end = runtime.block_on(async {
        let end = run(
            setup, &work, listener, header, targets, limits, prompt, files, denied,
        )
        .await;
        pages.keep().await;
        end
    })?;
    runtime.shutdown_background();
    Ok(Status(exit_status(&end)))
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one run, made by one caller"
)]
async fn run(
    setup: &Setup,
    work: &Work<'_>,
    listener: Option<Box<dyn crate::event::Consumer>>,
    header: Arc<RunHeader>,
    targets: Arc<RunTargets>,
    limits: Limits,
    prompt: Arc<dyn Prompt>,
    files: usize,
    denied: Option<String>,
) -> Result<RunEnd, CliError> {
    let report = Report::new(
        setup.screen(work.output.form.raw),
        work.output.form.options(setup.form(), !setup.quiet())?,
    );
    let max_output = work.output.max_output;
    let max_output = max_output.unwrap_or(setup.settings.max_output());
    let (emitter, listeners) = Listeners::start(setup, header.run, report, listener, max_output)?;
    let control = signals::listen()?;
    let identities = Identities::new(setup, prompt);
    let pool = Arc::new(Pool::new(identities.transports(), files, false));
    if limits.timeout.is_none() && plan_of(work).is_some() && work.verb != "ping" {
        emitter
            .emit(Event::Notice("no time limit for the command".into()))
            .await;
    }
    if starts_in_vain(work, &targets) {
        let text = "what the command starts ends with it on Windows: --detach starts it for good";
        emitter.emit(Event::Notice(text.into())).await;
    }
    let job = Job {
        header,
        targets: targets.clone(),
        work: work.task.clone(),
        limits,
    };
    let end = match denied {
        Some(reason) => {
            emitter.emit(Event::Notice(reason)).await;
            engine::refuse(job, pool, emitter.clone(), Stopped::Denied).await
        }
        None => engine::run(job, pool, emitter.clone(), control).await,
    };
    if end.summary.failed > 0 && goes_on_to_another_host(work, &targets) {
        let text = "a login over WinRM can't go on to a share of another host: --become with the account's password can \
                    (docs/windows.md, The second hop)";
        emitter.emit(Event::Notice(text.into())).await;
    }
    for notice in targets.notices().into_iter().chain(identities.settle()) {
        emitter.emit(Event::Notice(notice)).await;
    }
    drop(emitter);
    listeners.finish(setup)?;
    Ok(end)
}

/// Whether the command line starts a program that will not live: on Windows what a shell starts dies
/// with the shell.
fn starts_in_vain(work: &Work<'_>, targets: &RunTargets) -> bool {
    says(work, begins_with_start)
        && !plan_of(work).is_some_and(|plan| plan.detach)
        && targets.some_on_windows()
}

/// Whether the command names a share of another host, which takes a second login.
fn goes_on_to_another_host(work: &Work<'_>, targets: &RunTargets) -> bool {
    says(work, names_a_share) && !work.connection.r#become && targets.some_on_windows()
}

/// Whether the command line is such a one.
fn says(work: &Work<'_>, such: fn(&str) -> bool) -> bool {
    match plan_of(work).map(|plan| &plan.command) {
        Some(Command::Line(line)) => such(line),
        Some(Command::Words(words)) => such(&words.join(" ")),
        _ => false,
    }
}

/// The command's plan, where the work is a command.
fn plan_of<'a>(work: &'a Work<'_>) -> Option<&'a Plan> {
    match &work.task {
        engine::Work::Command(plan) => Some(plan),
        engine::Work::Upload(_) | engine::Work::Download(_) => None,
    }
}

/// Where things are to be written must be known to be there before the work is done, not after.
pub(super) fn check_destinations(setup: &Setup, form: &FormArgs) -> Result<(), CliError> {
    let fail = |flag: &str, path: &Path, error: std::io::Error| {
        CliError::new(format!("{flag} {}: {error}", path.display()))
    };
    if let Some(folder) = &form.outdir {
        std::fs::create_dir_all(folder).map_err(|error| fail("--outdir", folder, error))?;
    }
    if let Some(file) = form.junit.as_ref().filter(|file| *file != Path::new("-")) {
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .map_err(|error| fail("--junit", file, error))?;
    }
    setup.database().map(drop)
}

fn limits(setup: &Setup, work: &Work<'_>, files: usize) -> Result<Limits, CliError> {
    let settings = &setup.settings;
    let mut defaults = LimitDefaults {
        forks: settings.forks(),
        timeout: settings.timeout(),
        idle_timeout: settings.idle_timeout(),
        retries: settings.retries(),
    };
    if work.task.meter().is_some() {
        // A large file takes its time; what matters is that it moves. More hosts at a time would
        // share the same line.
        defaults.forks = defaults.forks.min(TRANSFERS);
        defaults.timeout = std::time::Duration::ZERO;
        if defaults.idle_timeout.is_zero() {
            defaults.idle_timeout = STANDSTILL;
        }
    }
    let mut limits = work.limits.limits(defaults)?;
    // A host at work may need its connection and two files for output.
    limits.forks = limits.forks.min((files / 3).max(1));
    Ok(limits)
}

/// Why the work must not be done, if a rule denies it.
fn denied(setup: &Setup, work: &Work<'_>) -> Option<String> {
    setup.settings.denied(work.command.as_deref()?)
}

/// `--list-hosts` and `--dry-run`, as Ansible prints them. `denied`: why it would not be done.
pub(super) fn list(
    setup: &Setup,
    verb: &str,
    command: Option<&str>,
    hosts: &[Arc<str>],
    output: &OutputArgs,
    denied: Option<String>,
) -> Result<Status, CliError> {
    let denied = denied.filter(|_| output.dry_run);
    if setup.json() {
        let mut document = json!({
            "schema": 1, "dry_run": true, "command": command, "hosts": hosts,
        });
        if let (Some(denied), Some(object)) = (&denied, document.as_object_mut()) {
            object.insert("denied".to_owned(), json!(denied));
        }
        super::print(&format!("{document}\n"))?;
    } else {
        let mut text = String::new();
        match (command, &denied) {
            (Some(command), Some(denied)) => {
                text = format!("would {verb} nowhere, {command} is denied: {denied}\n");
            }
            (Some(command), None) if output.dry_run => {
                text = format!("would {verb} on these hosts: {command}\n");
            }
            _ => {}
        }
        let _ = writeln!(text, "  hosts ({}):", hosts.len());
        for host in hosts {
            let _ = writeln!(text, "    {host}");
        }
        setup.print(&text)?;
    }
    if denied.is_some() {
        return Ok(Status(9));
    }
    if hosts.is_empty() && !output.allow_empty {
        return Ok(Status(5));
    }
    Ok(Status::OK)
}

/// Nobody to do it to.
pub(super) fn nobody(pattern: &str) -> CliError {
    CliError::new(format!("no host matches `{pattern}`"))
        .hint("`iomsctl inventory graph` shows hosts and groups; --allow-empty makes this no error")
        .status(5)
}

/// At a terminal, work on the whole of a large fleet is asked about.
pub(super) fn confirm_all(
    setup: &Setup,
    verb: &str,
    command: &str,
    chosen: &Chosen,
    yes: bool,
) -> Result<(), CliError> {
    let count = chosen.hosts.len();
    let asks = chosen.all
        && count > setup.settings.confirm_all_above()
        && verb != "ping"
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal();
    if !asks {
        return Ok(());
    }
    confirm(&format!("{verb} `{command}` on all {count} hosts?"), yes)
}

/// Who runs this, and from where.
pub(super) fn origin() -> (String, String) {
    let local = crate::target::ssh_config::Local::of_process();
    let from = match local
        .env
        .get("SSH_CONNECTION")
        .and_then(|text| text.split(' ').next())
    {
        Some(client) => format!("{} ({client})", local.hostname),
        None => local.hostname.clone(),
    };
    (local.user, from)
}

fn header(setup: &Setup, work: &Work<'_>, limits: &Limits) -> RunHeader {
    let (user, from) = origin();
    let command = work.command.as_ref().map(|command| {
        if work.output.no_log {
            MASK.to_owned()
        } else {
            setup.redactor.text(command).into_owned()
        }
    });
    RunHeader {
        run: RunId::new(),
        verb: work.verb.to_owned(),
        command,
        pattern: work.pattern.clone(),
        user,
        account: None,
        from,
        options: options(setup, work, limits),
        started: clock::now(),
        no_log: work.output.no_log,
        hosts: work.chosen.hosts.clone(),
    }
}

/// The options that bear on a run, for its record.
fn options(setup: &Setup, work: &Work<'_>, limits: &Limits) -> serde_json::Value {
    let ms = |time: Option<std::time::Duration>| time.map(|time| time.as_millis());
    let mut options = json!({
        "forks": limits.forks, "timeout_ms": ms(limits.timeout), "idle_timeout_ms": ms(limits.idle_timeout),
        "deadline_ms": ms(limits.deadline), "retries": limits.retries,
        "serial": !limits.serial.is_empty(),
        "become": work.connection.r#become, "become_user": work.connection.become_user,
        "user": work.connection.user, "max_fail": limits.max_fail.is_some(),
        "inventories": inventories_of_record(setup),
    });
    if let (Some(plan), Some(options)) = (plan_of(work), options.as_object_mut()) {
        let of_plan = json!({
            "chdir": plan.chdir, "tty": plan.tty, "detach": plan.detach,
            "env": plan.env.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "stdin": !plan.stdin.is_empty(),
        });
        if let serde_json::Value::Object(of_plan) = of_plan {
            options.extend(of_plan);
        }
    }
    options
}
