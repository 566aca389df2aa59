//! Whole plays with a worker that does nothing: what it is to give back stands in the tasks' own
//! variables, what was asked of it is read off the events.

mod blocks;
mod endings;
mod free;
mod gates;
mod handlers;
mod includes;
mod order;
mod roles;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::watch;

use super::worker::{Done, Include, Meta, Scene, Turn, Worker};
use super::{Fleet, Options, Parts, PlayEnd, run};
use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::engine::Halt;
use crate::event::capture::CaptureLimits;
use crate::event::{
    Consumer, Emitter, Event, PlayEvent, Redactor, Stamped, TaskResult, TaskStatus,
};
use crate::playbook::tests::Folder;
use crate::playbook::{Keyword, Task, Written};

/// A run to be.
pub(super) struct Trial {
    folder: Folder,
    hosts: Vec<Arc<str>>,
    pub(super) options: Options,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) end: PlayEnd,
    /// What was said, a line each: `PLAY name [hosts]`, `task: host host(failed)`, ...
    pub(super) story: String,
    /// What the worker was told beside tasks.
    pub(super) told: Vec<String>,
}

impl Trial {
    /// Of these files, `site.yml` among them, on hosts with these names.
    pub(super) fn of(hosts: &str, files: &[(&str, &str)]) -> Self {
        Self {
            folder: Folder::new(files),
            hosts: hosts.split(' ').map(Arc::from).collect(),
            options: Options {
                gather_facts: false,
                ..Options::default()
            },
        }
    }

    /// Of one playbook.
    pub(super) fn play(hosts: &str, site: &str) -> Self {
        Self::of(hosts, &[("site.yml", site)])
    }

    pub(super) fn run(self) -> Outcome {
        let folder = self.folder.path().display().to_string();
        let mut loader = self.folder.loader();
        let site = self.folder.path().join("site.yml");
        let playbook = loader
            .load(&site)
            .unwrap_or_else(|refused| panic!("{refused}"));
        let story = Story::default();
        let capture = CaptureLimits {
            inline: 1,
            max: 1,
            folder: self.folder.path().to_owned(),
        };
        let consumers: Vec<Box<dyn Consumer>> = vec![Box::new(story.clone())];
        let (emitter, thread) =
            Emitter::start(Arc::new(Redactor::default()), capture, consumers).unwrap();
        let worker = Arc::new(Fake {
            emitter: emitter.clone(),
            told: Mutex::default(),
        });
        let (_says, control) = watch::channel(Halt::No);
        let parts = Parts {
            worker: worker.clone(),
            fleet: Arc::new(Hosts(self.hosts)),
            loader: Arc::new(Mutex::new(loader)),
            emitter,
            control,
            halt: watch::channel(Halt::No).0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let end = runtime.block_on(run(&playbook, self.options, parts));
        let told = std::mem::take(&mut *worker.told.lock().unwrap());
        drop(worker);
        thread.join().unwrap();
        let lines = story.0.lock().unwrap().lines();
        Outcome {
            end,
            story: lines.join("\n").replace(&format!("{folder}/"), ""),
            told,
        }
    }
}

impl Outcome {
    /// The recap's line of a host: what is not zero.
    pub(super) fn recap(&self, host: &str) -> String {
        let Some((_, counts)) = self
            .end
            .stats
            .hosts
            .iter()
            .find(|(name, _)| &**name == host)
        else {
            return String::new();
        };
        [
            ("ok", counts.ok),
            ("changed", counts.changed),
            ("unreachable", counts.unreachable),
            ("failed", counts.failed),
            ("skipped", counts.skipped),
            ("rescued", counts.rescued),
            ("ignored", counts.ignored),
        ]
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}={count}"))
        .collect::<Vec<_>>()
        .join(" ")
    }

    /// Holds what was said against lines, their indentation apart.
    #[track_caller]
    pub(super) fn tells(&self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).collect();
        assert_eq!(self.story, expected.join("\n").trim());
    }
}

/// The hosts of the inventory: `all`, or names with commas between.
struct Hosts(Vec<Arc<str>>);

impl Fleet for Hosts {
    fn hosts(&self, patterns: &[String]) -> Result<Vec<Arc<str>>, String> {
        let wanted: Vec<&str> = patterns.iter().flat_map(|each| each.split(',')).collect();
        let has = |host: &&Arc<str>| {
            wanted
                .iter()
                .any(|name| *name == "all" || *name == &***host)
        };
        Ok(self.0.iter().filter(has).cloned().collect())
    }
}

/// Reads from a task's `vars` on which hosts it `fails`, `changes`, is `skipped`, `ignored` or
/// `lost`, and which `files` it includes there.
struct Fake {
    emitter: Emitter,
    told: Mutex<Vec<String>>,
}

impl Fake {
    fn done(task: &Task, host: &str) -> Done {
        let names = |key: &str| -> Vec<Written> {
            let vars = task.keywords.all(Keyword::Vars).iter().rev();
            let value = vars.clone().find_map(|vars| vars.get(key));
            value.map(|value| value.items()).unwrap_or_default()
        };
        let here = |key: &str| {
            names(key).iter().any(|name| {
                name.text()
                    .is_some_and(|name| name == host || name == "all")
            })
        };
        let status = if here("lost") {
            TaskStatus::Unreachable
        } else if here("fails") {
            TaskStatus::Failed
        } else if here("skipped") {
            TaskStatus::Skipped
        } else if here("changes") {
            TaskStatus::Changed
        } else {
            TaskStatus::Ok
        };
        let well = matches!(status, TaskStatus::Ok | TaskStatus::Changed);
        let notify = task.keywords.items(Keyword::Notify);
        Done {
            status,
            ignored: here("ignored"),
            notify: notify
                .iter()
                .filter(|_| status == TaskStatus::Changed)
                .filter_map(|name| name.text().map(plain))
                .collect(),
            includes: if well {
                Self::includes(task, host)
            } else {
                Vec::new()
            },
            meta: Self::meta(task).filter(|_| well),
            error: None,
            result: Arc::new(
                json!({"changed": here("changes"), "msg": "told"})
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
            ),
        }
    }

    /// `files: {h1: [a.yml, b.yml]}`, else what the task itself says, as it stands.
    fn includes(task: &Task, host: &str) -> Vec<Include> {
        let mut params = Map::new();
        for (name, value) in &task.action.args.named {
            params.insert(name.clone(), value.value());
        }
        let include = |params: Map, label: Option<String>| Include {
            params,
            vars: label
                .iter()
                .map(|label| ("item".into(), Value::string(label)))
                .collect(),
            label,
        };
        match &*task.action.module {
            "include_role" => vec![include(params, None)],
            "include_tasks" => {
                let vars = task.written.get("vars");
                let files = vars.and_then(|vars| vars.get("files"));
                let Some(files) = files.and_then(|files| files.get(host)) else {
                    let free = task.action.args.free_form.iter();
                    params.extend(free.map(|file| (Arc::from("file"), file.value())));
                    return vec![include(params, None)];
                };
                let one = |file: Written| {
                    let params = Map::from([(Arc::from("file"), file.value())]);
                    include(params, file.text().map(str::to_owned))
                };
                files.items().into_iter().map(one).collect()
            }
            _ => Vec::new(),
        }
    }

    fn meta(task: &Task) -> Option<Meta> {
        if &*task.action.module != "meta" {
            return None;
        }
        Some(match task.action.args.free_form.as_ref()?.text()? {
            "flush_handlers" => Meta::FlushHandlers,
            "end_host" => Meta::EndHost,
            "end_batch" => Meta::EndBatch,
            "end_play" => Meta::EndPlay,
            "end_role" => Meta::EndRole,
            "clear_host_errors" => Meta::ClearHostErrors,
            _ => Meta::Nothing,
        })
    }

    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

/// A text with `{{ it }}` as `it`.
fn plain(text: &str) -> String {
    text.replace("{{ ", "").replace(" }}", "")
}

/// A value with its templates rendered: `{{ it }}` is `it`, but `{{ nothing }}` can't be.
fn rendered(value: &Value) -> Result<Value, String> {
    if let Value::List(items) = value {
        let items = items.iter().map(rendered);
        return Ok(Value::List(items.collect::<Result<_, _>>()?));
    }
    let text = value.as_str().unwrap_or_default();
    let name = plain(text);
    if name.contains("nothing") {
        return Err("`nothing` is undefined".to_owned());
    }
    Ok(match name.parse() {
        Ok(number) => Value::Int(number),
        Err(_) => Value::string(name),
    })
}

#[async_trait]
impl Worker for Fake {
    async fn perform(&self, turn: &Turn) -> Done {
        let host = &turn.hosts[0];
        let done = Self::done(&turn.task, host);
        if turn.hosts.len() > 1 {
            self.tell(format!(
                "{} holds for {}",
                turn.task.title(),
                turn.hosts.join(" ")
            ));
        }
        let item = turn.scope.as_ref().and_then(|scope| scope.vars.get("item"));
        if let Some(item) = item.and_then(Value::as_str) {
            self.tell(format!("{host}: item={item}"));
        }
        let left = turn.batch.all_left();
        if left.len() < turn.batch.all.len() {
            self.tell(format!("{}: left {}", turn.task.title(), left.join(" ")));
        }
        let result = TaskResult {
            task: turn.number,
            host: host.clone(),
            delegated: None,
            status: done.status,
            ignored: done.ignored,
            label: None,
            result: done.result.clone(),
            error: None,
            facts: Vec::new(),
            started: clock::now(),
            duration: std::time::Duration::ZERO,
        };
        let event = PlayEvent::TaskFinished(Arc::new(result));
        self.emitter.emit(Event::Play(event)).await;
        done
    }

    fn render(&self, _: &Scene<'_>, value: &Value) -> Result<Value, String> {
        rendered(value)
    }

    fn wants_facts(&self, turn: &Turn) -> bool {
        turn.batch
            .play
            .keywords
            .get(Keyword::GatherSubset)
            .is_some()
    }

    fn rescued(&self, turn: &Turn, _done: &Done) {
        self.tell(format!("{}: rescued {}", turn.hosts[0], turn.task.title()));
    }
}

/// Writes down what is said: results behind their task, in the order of hosts.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    lines: Vec<(String, Vec<String>)>,
    /// Where a task's line is.
    tasks: BTreeMap<u32, usize>,
}

impl Told {
    fn lines(&self) -> Vec<String> {
        let line = |(head, results): &(String, Vec<String>)| {
            let mut results = results.clone();
            results.sort();
            if results.is_empty() {
                head.clone()
            } else {
                format!("{head} {}", results.join(" "))
            }
        };
        self.lines.iter().map(line).collect()
    }

    fn say(&mut self, line: String) {
        self.lines.push((line, Vec::new()));
    }
}

impl Consumer for Story {
    fn consume(&mut self, event: &Stamped) -> io::Result<()> {
        let mut told = self.0.lock().unwrap();
        let Event::Play(event) = &event.event else {
            if let Event::Notice(text) = &event.event {
                told.say(format!("NOTICE {text}"));
            }
            return Ok(());
        };
        match event {
            PlayEvent::PlayStarted(play) => {
                told.say(format!("PLAY {} [{}]", play.name, play.hosts.join(" ")));
            }
            PlayEvent::NoHostsMatched(_) => told.say("no hosts matched".to_owned()),
            PlayEvent::NoHostsRemaining(_) => told.say("NO MORE HOSTS LEFT".to_owned()),
            PlayEvent::TaskStarted(task) => {
                let at = told.lines.len();
                told.tasks.insert(task.task, at);
                let handler = if task.handler { "handler " } else { "" };
                told.say(format!("{handler}{}:", task.name));
            }
            PlayEvent::TaskFinished(result) => {
                let how = match (result.status, result.ignored) {
                    (TaskStatus::Ok, _) => "",
                    (TaskStatus::Changed, _) => "(changed)",
                    (TaskStatus::Skipped, _) => "(skipped)",
                    (TaskStatus::Failed, false) => "(failed)",
                    (TaskStatus::Unreachable, false) => "(lost)",
                    (_, true) => "(ignored)",
                };
                let at = told.tasks[&result.task];
                told.lines[at].1.push(format!("{}{how}", result.host));
            }
            PlayEvent::Included {
                what, label, hosts, ..
            } => {
                let label = label
                    .as_ref()
                    .map(|label| format!(" ({label})"))
                    .unwrap_or_default();
                told.say(format!("included {what} for {}{label}", hosts.join(" ")));
            }
            PlayEvent::Stats(_) => told.say("RECAP".to_owned()),
            PlayEvent::ItemFinished(_) | PlayEvent::Retrying(..) | PlayEvent::FactsCleared(_) => {}
        }
        Ok(())
    }
}
