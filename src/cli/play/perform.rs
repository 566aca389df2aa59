//! From loaded playbooks to the run's exit status: puts the parts of a play together, shows and
//! records it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::watch;

use super::super::fleet::Fleet;
use super::super::identities::Identities;
use super::super::perform::{INLINE, origin};
use super::super::records::Records;
use super::super::targets::{Overrides, WaysToHosts};
use super::super::{CliError, Setup, Status, signals};
use super::asking::{AtTerminal, StepByStep};
use super::{Args, hosts};
use crate::base::clock;
use crate::base::id::RunId;
use crate::base::prompt::Prompt;
use crate::engine::{Control, Halt};
use crate::event::capture::CaptureLimits;
use crate::event::emitter::HostEnd;
use crate::event::{
    Emitter, Event, HostCounts, HostIx, Outcome, PlayStats, RunEnd, RunHeader, Stopped, Summary,
};
use crate::module::Library;
use crate::playbook::run::{self, Hosts, Parts, PlayEnd, RunOptions, Runner};
use crate::playbook::{Loader, Playbook, TagSelection};
use crate::report::Report;
use crate::transport::{Pool, raise_open_files};

/// What a run of playbooks is made of.
pub(super) struct Work<'a> {
    pub(super) args: &'a Args,
    pub(super) fleet: Arc<Fleet>,
    /// All plays, as one playbook.
    pub(super) playbook: Playbook,
    pub(super) modules: Arc<Library>,
    pub(super) loader: Loader,
    pub(super) selection: TagSelection,
    /// The hosts of all plays that are known before they run.
    pub(super) hosts: Vec<Arc<str>>,
    pub(super) prompt: Arc<dyn Prompt>,
}

/// Runs it.
pub(super) fn perform(setup: &Setup, work: Work<'_>) -> Result<Status, CliError> {
    let files = raise_open_files();
    let flags = work
        .args
        .connection
        .flags(&*work.prompt, setup.settings.become_ask_pass())?;
    for secret in [&flags.password, &flags.become_password]
        .into_iter()
        .flatten()
    {
        setup.redactor.learn(secret);
    }
    let ways = Arc::new(WaysToHosts::new(
        flags,
        &setup.settings,
        work.args.connection.ssh_config.as_deref(),
        Overrides::default(),
    )?);
    let forks = work.args.mode.forks.unwrap_or(setup.settings.forks());
    if forks == 0 {
        return Err(CliError::new("--forks 0 would never begin")
            .hint("give the number of hosts to work on at a time, 1 or more"));
    }
    // A host at work may need its connection and two files.
    let forks = forks.min((files / 3).max(1));
    let expect_no_change = work.args.mode.expect_no_change;
    let allow_empty = work.args.mode.allow_empty;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let end = runtime.block_on(play(setup, work, ways, forks, files))?;
    runtime.shutdown_background();
    if let Some(error) = &end.error {
        return Err(CliError::new(error.to_string()));
    }
    let changed = end.stats.hosts.iter().any(|(_, counts)| counts.changed > 0);
    Ok(Status(match end.exit() {
        0 if expect_no_change && changed => 3,
        5 if allow_empty => 0,
        status => status,
    }))
}

async fn play(
    setup: &Setup,
    work: Work<'_>,
    ways: Arc<WaysToHosts>,
    forks: usize,
    files: usize,
) -> Result<PlayEnd, CliError> {
    let header = Arc::new(header(setup, &work, forks));
    let mut options = work.args.mode.report(setup)?;
    options.verbose = setup.verbosity();
    let report = Report::new(setup.screen(work.args.mode.raw), options);
    let mut records = Records::begin(setup, header.run);
    let mut consumers: Vec<Box<dyn crate::event::Consumer>> = vec![Box::new(report.clone())];
    consumers.extend(records.consumer());
    let max_output = work
        .args
        .mode
        .max_output
        .unwrap_or(setup.settings.max_output());
    let capture = CaptureLimits {
        inline: INLINE,
        max: max_output,
        folder: records.folder().to_owned(),
    };
    let (emitter, thread) = Emitter::start(setup.redactor.clone(), capture, consumers)?;
    let identities = Identities::new(setup, work.prompt.clone());
    let pool = Arc::new(Pool::new(identities.transports(), files, true));
    let control = signals::listen()?;
    emitter.emit(Event::RunStarted(header.clone())).await;
    let end = run_plays(
        setup,
        work,
        ways.clone(),
        forks,
        max_output,
        &pool,
        &emitter,
        control,
    )
    .await?;
    pool.close_all().await;
    let run_end = finish_hosts(&emitter, &header, &end).await;
    for notice in ways.notices().into_iter().chain(identities.settle()) {
        emitter.emit(Event::Notice(notice)).await;
    }
    emitter.emit(Event::RunFinished(run_end)).await;
    drop(emitter);
    if thread.join().is_err() {
        return Err(CliError::new(
            "internal error while showing the run; -vv has more",
        ));
    }
    records.finish(setup, |recorded| report.finish(recorded))?;
    Ok(end)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one run, made by one caller"
)]
async fn run_plays(
    setup: &Setup,
    work: Work<'_>,
    ways: Arc<WaysToHosts>,
    forks: usize,
    max_output: u64,
    pool: &Arc<Pool>,
    emitter: &Emitter,
    control: Control,
) -> Result<PlayEnd, CliError> {
    let Work {
        args,
        fleet,
        playbook,
        modules,
        loader,
        selection,
        ..
    } = work;
    let (halt, halted) = watch::channel(Halt::No);
    let options = RunOptions {
        check: args.mode.check,
        diff: args.mode.diff,
        forks,
        verbosity: i64::from(setup.verbosity()),
        limit: (!args.choice.limit.is_empty()).then(|| args.choice.limit.join(":")),
        tags: selection.only.clone(),
        skip_tags: selection.skip.clone(),
        inventories: setup.inventories().to_vec(),
        config_file: None,
        task_timeout: Some(args.mode.timeout.unwrap_or(TASK_TIMEOUT))
            .filter(|time| !time.is_zero()),
        max_output: usize::try_from(max_output).unwrap_or(usize::MAX),
    };
    let extra = fleet.extra_vars().all();
    let vault = fleet.vault();
    let fleet = Arc::into_inner(fleet)
        .ok_or_else(|| CliError::new("internal error: the fleet is in use"))?;
    let runner = Runner::new(run::Setup {
        hosts: Hosts::new(fleet.inventory, extra, vault, setup.redactor.clone()),
        ways,
        connections: pool.clone(),
        library: modules,
        emitter: emitter.clone(),
        halt: halted,
        ask: Arc::new(AtTerminal),
        options,
    });
    let parts = Parts {
        worker: runner.worker(),
        fleet: Arc::new(hosts::OfPlays {
            runner: runner.clone(),
            limit: args.choice.limit.clone(),
            exclude: args.choice.exclude.clone(),
        }),
        loader: Arc::new(Mutex::new(loader)),
        emitter: emitter.clone(),
        control,
        halt,
    };
    let options = run::Options {
        forks,
        check: args.mode.check,
        tags: selection,
        gather_facts: true,
        force_handlers: args.mode.force_handlers,
        start_at_task: args.choice.start_at_task.clone(),
        step: args
            .choice
            .step
            .then(|| Arc::new(StepByStep) as Arc<dyn run::Steps>),
        deadline: args.mode.deadline.filter(|time| !time.is_zero()),
    };
    Ok(run::run(&playbook, options, parts).await)
}

/// A task's time, where nothing says otherwise.
const TASK_TIMEOUT: std::time::Duration = std::time::Duration::from_hours(1);

fn header(setup: &Setup, work: &Work<'_>, forks: usize) -> RunHeader {
    let (user, from) = origin();
    let names: Vec<String> = work
        .args
        .playbooks
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mode = &work.args.mode;
    let pattern = if work.args.choice.limit.is_empty() {
        "all".to_owned()
    } else {
        work.args.choice.limit.join(":")
    };
    RunHeader {
        run: RunId::new(),
        verb: "play".to_owned(),
        command: Some(setup.redactor.text(&names.join(" ")).into_owned()),
        pattern,
        user,
        account: None,
        from,
        options: json!({
            "forks": forks, "check": mode.check, "diff": mode.diff, "tags": work.selection.only,
            "skip_tags": work.selection.skip, "start_at_task": work.args.choice.start_at_task,
            "become": work.args.connection.r#become,
        }),
        started: clock::now(),
        no_log: false,
        hosts: work.hosts.clone(),
    }
}

/// Gives each host its outcome, for the record.
async fn finish_hosts(emitter: &Emitter, header: &RunHeader, end: &PlayEnd) -> RunEnd {
    let failed: HashSet<&Arc<str>> = end.failed.iter().collect();
    let unreachable: HashSet<&Arc<str>> = end.unreachable.iter().collect();
    let mut summary = Summary::new(header.hosts.len());
    for (index, host) in header.hosts.iter().enumerate() {
        let outcome = if failed.contains(host) {
            Outcome::Failed
        } else if unreachable.contains(host) {
            Outcome::Unreachable
        } else {
            outcome(counts(&end.stats, host), end.stopped)
        };
        summary.add(outcome);
        let ix = HostIx(u32::try_from(index).unwrap_or(u32::MAX));
        let host_end = HostEnd {
            outcome,
            exit: None,
            signal: None,
            duration: std::time::Duration::ZERO,
            attempts: 1,
            error: None,
            timings: None,
            files: Vec::new(),
        };
        emitter.resume(ix).finish(host_end).await;
    }
    RunEnd {
        finished: clock::now(),
        summary,
        stopped: end.stopped,
    }
}

fn counts(stats: &PlayStats, host: &str) -> HostCounts {
    let found = stats.hosts.iter().find(|(name, _)| &**name == host);
    found.map(|(_, counts)| *counts).unwrap_or_default()
}

fn outcome(counts: HostCounts, stopped: Option<Stopped>) -> Outcome {
    if counts.changed > 0 {
        Outcome::Changed
    } else if counts.ok > 0 {
        Outcome::Ok
    } else if stopped.is_some() {
        Outcome::Cancelled
    } else {
        Outcome::Skipped
    }
}
