//! A run over the plays of a playbook: their hosts, their batches, and what ends the run.

use std::collections::HashSet;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::batch::Going;
use super::batches::{batches, order, sizes};
use super::cursor::Cursor;
use super::error::RunError;
use super::program::{self, Nodes};
use super::start;
use super::stats::Stats;
use super::texts::joined;
use super::worker::{Batch, Scene, Worker};
use super::{free, linear};
use crate::base::value::Value;
use crate::engine::{Control, Halt};
use crate::event::{Emitter, Event, PlayEvent, PlayInfo, PlayStats, Stopped};
use crate::playbook::{Keyword, Loader, Play, Playbook, TagSelection, Task, Written, as_bool};

/// What was asked for on the command line and in settings.
#[derive(Clone)]
pub struct Options {
    /// Hosts at work at a time.
    pub forks: usize,
    /// `--check`
    pub check: bool,
    /// `--tags`, `--skip-tags`
    pub tags: TagSelection,
    /// Whether plays that say nothing of it gather facts.
    pub gather_facts: bool,
    /// `--force-handlers`
    pub force_handlers: bool,
    /// `--start-at-task`
    pub start_at_task: Option<String>,
    /// `--step`: asks before each task.
    pub step: Option<Arc<dyn Steps>>,
    /// `--deadline`
    pub deadline: Option<Duration>,
    /// What `order: shuffle` shuffles by.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            forks: 5,
            check: false,
            tags: TagSelection::default(),
            gather_facts: true,
            force_handlers: false,
            start_at_task: None,
            step: None,
            deadline: None,
            seed: 0,
        }
    }
}

/// Asks whether a task is to be done.
pub trait Steps: Send + Sync {
    /// Asks; waits for the answer, or until `stopped` says that nobody wants it any more.
    fn perform(&self, task: &str, stopped: &dyn Fn() -> bool) -> Answer;
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Pass it over.
    No,
    /// Do it.
    Yes,
    /// Do it and all that follow.
    Continue,
    /// End the run.
    Stop,
}

/// Knows the hosts of the run. They may become more while it lasts.
pub trait Fleet: Send + Sync {
    /// The hosts that a play's patterns mean, within what `--limit` leaves, as the inventory has them.
    fn hosts(&self, patterns: &[String]) -> Result<Vec<Arc<str>>, String>;
}

/// Whoever takes part in a run.
pub struct Parts {
    /// Does the tasks.
    pub worker: Arc<dyn Worker>,
    /// Knows the hosts.
    pub fleet: Arc<dyn Fleet>,
    /// Loads what is included.
    pub loader: Arc<Mutex<Loader>>,
    /// Hears of all that happens.
    pub emitter: Emitter,
    /// Says when to stop.
    pub control: Control,
    /// Told of it, and of a deadline: the worker listens here.
    pub halt: watch::Sender<Halt>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct PlayEnd {
    /// What was counted.
    pub stats: Arc<PlayStats>,
    /// The hosts that failed, in the order of names.
    pub failed: Vec<Arc<str>>,
    /// Those that could not be reached.
    pub unreachable: Vec<Arc<str>>,
    /// What stopped it early.
    pub stopped: Option<Stopped>,
    /// What was wrong with the playbook.
    pub error: Option<RunError>,
    /// Whether any play had a host.
    pub matched: bool,
}

impl PlayEnd {
    /// The contract's exit status, but for what flags ask beyond.
    pub fn exit(&self) -> u8 {
        match (
            self.stopped,
            self.failed.is_empty(),
            self.unreachable.is_empty(),
        ) {
            (Some(Stopped::Interrupted), ..) => 130,
            (Some(Stopped::Terminated), ..) => 143,
            _ if self.error.is_some() => 1,
            (Some(Stopped::Denied), ..) => 9,
            (Some(Stopped::Deadline), ..) => 7,
            (Some(Stopped::Gate), ..) => 8,
            (None, false, false) => 6,
            (None, false, true) => 2,
            (None, true, false) => 4,
            (None, true, true) if !self.matched => 5,
            (None, true, true) => 0,
        }
    }
}

/// Runs a playbook to its end. Emits everything but what the worker says, `Stats` last.
pub async fn run(playbook: &Playbook, options: Options, parts: Parts) -> PlayEnd {
    let mut run = Run::new(options, parts);
    let error = run.plays(playbook).await.err();
    run.worker.end().await;
    let stats = Arc::new(PlayStats {
        hosts: run.stats.sorted(),
        custom: run.worker.custom_stats(),
    });
    run.emitter
        .emit(Event::Play(PlayEvent::Stats(stats.clone())))
        .await;
    let sorted = |hosts: HashSet<Arc<str>>| {
        let mut hosts: Vec<Arc<str>> = hosts.into_iter().collect();
        hosts.sort();
        hosts
    };
    PlayEnd {
        stats,
        failed: sorted(run.failed),
        unreachable: sorted(run.unreachable),
        stopped: run.stopped.or(run.gate_closed.then_some(Stopped::Gate)),
        error,
        matched: run.matched,
    }
}

/// A run's state, above that of a batch.
pub(super) struct Run {
    pub(super) worker: Arc<dyn Worker>,
    fleet: Arc<dyn Fleet>,
    pub(super) loader: Arc<Mutex<Loader>>,
    pub(super) emitter: Emitter,
    pub(super) options: Options,
    control: Control,
    listening: bool,
    halt: watch::Sender<Halt>,
    deadline: Option<Instant>,
    pub(super) stats: Stats,
    pub(super) failed: HashSet<Arc<str>>,
    pub(super) unreachable: HashSet<Arc<str>>,
    pub(super) stopped: Option<Stopped>,
    /// Failures of some hosts ended the play for others.
    pub(super) gate_closed: bool,
    /// A failure that is to end the run was not rescued.
    pub(super) failures_end_it: bool,
    /// More of a batch have failed than may.
    pub(super) over_the_share: bool,
    matched: bool,
    tasks: u32,
}

impl Run {
    fn new(options: Options, parts: Parts) -> Self {
        Self {
            deadline: options.deadline.map(|after| Instant::now() + after),
            worker: parts.worker,
            fleet: parts.fleet,
            loader: parts.loader,
            emitter: parts.emitter,
            options,
            control: parts.control,
            listening: true,
            halt: parts.halt,
            stats: Stats::default(),
            failed: HashSet::new(),
            unreachable: HashSet::new(),
            stopped: None,
            gate_closed: false,
            failures_end_it: false,
            over_the_share: false,
            matched: false,
            tasks: 0,
        }
    }

    async fn plays(&mut self, playbook: &Playbook) -> Result<(), RunError> {
        if let Some(name) = &self.options.start_at_task
            && !playbook.plays.iter().any(|play| start::is_in(play, name))
        {
            return Err(RunError::NoStart(name.clone()));
        }
        for (number, play) in playbook.plays.iter().enumerate() {
            if self.is_stopped()
                || self
                    .play(play, u32::try_from(number).unwrap_or(u32::MAX))
                    .await?
            {
                break;
            }
        }
        Ok(())
    }

    /// Runs a play; whether the run ends with it.
    async fn play(&mut self, play: &Arc<Play>, number: u32) -> Result<bool, RunError> {
        let nobody: Arc<[Arc<str>]> = Arc::new([]);
        let base = Arc::new(Batch::new(
            play.clone(),
            number,
            nobody.clone(),
            nobody.clone(),
        ));
        let worker = self.worker.clone();
        let begun = self.asked(worker.begin_play(&base)).await;
        // A question that nobody answers any more is no error of the play's.
        if self.is_stopped() {
            return Ok(true);
        }
        begun.map_err(RunError::Other)?;
        let scene = Scene {
            batch: &base,
            host: None,
            task: None,
            scope: None,
        };
        let all = self.hosts_of(play, &scene)?;
        let info = self.info(play, &scene)?;
        if all.is_empty() {
            self.say_started(&info, &nobody).await;
            let event = PlayEvent::NoHostsMatched(number);
            self.emitter.emit(Event::Play(event)).await;
            return Ok(false);
        }
        self.matched = true;
        let serial = self.keyword(Keyword::Serial, &play.keywords, &scene)?;
        let sizes = sizes(serial.as_ref()).map_err(|why| wrong(play, Keyword::Serial, why))?;
        let ordered = self.ordered(play, &scene, &all)?;
        let nodes = self.program(play, &scene)?;
        let start = self.start(play, nodes);
        let ranges = batches(all.len(), &sizes);
        let last = ranges.len();
        for (done, range) in ranges.into_iter().enumerate() {
            let hosts: Arc<[Arc<str>]> = ordered.get(range).unwrap_or_default().into();
            self.say_started(&info, &hosts).await;
            let before = self.lost();
            let batch = Arc::new(Batch::new(play.clone(), number, all.clone(), hosts.clone()));
            let ended = self.batch(batch, &start, &info.strategy).await?;
            if self.is_stopped() || self.gate_closed || self.failures_end_it {
                return Ok(true);
            }
            // Nobody is left who could show that it is well: the rest is spared.
            if self.lost().saturating_sub(before) == hosts.len() {
                self.gate_closed |= self.over_the_share && done + 1 < last;
                return Ok(true);
            }
            if ended {
                break;
            }
        }
        Ok(false)
    }

    /// Takes a batch through its play; whether `end_play` was said.
    async fn batch(
        &mut self,
        batch: Arc<Batch>,
        start: &Cursor,
        strategy: &str,
    ) -> Result<bool, RunError> {
        let play = batch.play.clone();
        self.over_the_share = false;
        let mut going = Going::new(self, batch, start);
        match strategy {
            "linear" => linear::go(&mut going).await?,
            "free" => free::go(&mut going, false).await?,
            "host_pinned" => free::go(&mut going, true).await?,
            other => {
                let why =
                    format!("there is no strategy `{other}`: write linear, free or host_pinned");
                return Err(wrong(&play, Keyword::Strategy, why));
            }
        }
        Ok(going.play_ended)
    }

    fn hosts_of(&self, play: &Play, scene: &Scene<'_>) -> Result<Arc<[Arc<str>]>, RunError> {
        let patterns = match self.keyword(Keyword::Hosts, &play.keywords, scene)? {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(value) => value.as_str().map(str::to_owned).into_iter().collect(),
            None => Vec::new(),
        };
        let hosts = self
            .fleet
            .hosts(&patterns)
            .map_err(|why| wrong(play, Keyword::Hosts, why))?;
        Ok(hosts.into())
    }

    /// The hosts in the order that the play takes them in.
    fn ordered(
        &self,
        play: &Play,
        scene: &Scene<'_>,
        hosts: &[Arc<str>],
    ) -> Result<Vec<Arc<str>>, RunError> {
        let mut hosts = hosts.to_vec();
        let wanted = self.keyword(Keyword::Order, &play.keywords, scene)?;
        let seed = self.options.seed.wrapping_add(scene.batch.number.into());
        order(&mut hosts, wanted.as_ref().and_then(Value::as_str), seed)
            .map_err(|why| wrong(play, Keyword::Order, why))?;
        Ok(hosts)
    }

    fn info(&self, play: &Play, scene: &Scene<'_>) -> Result<PlayInfo, RunError> {
        let text = |keyword| {
            let value = self.keyword(keyword, &play.keywords, scene);
            value.map(|value| value.map(|value| joined(&value)))
        };
        let name = match text(Keyword::Name) {
            Ok(Some(name)) if !name.is_empty() => name,
            // Shown as written where it can't be rendered.
            Err(_) => {
                let name = play.keywords.get(Keyword::Name).and_then(Written::text);
                name.unwrap_or_default().to_owned()
            }
            Ok(_) => text(Keyword::Hosts)?.unwrap_or_default(),
        };
        Ok(PlayInfo {
            play: scene.batch.number,
            name,
            path: play.written.place().to_string(),
            strategy: text(Keyword::Strategy)?.map_or_else(
                || "linear".to_owned(),
                |name| name.trim_start_matches("ansible.builtin.").to_owned(),
            ),
            hosts: Vec::new(),
        })
    }

    async fn say_started(&self, info: &PlayInfo, hosts: &[Arc<str>]) {
        let info = PlayInfo {
            hosts: hosts.to_vec(),
            ..info.clone()
        };
        self.emitter
            .emit(Event::Play(PlayEvent::PlayStarted(Arc::new(info))))
            .await;
    }

    fn program(&self, play: &Play, scene: &Scene<'_>) -> Result<Nodes, RunError> {
        let flag = |keyword, otherwise| {
            let value = self.keyword(keyword, &play.keywords, scene);
            value.map(|value| value.as_ref().and_then(as_bool).unwrap_or(otherwise))
        };
        let facts = flag(Keyword::GatherFacts, self.options.gather_facts)?;
        let force = flag(Keyword::ForceHandlers, self.options.force_handlers)?;
        let keep = |task: &Arc<Task>| self.chooses(scene.batch, task);
        Ok(program::of_play(play, facts, force, &keep))
    }

    /// Where hosts begin: with `--start-at-task` nothing is done before that task but facts.
    fn start(&mut self, play: &Play, nodes: Nodes) -> Cursor {
        let Some(name) = &self.options.start_at_task else {
            return Cursor::new(nodes);
        };
        if start::is_in(play, name) {
            let start = start::at(nodes, name);
            self.options.start_at_task = None;
            start
        } else {
            Cursor::new(Arc::new([]))
        }
    }

    /// The next task's number.
    pub(super) fn number(&mut self) -> u32 {
        self.tasks += 1;
        self.tasks - 1
    }

    /// Failed or unreachable in this run.
    pub(super) fn is_lost(&self, host: &str) -> bool {
        self.failed.contains(host) || self.unreachable.contains(host)
    }

    fn lost(&self) -> usize {
        self.failed.union(&self.unreachable).count()
    }

    /// Whether nothing more is to begin.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Waits for somebody to say stop; it is taken up.
    pub(super) async fn hear(&mut self) -> Halt {
        loop {
            if !self.listening {
                pending::<()>().await;
            }
            self.listening = self.control.changed().await.is_ok();
            let halt = *self.control.borrow_and_update();
            if halt != Halt::No {
                self.stop(halt);
                return halt;
            }
        }
    }

    /// Waits for what may ask the user: told of it, it ends where the run is to stop meanwhile.
    pub(super) async fn asked<T>(&mut self, asking: impl Future<Output = T>) -> T {
        let mut asking = pin!(asking);
        loop {
            let time_is_up = self.time_is_up();
            tokio::select! {
                biased;
                _ = self.hear() => {}
                () = time_is_up => self.stop(Halt::Stop(Stopped::Deadline)),
                answer = &mut asking => return answer,
            }
        }
    }

    /// Waits for the deadline of a run that is not stopped yet.
    pub(super) fn time_is_up(&self) -> impl Future<Output = ()> + use<> {
        let deadline = self.deadline.filter(|_| self.stopped.is_none());
        async move {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        }
    }

    /// Tells a question whether it still matters.
    pub(super) fn stopping(&self) -> impl Fn() -> bool + Send + use<> {
        let halt = self.halt.subscribe();
        move || *halt.borrow() != Halt::No
    }

    /// Nothing more begins.
    pub(super) fn stop(&mut self, halt: Halt) {
        if let Halt::Stop(why) | Halt::Quit(why) = halt {
            // Whoever interrupts a run that is already stopping wins: it is the user.
            self.stopped = Some(why);
            self.halt.send_replace(halt);
        }
    }
}

fn wrong(play: &Play, keyword: Keyword, why: String) -> RunError {
    RunError::at(play.keywords.get(keyword).unwrap_or(&play.written), why)
}
