//! One batch of hosts on its way through a play: what both strategies do alike. A single loop owns all
//! of it; what is done on hosts are tasks of the runtime that report to it.

mod failing;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::cursor::{Cursor, End, Group, Leaf};
use super::error::RunError;
use super::handlers::{Entry, Handlers};
use super::meta::stays;
use super::play::Run;
use super::program::GATHER_FACTS;
use super::show;
use super::worker::{Batch, Done, Include, Meta, Scene, Scope, Turn};
use crate::base::value::Value;
use crate::engine::Halt;
use crate::event::{Event, PlayEvent, Stopped, TaskInfo, TaskStatus};
use crate::playbook::{Keyword, Task, as_bool};

/// A host of the batch.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: Arc<str>,
    pub(super) cursor: Cursor,
    /// Lost on the way; its place is kept, since `clear_host_errors` brings it back.
    pub(super) unreachable: bool,
    /// Failed by what others did, not by itself.
    stopped: bool,
    /// Notifications since the last flush: which handlers they mean is decided there.
    notifications: Vec<Arc<str>>,
}

impl Host {
    /// What it is to do, if it takes part.
    pub(super) fn leaf(&self) -> Option<Leaf> {
        self.cursor.leaf().filter(|_| !self.unreachable)
    }

    /// Whether it takes part.
    pub(super) fn takes_part(&self) -> bool {
        !self.unreachable && self.cursor.end().is_none()
    }
}

/// What is left to decide when a task is done on a host.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    pub(super) includes: Vec<Include>,
    pub(super) meta: Option<Meta>,
    /// Failed or lost, not ignored.
    pub(super) bad: bool,
    /// The host still stands at the task, and goes on from it.
    pub(super) goes_on: bool,
}

/// A task about to be done.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) task: Arc<Task>,
    pub(super) handler: bool,
    pub(super) scope: Option<Arc<Scope>>,
}

/// A batch under way.
pub(super) struct Going<'a> {
    pub(super) run: &'a mut Run,
    pub(super) batch: Arc<Batch>,
    pub(super) hosts: Vec<Host>,
    pub(super) handlers: Handlers,
    /// What is at work, with its hosts' place in the batch.
    pub(super) at_work: JoinSet<(usize, Arc<Turn>, Done)>,
    working: HashMap<tokio::task::Id, (usize, Arc<Turn>)>,
    /// The last include's number.
    pub(super) included: u32,
    /// `end_play`.
    pub(super) play_ended: bool,
}

impl<'a> Going<'a> {
    pub(super) fn new(run: &'a mut Run, batch: Arc<Batch>, start: &Cursor) -> Self {
        let mut handlers = Handlers::default();
        for handler in &batch.play.handlers {
            handlers.add(handler, None);
        }
        let host = |name: &Arc<str>| {
            let mut cursor = start.clone();
            if run.is_lost(name) {
                cursor.stop();
            }
            Host {
                name: name.clone(),
                cursor,
                unreachable: false,
                stopped: false,
                notifications: Vec::new(),
            }
        };
        let hosts = batch.hosts.iter().map(host).collect();
        let mut going = Self {
            run,
            hosts,
            handlers,
            batch,
            at_work: JoinSet::new(),
            working: HashMap::new(),
            included: 0,
            play_ended: false,
        };
        going.count_the_left();
        going
    }

    /// What a host at this leaf does.
    pub(super) fn next_of(&self, host: usize) -> Option<Next> {
        let host = self.hosts.get(host)?;
        match host.leaf()? {
            Leaf::Task { task, handler } => Some(Next {
                task,
                handler,
                scope: host.cursor.scope().cloned(),
            }),
            Leaf::Handler(place) => self.handlers.get(place).map(|entry| Next {
                task: entry.handler.task.clone(),
                handler: true,
                scope: entry.scope.clone(),
            }),
            Leaf::Flush => None,
        }
    }

    /// For whom the texts of a task are rendered.
    pub(super) fn scene<'s>(&'s self, next: &'s Next, host: usize) -> Scene<'s> {
        Scene {
            batch: &self.batch,
            host: self.hosts.get(host).map(|host| &host.name),
            task: Some(&next.task),
            scope: next.scope.as_ref(),
        }
    }

    /// A keyword's value, rendered; nothing where it is not set.
    pub(super) fn keyword(
        &self,
        keyword: Keyword,
        next: &Next,
        host: usize,
    ) -> Result<Option<Value>, RunError> {
        self.run
            .keyword(keyword, &next.task.keywords, &self.scene(next, host))
    }

    /// A keyword that says yes or no.
    pub(super) fn flag(
        &self,
        keyword: Keyword,
        next: &Next,
        host: usize,
    ) -> Result<bool, RunError> {
        let value = self.keyword(keyword, next, host)?;
        Ok(value.as_ref().and_then(as_bool).unwrap_or(false))
    }

    /// How many hosts may do a task at a time.
    pub(super) fn width(&self, next: &Next, host: usize) -> Result<usize, RunError> {
        let forks = self.run.options.forks.max(1);
        let throttle = match self.keyword(Keyword::Throttle, next, host)? {
            Some(Value::Int(number)) => usize::try_from(number).unwrap_or(0),
            Some(value) => value
                .as_str()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            None => 0,
        };
        Ok(if throttle == 0 {
            forks
        } else {
            forks.min(throttle)
        })
    }

    /// Says that a task begins; its number.
    pub(super) async fn announce(&mut self, next: &Next, host: usize) -> Result<u32, RunError> {
        let scene = self.scene(next, host);
        let check = match self
            .run
            .keyword(Keyword::CheckMode, &next.task.keywords, &scene)?
        {
            Some(value) => as_bool(&value).unwrap_or(false),
            None => self.run.options.check,
        };
        let name = show::task(&next.task, |written| self.run.text(written, &scene));
        let info = TaskInfo {
            task: self.run.number(),
            play: self.batch.number,
            name,
            action: next.task.action.written.to_string(),
            path: next.task.place().to_string(),
            handler: next.handler,
            check,
        };
        let number = info.task;
        self.say(PlayEvent::TaskStarted(Arc::new(info))).await;
        Ok(number)
    }

    pub(super) async fn say(&self, event: PlayEvent) {
        self.run.emitter.emit(Event::Play(event)).await;
    }

    /// Lets a task begin on a host; `others` share its result.
    pub(super) fn begin(&mut self, host: usize, others: &[usize], next: &Next, number: u32) {
        let Some(first) = self.hosts.get_mut(host) else {
            return;
        };
        first.cursor.take();
        let name = first.name.clone();
        let others = others.iter().filter_map(|other| self.hosts.get(*other));
        let turn = Arc::new(Turn {
            batch: self.batch.clone(),
            hosts: std::iter::once(name)
                .chain(others.map(|other| other.name.clone()))
                .collect(),
            task: next.task.clone(),
            number,
            scope: next.scope.clone(),
            handler: next.handler,
        });
        let worker = self.run.worker.clone();
        let emitter = self.run.emitter.clone();
        let given = turn.clone();
        let work = async move {
            let gathers = &*given.task.action.module == GATHER_FACTS;
            let done = if gathers && !worker.wants_facts(&given) {
                show::no_facts(&emitter, &given).await
            } else {
                worker.perform(&given).await
            };
            (host, given, done)
        };
        let id = self.at_work.spawn(work.in_current_span()).id();
        self.working.insert(id, (host, turn));
    }

    /// The next task that is done; nothing where none is at work, or where they were let go.
    pub(super) async fn ended(&mut self) -> Option<(usize, Arc<Turn>, Done)> {
        loop {
            if self.at_work.is_empty() {
                return None;
            }
            let time_is_up = self.run.time_is_up();
            tokio::select! {
                // A task that stops the run says so before it ends: that is heard first.
                biased;
                halt = self.run.hear() => if let Halt::Quit(_) = halt {
                    self.at_work.abort_all();
                    while self.at_work.join_next().await.is_some() {}
                    self.working.clear();
                    return None;
                },
                Some(ended) = self.at_work.join_next_with_id() => match ended {
                    Ok((id, ended)) => {
                        self.working.remove(&id);
                        return Some(ended);
                    }
                    Err(error) => {
                        if let Some((host, turn)) = self.working.remove(&error.id()) {
                            tracing::error!(%error, "a task's work ended unexpectedly");
                            let done = show::broken(&self.run.emitter, &turn).await;
                            return Some((host, turn, done));
                        }
                    }
                },
                () = time_is_up => self.run.stop(Halt::Stop(Stopped::Deadline)),
            }
        }
    }

    /// Takes in what came of a task on its first host: counts, notifications, failure. Where all is
    /// well the host stays where it is: what others did may still fail it there.
    pub(super) fn take_in(
        &mut self,
        at: usize,
        turn: &Turn,
        done: Done,
    ) -> Result<Aftermath, RunError> {
        for notification in &done.notify {
            self.notify(at, turn, notification)?;
        }
        let Some(host) = self.hosts.get_mut(at) else {
            return Ok(Aftermath::default());
        };
        let is_meta = &*turn.task.action.module == "meta";
        let failed = done.status == TaskStatus::Failed && !done.ignored;
        let lost = done.status == TaskStatus::Unreachable && !done.ignored;
        let rescued = failed && host.cursor.rescues();
        if done.includes.is_empty() && (!is_meta || failed) {
            self.run.stats.count(&host.name, &done, rescued);
        }
        if rescued {
            self.run.worker.rescued(turn, &done);
        }
        if let (Some(used), false, false) = (
            &turn.task.role,
            done.status == TaskStatus::Skipped || lost,
            is_meta,
        ) {
            host.cursor.role_begun(used.role.id);
        }
        if failed {
            host.stopped = false;
            self.fail(at);
        } else if lost {
            self.lose(at);
        }
        Ok(Aftermath {
            bad: failed || lost,
            goes_on: !failed && !lost && done.includes.is_empty() && !stays(done.meta),
            includes: done.includes,
            meta: done.meta,
        })
    }

    /// A task is not done on a host: a handler is no longer notified there.
    pub(super) fn pass_over(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.take();
        }
    }

    /// A host goes on to what is next.
    pub(super) fn go_on(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.advance();
            self.moved(at);
        }
    }

    /// Notes a notification; that it means nothing ends the run.
    fn notify(&mut self, at: usize, turn: &Turn, notification: &str) -> Result<(), RunError> {
        let found = self.find_handlers(notification);
        if found.is_empty() {
            return Err(RunError::no_handler(&turn.task, notification));
        }
        let Some(host) = self.hosts.get_mut(at) else {
            return Ok(());
        };
        if turn.handler {
            for handler in found.iter() {
                host.cursor.notify(*handler);
            }
        } else if !host
            .notifications
            .iter()
            .any(|known| **known == *notification)
        {
            host.notifications.push(notification.into());
        }
        Ok(())
    }

    fn find_handlers(&mut self, notification: &str) -> Arc<[u32]> {
        let (run, batch) = (&*self.run, &self.batch);
        self.handlers.find(notification, |entry: &Entry| {
            let scene = Scene {
                batch,
                host: None,
                task: Some(&entry.handler.task),
                scope: entry.scope.as_ref(),
            };
            run.text(entry.handler.task.name()?, &scene).ok()
        })
    }

    /// Notified handlers run on a host now.
    pub(super) fn flush(&mut self, at: usize) {
        let Some(host) = self.hosts.get_mut(at) else {
            return;
        };
        for notification in std::mem::take(&mut host.notifications) {
            let found = self.find_handlers(&notification);
            if let Some(host) = self.hosts.get_mut(at) {
                for handler in found.iter() {
                    host.cursor.notify(*handler);
                }
            }
        }
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.flush();
            self.moved(at);
        }
    }

    /// Who is left, for the variables that say so.
    pub(super) fn count_the_left(&mut self) {
        let ended: HashMap<&str, bool> = self
            .hosts
            .iter()
            .map(|host| {
                let gone = matches!(host.cursor.end(), Some(End::Failed | End::Told));
                (&*host.name, gone)
            })
            .collect();
        let run = &*self.run;
        self.batch
            .keep(|host| !run.is_lost(host) && !ended.get(host).is_some_and(|gone| *gone));
    }

    /// What was included goes on at its task.
    pub(super) fn go_into(&mut self, at: usize, groups: Vec<Arc<Group>>) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.include(groups);
            self.moved(at);
        }
    }
}
