//! From loaded playbooks to the run's exit status: puts the parts of a play together, shows and
//! records it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::watch;

use super::super::connection::ConnectionArgs;
use super::super::execution::FormArgs;
use super::super::facts::FactsOnRecord;
use super::super::fleet::{Fleet, inventories_of_record};
use super::super::identities::Identities;
use super::super::listeners::Listeners;
use super::super::perform::{check_destinations, origin};
use super::super::targets::{Overrides, WaysToHosts};
use super::super::{CliError, Setup, Status, signals};
use super::ModeArgs;
use super::asking::{AtTerminal, StepByStep};
use super::denied::{self, Deny};
use super::ends::Ends;
use super::hosts::{Chosen, OfPlays};
use super::kept::{Kept, Resumed, Started};
use crate::base::clock;
use crate::base::id::RunId;
use crate::base::prompt::Prompt;
use crate::base::secret::MASK;
use crate::engine::Halt;
use crate::event::{Emitter, Event, PlayEvent, PlayStats, RunEnd, RunHeader, Stopped};
use crate::module::Library;
use crate::playbook::run::{self, EarlierFacts, Hosts, Keep, Parts, PlayEnd, RunOptions, Runner};
use crate::playbook::{Loader, Playbook, TagSelection};
use crate::report::Report;
use crate::transport::{Pool, raise_open_files};

/// What a run of plays is made of.
pub(in crate::cli) struct Work<'a> {
    /// `play`, or `do`: then each host's one task is its result.
    pub(in crate::cli) verb: &'static str,
    /// What is done, as a person would write it.
    pub(in crate::cli) command: String,
    /// The playbooks' files, for who runs them again.
    pub(in crate::cli) playbooks: Vec<PathBuf>,
    /// Whether `-e` gave variables; their values are not on record.
    pub(in crate::cli) has_extra_vars: bool,
    /// Whom it is done to, as it was written.
    pub(in crate::cli) pattern: String,
    pub(in crate::cli) fleet: Arc<Fleet>,
    /// All plays, as one playbook.
    pub(in crate::cli) playbook: Playbook,
    pub(in crate::cli) modules: Arc<Library>,
    /// It has loaded the playbook, and loads what is included.
    pub(in crate::cli) loader: Loader,
    pub(in crate::cli) selection: TagSelection,
    /// The hosts of all plays that are known before they run.
    pub(in crate::cli) hosts: Vec<Arc<str>>,
    pub(in crate::cli) chosen: Chosen,
    pub(in crate::cli) begin: Begin,
    pub(in crate::cli) mode: &'a ModeArgs,
    pub(in crate::cli) connection: &'a ConnectionArgs,
    pub(in crate::cli) form: FormArgs,
    pub(in crate::cli) max_output: Option<u64>,
    pub(in crate::cli) allow_empty: bool,
    pub(in crate::cli) no_log: bool,
    pub(in crate::cli) prompt: Arc<dyn Prompt>,
    /// Whether it can be resumed.
    pub(in crate::cli) keeping: Keeping,
}

/// What a run keeps for who may have to go on with it.
pub(in crate::cli) enum Keeping {
    /// Nothing.
    Nothing,
    /// How it was started, and all that follows.
    Fresh(Started),
    /// It goes on itself.
    Resumed(Box<Resumed>),
}

/// What holds for plays alone.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Begin {
    pub(in crate::cli) force_handlers: bool,
    pub(in crate::cli) start_at_task: Option<String>,
    pub(in crate::cli) step: bool,
    pub(in crate::cli) flush_cache: bool,
    pub(in crate::cli) seed: u64,
}

/// Runs it.
pub(in crate::cli) fn perform(setup: &Setup, work: Work<'_>) -> Result<Status, CliError> {
    check_destinations(setup, &work.form)?;
    let files = raise_open_files();
    let flags = work
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
        work.connection.ssh_config.as_deref(),
        Overrides::default(),
    )?);
    let forks = work.mode.forks.unwrap_or(setup.settings.forks());
    if forks == 0 {
        return Err(CliError::new("--forks 0 would never begin")
            .hint("give the number of hosts to work on at a time, 1 or more"));
    }
    let bounds = Bounds {
        // A host at work may need its connection and two files.
        forks: forks.min((files / 3).max(1)),
        files,
        max_output: work.max_output.unwrap_or(setup.settings.max_output()),
    };
    let (expect_no_change, allow_empty) = (work.mode.expect_no_change, work.allow_empty);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads(work.hosts.len()))
        // Each host at work may wait for something in the middle of a template.
        .max_blocking_threads(BLOCKING_THREADS + bounds.forks)
        .enable_all()
        .build()?;
    let end = runtime.block_on(play(setup, work, ways, bounds))?;
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

/// Threads for what waits, beside those of hosts: tokio's own number.
const BLOCKING_THREADS: usize = 512;

/// How many threads reach so many hosts: waking each other is much of what they do where one is enough.
fn threads(hosts: usize) -> usize {
    const HOSTS_A_THREAD: usize = 64;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(1 + hosts / HOSTS_A_THREAD)
}

/// How much of everything.
#[derive(Clone, Copy)]
struct Bounds {
    forks: usize,
    files: usize,
    max_output: u64,
}

async fn play(
    setup: &Setup,
    work: Work<'_>,
    ways: Arc<WaysToHosts>,
    bounds: Bounds,
) -> Result<PlayEnd, CliError> {
    let mut work = work;
    let keeping = std::mem::replace(&mut work.keeping, Keeping::Nothing);
    let header = Arc::new(header(setup, &work, bounds.forks, &keeping));
    let mut options = work
        .form
        .options(setup.form(), work.verb == "do" && !setup.quiet())?;
    options.verbose = setup.verbosity();
    let report = Report::new(setup.screen(work.form.raw), options);
    let (emitter, listeners) =
        Listeners::start(setup, header.run, report, None, bounds.max_output)?;
    let identities = Identities::new(setup, work.prompt.clone());
    let pool = Arc::new(Pool::new(identities.transports(), bounds.files, true));
    let deny = Deny::new(&setup.settings, signals::listen()?);
    let ends = Ends::new(header.clone(), emitter.clone());
    let earlier = FactsOnRecord::of(setup)?;
    emitter.emit(Event::RunStarted(header.clone())).await;
    let mut kept = match keeping {
        Keeping::Nothing => None,
        Keeping::Fresh(started) => Kept::fresh(setup, header.run, &started),
        Keeping::Resumed(resumed) => Some(Kept::resumed(setup, *resumed)),
    };
    if let Some(kept) = &mut kept {
        kept.begin(&emitter).await?;
    }
    let denied = denied::at_once(&setup.settings, &work.playbook, &work.selection);
    let end = if let Some(reason) = denied {
        emitter.emit(Event::Notice(reason)).await;
        refused()
    } else {
        let parts = Shared {
            pool: &pool,
            emitter: &emitter,
            deny: &deny,
            ends: &ends,
            earlier: earlier.as_ref(),
            keep: kept.as_ref().map(Kept::keep),
        };
        run_plays(setup, work, ways.clone(), bounds, parts).await?
    };
    pool.close_all().await;
    let summary = ends.finish(&end).await;
    let run_end = RunEnd {
        finished: clock::now(),
        summary,
        stopped: end.stopped,
    };
    let notices = deny.notices().into_iter();
    let left = kept.and_then(|kept| kept.finish(&end));
    let notices = notices
        .chain(ways.notices())
        .chain(identities.settle())
        .chain(earlier.and_then(|earlier| earlier.notice()))
        .chain(left);
    for notice in notices {
        emitter.emit(Event::Notice(notice)).await;
    }
    emitter.emit(Event::RunFinished(run_end)).await;
    drop((emitter, ends));
    listeners.finish(setup)?;
    Ok(end)
}

/// The end of a run that a rule forbids.
fn refused() -> PlayEnd {
    PlayEnd {
        stats: Arc::new(PlayStats::default()),
        failed: Vec::new(),
        unreachable: Vec::new(),
        stopped: Some(Stopped::Denied),
        error: None,
        matched: true,
    }
}

/// What a run shares with those who look after it.
struct Shared<'a> {
    pool: &'a Arc<Pool>,
    emitter: &'a Emitter,
    deny: &'a Deny,
    ends: &'a Arc<Ends>,
    earlier: Option<&'a Arc<FactsOnRecord>>,
    keep: Option<Arc<Keep>>,
}

async fn run_plays(
    setup: &Setup,
    work: Work<'_>,
    ways: Arc<WaysToHosts>,
    bounds: Bounds,
    shared: Shared<'_>,
) -> Result<PlayEnd, CliError> {
    let (halt, halted) = watch::channel(Halt::No);
    let options = run_options(setup, &work, bounds);
    let mut earlier = shared.earlier.cloned();
    if work.begin.flush_cache {
        earlier = None;
        let hosts = work.fleet.inventory.host_names().cloned().collect();
        let event = PlayEvent::FactsCleared(hosts);
        shared.emitter.emit(Event::Play(event)).await;
    }
    let extra = work.fleet.extra_vars().all();
    let vault = work.fleet.vault();
    let again = work.fleet.again(setup.inventories());
    let fleet = Arc::into_inner(work.fleet)
        .ok_or_else(|| CliError::new("internal error: the fleet is in use"))?;
    let asks = (work.begin.step).then(|| Arc::new(StepByStep) as Arc<dyn run::Steps>);
    let step = match &shared.keep {
        Some(keep) => asks.map(|asks| keep.steps(asks)),
        None => asks,
    };
    let runner = Runner::new(run::Setup {
        seen: setup.seen.clone(),
        keep: shared.keep,
        hosts: Hosts::new(fleet.inventory, extra, vault, setup.redactor.clone()).reloading(again),
        ways,
        connections: shared.pool.clone(),
        library: work.modules,
        emitter: shared.emitter.clone(),
        halt: halted,
        control: shared.deny.control(),
        ask: Arc::new(AtTerminal),
        deny: shared.deny.rule(),
        earlier: earlier.map(|earlier| earlier as Arc<dyn EarlierFacts>),
        options,
    });
    let worker = match work.verb {
        "do" => shared.ends.clone().each(runner.worker()),
        _ => runner.worker(),
    };
    let parts = Parts {
        worker,
        fleet: Arc::new(OfPlays {
            runner: runner.clone(),
            chosen: work.chosen,
        }),
        loader: Arc::new(Mutex::new(work.loader)),
        emitter: shared.emitter.clone(),
        control: shared.deny.control(),
        halt,
    };
    let options = run::Options {
        forks: bounds.forks,
        check: work.mode.check,
        tags: work.selection,
        gather_facts: setup.settings.gathers_implicitly(),
        force_handlers: work.begin.force_handlers,
        start_at_task: work.begin.start_at_task,
        step,
        deadline: work.mode.deadline.filter(|time| !time.is_zero()),
        seed: work.begin.seed,
    };
    let playbook = work.playbook;
    // A timer that is always due before the others: each that were the first would wake the runtime.
    tokio::spawn(async {
        let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            second.tick().await;
        }
    });
    // On a thread of the runtime, where connections are looked after: not on the one that waits for it.
    tokio::spawn(async move { run::run(&playbook, options, parts).await })
        .await
        .map_err(|error| CliError::new(format!("internal error: {error}")))
}

fn run_options(setup: &Setup, work: &Work<'_>, bounds: Bounds) -> RunOptions {
    RunOptions {
        check: work.mode.check,
        diff: work.mode.diff,
        forks: bounds.forks,
        verbosity: i64::from(setup.verbosity()),
        limit: match &work.chosen {
            Chosen::ByPlays(limits) if !limits.limit.is_empty() => Some(limits.limit.join(":")),
            _ => None,
        },
        tags: work.selection.only.clone(),
        skip_tags: work.selection.skip.clone(),
        inventories: setup.inventories().to_vec(),
        config_file: setup.settings.files().last().cloned(),
        task_timeout: Some(work.mode.timeout.unwrap_or(TASK_TIMEOUT))
            .filter(|time| !time.is_zero()),
        max_output: usize::try_from(bounds.max_output).unwrap_or(usize::MAX),
        gathers_once: setup.settings.gathers_once(),
    }
}

/// A task's time, where nothing says otherwise.
const TASK_TIMEOUT: std::time::Duration = std::time::Duration::from_hours(1);

fn header(setup: &Setup, work: &Work<'_>, forks: usize, keeping: &Keeping) -> RunHeader {
    let (user, from) = origin();
    let mode = &work.mode;
    let tags: Vec<&String> = work
        .selection
        .only
        .iter()
        .filter(|tag| *tag != "all")
        .collect();
    let (run, resumes) = match keeping {
        Keeping::Resumed(resumed) => (resumed.run(), Some(resumed.from)),
        Keeping::Nothing | Keeping::Fresh(_) => (RunId::new(), None),
    };
    RunHeader {
        run,
        verb: work.verb.to_owned(),
        command: Some(if work.no_log {
            MASK.to_owned()
        } else {
            setup.redactor.text(&work.command).into_owned()
        }),
        pattern: work.pattern.clone(),
        user,
        account: None,
        from,
        options: json!({
            "forks": forks, "check": mode.check, "diff": mode.diff, "tags": tags, "extra_vars": work.has_extra_vars,
            "playbooks": work.playbooks, "inventories": inventories_of_record(setup),
            "skip_tags": work.selection.skip, "start_at_task": work.begin.start_at_task,
            "become": work.connection.r#become, "expect_no_change": mode.expect_no_change,
            "resumes": resumes,
        }),
        started: clock::now(),
        no_log: work.no_log,
        hosts: work.hosts.clone(),
    }
}
