//! How a host is reached for a task, and as whom: keywords, variables and flags make its target, which
//! is kept for the tasks that follow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::prepared::{Prepared, is_constant};
use super::render::{self, Wrong};
use super::scope::TaskScope;
use super::state::locked;
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::{ErrorKind, HostError};
use crate::playbook::{Keyword, Written};
use crate::target::{Resolved, Target, Variables};
use crate::template;

/// The keywords that bear on the way to a host.
const KEYWORDS: [(&str, Keyword); 8] = [
    ("connection", Keyword::Connection),
    ("remote_user", Keyword::RemoteUser),
    ("port", Keyword::Port),
    ("become", Keyword::Become),
    ("become_user", Keyword::BecomeUser),
    ("become_method", Keyword::BecomeMethod),
    ("become_exe", Keyword::BecomeExe),
    ("become_flags", Keyword::BecomeFlags),
];

/// So many ways to one host are kept: a play rarely changes between more users.
const KEPT: usize = 6;

/// What keywords say, rendered.
type Said = [Option<Value>; KEYWORDS.len()];

/// A way to a host that was found before.
#[derive(Debug)]
pub(super) struct Reached {
    play: u32,
    said: Said,
    /// The task, where its own variables may have a part in it.
    task: usize,
    /// Whether templates had: any variable that changes may change it.
    pub(super) rendered: bool,
    target: Arc<Target>,
}

/// The target of a task on a host: of `host` itself, or of the one it is delegated to.
pub(super) fn target(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    host: &Arc<str>,
) -> Result<Arc<Target>, HostError> {
    let scope = scope.of_host(host);
    let said = said(&scope, prepared).map_err(|wrong| wrong.error())?;
    let task = Arc::as_ptr(prepared) as usize;
    let play = scope.batch.number;
    let state = scope.runner.states.of(host);
    let fits = |known: &&Reached| {
        known.play == play && known.said == said && (known.task == 0 || known.task == task)
    };
    // Variables of the task itself may bear on the way in templates that any other has not.
    if !prepared.layers.of_connection
        && let Some(known) = locked(&state).reached.iter().find(fits)
    {
        return Ok(known.target.clone());
    }
    let variables = TaskVariables {
        said: &said,
        prepared,
        scope,
        rendered: AtomicBool::new(false),
    };
    let target = variables.scope.runner.targets.resolve(host, &variables)?;
    let rendered = variables.rendered.load(Ordering::Relaxed);
    if variables.scope.local.is_empty() || !rendered {
        let own = rendered || prepared.layers.of_connection;
        let mut state = locked(&state);
        if state.reached.len() >= KEPT {
            state.reached.remove(0);
        }
        state.reached.push(Reached {
            play,
            said,
            task: if own { task } else { 0 },
            rendered,
            target: target.clone(),
        });
    }
    Ok(target)
}

fn said(scope: &TaskScope, prepared: &Prepared) -> Result<Said, Wrong> {
    let mut said = Said::default();
    for ((_, keyword), slot) in KEYWORDS.iter().zip(&mut said) {
        if let Some(written) = prepared.keyword(*keyword) {
            let value = render::written(scope, written)?;
            *slot = Some(value).filter(|value| *value != Value::Omit);
        }
    }
    // `local_action` is done by the controller, whatever is known of a host called localhost.
    if prepared.task.action.local && said[0].is_none() {
        said[0] = Some(Value::string("local"));
    }
    Ok(said)
}

struct TaskVariables<'a> {
    said: &'a Said,
    prepared: &'a Prepared,
    scope: TaskScope,
    rendered: AtomicBool,
}

impl Variables for TaskVariables<'_> {
    fn get(&self, name: &str) -> Result<Option<Resolved>, HostError> {
        let failed = |why: String| HostError::new(ErrorKind::Template, why);
        let Some(found) = self.scope.find_of_connection(name).map_err(failed)? else {
            return Ok(None);
        };
        if is_constant(&found.value) {
            return Ok(Some(Resolved {
                value: found.value,
                secret: found.secret,
                origin: found.origin,
            }));
        }
        if !matches!(found.value, Value::Vault(_)) {
            self.rendered.store(true, Ordering::Relaxed);
        }
        let rendered = template::render(&found.value, &self.scope.shared())
            .map_err(|error| failed(format!("variable `{name}` ({}): {error}", found.origin)))?;
        Ok(Some(Resolved {
            value: rendered.value,
            secret: rendered.secret || found.secret,
            origin: found.origin,
        }))
    }

    fn keyword(&self, name: &'static str) -> Result<Option<Resolved>, HostError> {
        let at = KEYWORDS.iter().position(|(keyword, _)| *keyword == name);
        let said = at.and_then(|at| Some((at, self.said.get(at)?.clone()?)));
        if let Some((at, value)) = said {
            let place = KEYWORDS
                .get(at)
                .and_then(|(_, keyword)| self.prepared.keyword(*keyword));
            let origin = place
                .map(Written::place)
                .map_or_else(|| "the task".to_owned(), |place| place.to_string());
            return Ok(Some(Resolved {
                value,
                secret: false,
                origin,
            }));
        }
        Ok(self
            .scope
            .runner
            .targets
            .setting(name)
            .map(|value| Resolved {
                value,
                secret: false,
                origin: format!("setting {name}"),
            }))
    }

    fn learn(&self, secret: &Secret) {
        self.scope.runner.hosts.learn(secret);
    }
}
