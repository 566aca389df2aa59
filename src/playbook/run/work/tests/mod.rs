//! The worker over the controller's own shell: a play from text, its tasks one after the other.

mod controller;
mod precedence;
mod prompts;
mod shapes;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::base::seen::Seen;
use crate::base::value::Value;
use crate::engine::{Control, Halt};
use crate::event::capture::CaptureLimits;
use crate::event::{Consumer, Emitter, Event, HostError, PlayEvent, Redactor, Stamped, TaskStatus};
use crate::inventory::Loader as InventoryLoader;
use crate::module::Library;
use crate::playbook::run::{Batch, Done, Turn};
use crate::playbook::{Loader, Options, Play, Step, Task};
use crate::target::ssh_config::{Local, SshConfig};
use crate::target::{Defaults, Flags, Resolver, Target, Variables};
use crate::transport::{Pool, Transports, local};

/// Everything on the controller.
struct Here(Resolver);

impl Ways for Here {
    fn resolve(&self, host: &Arc<str>, vars: &dyn Variables) -> Result<Arc<Target>, HostError> {
        self.0.resolve(host, vars)
    }
}

fn ways() -> Arc<dyn Ways> {
    let local = Arc::new(Local::of_process());
    let config = SshConfig::load_file(local, Path::new("/dev/null")).unwrap();
    let flags = Flags {
        connection: Some("local".into()),
        ..Flags::default()
    };
    let defaults = Defaults {
        flags: Flags::default(),
        ssh_args: None,
        connect_timeout: std::time::Duration::from_secs(5),
        certificates: None,
    };
    Arc::new(Here(Resolver::new(flags, defaults, config)))
}

#[derive(Clone, Default)]
struct Heard(Arc<std::sync::Mutex<Vec<PlayEvent>>>);

impl Consumer for Heard {
    fn consume(&mut self, event: &Stamped) -> std::io::Result<()> {
        if let Event::Play(event) = &event.event {
            self.0.lock().unwrap().push(event.clone());
        }
        Ok(())
    }
}

/// A folder with a playbook and an inventory, and what is known of the run.
struct Bench {
    folder: tempfile::TempDir,
    inventory: String,
    extra: ExtraVars,
    options: RunOptions,
    ask: Arc<dyn Ask>,
    earlier: Option<Arc<dyn EarlierFacts>>,
}

/// What a run came to: of each task its result on each host that did it.
struct Ran {
    results: Vec<(String, Arc<str>, TaskStatus, Json)>,
    done: Vec<Done>,
    runner: Arc<Runner>,
    heard: Vec<PlayEvent>,
}

impl Ran {
    /// The result of the last task.
    fn last(&self) -> &Json {
        &self.results.last().unwrap().3
    }

    fn of(&self, title: &str) -> &Json {
        &self.results.iter().find(|each| each.0 == title).unwrap().3
    }

    fn status_of(&self, title: &str) -> TaskStatus {
        self.results.iter().find(|each| each.0 == title).unwrap().2
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            inventory: "all: {hosts: {one: {}}}\n".into(),
            extra: ExtraVars::new(),
            options: RunOptions::default(),
            ask: Arc::new(NobodyToAsk),
            earlier: None,
        }
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// The tasks of one play without facts, done in order on every host.
    async fn tasks(&self, tasks: &str) -> Ran {
        self.play(&format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"
        ))
        .await
    }

    async fn play(&self, playbook: &str) -> Ran {
        self.file("site.yml", playbook)
            .file("hosts.yml", &self.inventory);
        let path = |name: &str| self.folder.path().join(name);
        let mut inventory = InventoryLoader::new(None);
        inventory.add(path("hosts.yml").to_str().unwrap()).unwrap();
        let inventory = inventory.finish();
        let names: Arc<[Arc<str>]> = inventory.host_names().cloned().collect();
        let options = Options {
            modules: Arc::new(Library::default()),
            ..Options::default()
        };
        let playbook = Loader::new(options).load(&path("site.yml"));
        let playbook = playbook.map_err(|refused| format!("{refused:?}")).unwrap();
        let redactor = Arc::new(Redactor::default());
        let heard = Heard::default();
        let limits = CaptureLimits {
            inline: 1 << 16,
            max: 1 << 20,
            folder: path("journal"),
        };
        let (emitter, thread) =
            Emitter::start(redactor.clone(), limits, vec![Box::new(heard.clone())]).unwrap();
        let (halt, control): (_, Control) = tokio::sync::watch::channel(Halt::No);
        let transports = Transports {
            ssh: Arc::new(local::Local),
            winrm: Arc::new(local::Local),
            local: Arc::new(local::Local),
        };
        let runner = Runner::new(Setup {
            earlier: self.earlier.clone(),
            hosts: Hosts::new(
                inventory,
                self.extra.clone(),
                Arc::new(|_: &str| Err("no vault".into())),
                redactor,
            ),
            seen: Seen::default(),
            ways: ways(),
            connections: Arc::new(Pool::new(transports, 10, true)),
            library: Arc::new(Library::default()),
            emitter,
            halt: control.clone(),
            control,
            ask: self.ask.clone(),
            keep: None,
            deny: Arc::new(|_| None),
            options: self.options.clone(),
        });
        let worker = runner.worker();
        let mut ran = Ran {
            results: Vec::new(),
            done: Vec::new(),
            runner: runner.clone(),
            heard: Vec::new(),
        };
        for (number, play) in (0..).zip(&playbook.plays) {
            let batch = Batch::new(play.clone(), number, names.clone(), names.clone());
            let batch = Arc::new(batch);
            worker.begin_play(&batch).await.unwrap();
            for task in tasks_of(play) {
                for host in names.iter() {
                    let turn = Turn {
                        batch: batch.clone(),
                        hosts: Arc::from([host.clone()]),
                        task: task.clone(),
                        number: 0,
                        scope: None,
                        handler: false,
                    };
                    let done = worker.perform(&turn).await;
                    let result = Json::Object((*done.result).clone());
                    ran.results
                        .push((task.title(), host.clone(), done.status, result));
                    ran.done.push(done);
                }
            }
        }
        ran.runner.emitter.seen().await;
        drop((worker, halt, thread));
        ran.heard = heard.0.lock().unwrap().clone();
        ran
    }
}

fn tasks_of(play: &Play) -> Vec<Arc<Task>> {
    fn walk(steps: &[Step], into: &mut Vec<Arc<Task>>) {
        for step in steps {
            match step {
                Step::Task(task) => into.push(task.clone()),
                Step::Block(block) => walk(&block.block, into),
                Step::Role(_, steps) => walk(steps, into),
            }
        }
    }
    let mut tasks = Vec::new();
    play.sections
        .iter()
        .for_each(|(_, steps)| walk(steps, &mut tasks));
    tasks
}

/// A result without what differs from run to run.
fn steady(result: &Json) -> Json {
    match result {
        Json::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "start" | "end" | "delta"))
            .map(|(key, value)| (key.clone(), steady(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(items) => items.iter().map(steady).collect(),
        other => other.clone(),
    }
}
