//! Includes at run time: equal ones of several hosts are one, loaded once and gone through together.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::batch::{Going, Next};
use super::cursor::Group;
use super::error::RunError;
use super::program::nodes;
use super::show;
use super::worker::{Include, Scope, Turn};
use crate::base::value::{Map, Value};
use crate::event::PlayEvent;
use crate::playbook::{From, Loaded, RoleRequest, Step, Task, as_bool};

/// Files within files. (Roles within roles are bounded where they are loaded.)
const DEPTH_MAX: usize = 40;

/// An include and the hosts that ask for it, by their place in the batch.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) include: Include,
    pub(super) hosts: Vec<usize>,
}

/// Equal includes together, in the order in which they come up. What a host asks for twice is two.
pub(super) fn grouped(asked: impl IntoIterator<Item = (usize, Vec<Include>)>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (host, includes) in asked {
        for include in includes {
            let same = wanted
                .iter_mut()
                .find(|each| each.include == include && each.hosts.last() != Some(&host));
            match same {
                Some(same) => same.hosts.push(host),
                None => wanted.push(Wanted {
                    include,
                    hosts: vec![host],
                }),
            }
        }
    }
    wanted
}

/// What was loaded for an include, ready to be gone through.
pub(super) struct Brought {
    pub(super) group: Arc<Group>,
    pub(super) loaded: Loaded,
    pub(super) what: String,
}

impl Going<'_> {
    /// Brings in what hosts ask for at a task, each told of by its turn; the hosts on which that
    /// failed.
    pub(super) async fn bring_in(
        &mut self,
        next: &Next,
        asked: Vec<(usize, Arc<Turn>, Vec<Include>)>,
    ) -> Result<Vec<usize>, RunError> {
        let mut turns = BTreeMap::new();
        let mut wishes = Vec::new();
        for (host, turn, includes) in asked {
            turns.insert(host, turn);
            wishes.push((host, includes));
        }
        let mut ways: BTreeMap<usize, Vec<Arc<Group>>> = BTreeMap::new();
        let mut failed: Vec<usize> = Vec::new();
        for wanted in grouped(wishes) {
            match self.load(next, &wanted.include) {
                Ok(brought) => {
                    let Some(turn) = wanted.hosts.first().and_then(|host| turns.get(host)) else {
                        continue;
                    };
                    self.brought(turn, &wanted, &brought).await;
                    for host in wanted.hosts {
                        ways.entry(host).or_default().push(brought.group.clone());
                    }
                }
                Err(why) => {
                    for host in wanted.hosts.iter().filter(|host| !failed.contains(host)) {
                        if let Some(turn) = turns.get(host) {
                            let what = wanted.include.named();
                            let emitter = &self.run.emitter;
                            let done = show::not_included(emitter, turn, &what, &why).await;
                            self.take_in(*host, turn, done)?;
                        }
                    }
                    failed.extend(wanted.hosts);
                }
            }
        }
        for (host, groups) in ways {
            if !failed.contains(&host) {
                self.go_into(host, groups);
            }
        }
        Ok(failed)
    }

    /// Tells of an include, and counts it for each host.
    pub(super) async fn brought(&mut self, turn: &Turn, wanted: &Wanted, brought: &Brought) {
        let hosts: Vec<Arc<str>> = wanted
            .hosts
            .iter()
            .filter_map(|host| self.hosts.get(*host).map(|host| host.name.clone()))
            .collect();
        for host in &hosts {
            self.run.stats.of(host).ok += 1;
        }
        self.run
            .worker
            .included(&self.batch, &hosts, &brought.loaded);
        self.say(PlayEvent::Included {
            task: turn.number,
            what: brought.what.clone(),
            label: wanted.include.label.clone(),
            hosts,
        })
        .await;
    }

    /// Loads what is included: a file of tasks, of handlers, a role.
    pub(super) fn load(&mut self, next: &Next, include: &Include) -> Result<Brought, String> {
        if next.task.files.len() > DEPTH_MAX {
            return Err("includes bring each other in without end".to_owned());
        }
        let role = &*next.task.action.module == "include_role";
        let loaded = {
            let mut loader = self
                .run
                .loader
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let loaded = if role {
                loader.load_role(&next.task, &request(&include.params))
            } else {
                loader.load_tasks_file(&next.task, &include.named(), next.handler)
            };
            loaded.map_err(|refused| refused.to_string())?
        };
        self.included += 1;
        let scope = Arc::new(Scope {
            vars: include.vars.clone(),
            outer: next.scope.clone(),
        });
        let steps: Vec<Step> = if next.handler && !role {
            let handlers = loaded.handlers.iter();
            handlers
                .map(|handler| Step::Task(handler.task.clone()))
                .collect()
        } else {
            for handler in &loaded.handlers {
                self.handlers.add(handler, Some(&scope));
            }
            loaded.steps.clone()
        };
        let (run, batch) = (&*self.run, &self.batch);
        // Handlers run whatever their tags.
        let keep = |task: &Arc<Task>| next.handler || run.chooses(batch, task);
        let what = match (&loaded.path, role) {
            (Some(path), false) => {
                let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
                full.display().to_string()
            }
            _ => include.named(),
        };
        Ok(Brought {
            group: Arc::new(Group {
                number: self.included,
                nodes: nodes(&steps, &keep).into(),
                scope,
                handler: next.handler,
            }),
            loaded,
            what,
        })
    }
}

impl Include {
    /// The file or role that it names.
    pub(super) fn named(&self) -> String {
        let mut keys = ["file", "name", "role"].iter();
        let named = keys.find_map(|key| self.params.get(*key));
        named.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

fn request(params: &Map) -> RoleRequest {
    let text = |key: &str| params.get(key).and_then(Value::as_str).map(str::to_owned);
    // `main` is what is taken anyway, where it is there.
    let part = |key: &str| text(key).filter(|name| name != "main");
    let flag = |key: &str| params.get(key).and_then(as_bool);
    RoleRequest {
        name: text("name").or_else(|| text("role")).unwrap_or_default(),
        from: From {
            tasks: part("tasks_from"),
            vars: part("vars_from"),
            defaults: part("defaults_from"),
            handlers: part("handlers_from"),
        },
        allow_duplicates: flag("allow_duplicates").unwrap_or(true),
        public: flag("public").unwrap_or(false),
        unchecked: !flag("rolespec_validate").unwrap_or(true),
    }
}
