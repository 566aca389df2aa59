//! One task on one host, or one item of its loop: what keywords say of it there.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::seconds;
use super::prepared::Prepared;
use super::reach;
use super::render::{self, Wrong};
use super::runner::Runner;
use super::scope::TaskScope;
use crate::base::python::python;
use crate::base::value::{Map, Value};
use crate::event::{ErrorKind, HostError};
use crate::playbook::Keyword;
use crate::target::Target;

/// What a task is done with.
pub(super) struct Context<'a> {
    pub(super) scope: TaskScope,
    pub(super) prepared: &'a Arc<Prepared>,
    /// The task's number, for events.
    pub(super) number: u32,
    pub(super) check: bool,
    pub(super) diff: bool,
    /// How long it may take.
    pub(super) timeout: Option<Duration>,
    /// The same where the task itself says so.
    pub(super) keyword_timeout: Option<Duration>,
    /// In the background, for so many seconds at most.
    pub(super) background: Option<u64>,
    /// `async` with a `poll`: a task with a limit.
    pub(super) waited_for: bool,
    /// The handlers it notifies, should it change something.
    pub(super) notify: Vec<String>,
}

impl<'a> Context<'a> {
    /// Keywords rendered.
    pub(super) fn new(
        mut scope: TaskScope,
        prepared: &'a Arc<Prepared>,
        number: u32,
    ) -> Result<Self, Wrong> {
        let options = &scope.runner.options;
        let (check, diff, limit) = (options.check, options.diff, options.task_timeout);
        let flag = |keyword| render::flag(&scope, prepared.keyword(keyword));
        let check = flag(Keyword::CheckMode)?.unwrap_or(check);
        let diff = flag(Keyword::Diff)?.unwrap_or(diff);
        let timeout = render::number(&scope, prepared.keyword(Keyword::Timeout))?;
        let keyword_timeout = timeout.and_then(seconds);
        let limit_of_async =
            render::number(&scope, prepared.keyword(Keyword::Async))?.unwrap_or(0.0);
        let in_background = limit_of_async > 0.0
            && render::number(&scope, prepared.keyword(Keyword::Poll))? == Some(0.0);
        // What is waited for is a task with a limit, however often it would be asked about.
        let limit_of_task = limit_of_async * f64::from(!in_background);
        let keyword_timeout = keyword_timeout.or_else(|| seconds(limit_of_task));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive seconds"
        )]
        let background = in_background.then_some(limit_of_async as u64);
        let notify = notifications(&scope, prepared)?;
        scope.delegated = delegated(&scope, prepared)?;
        Ok(Self {
            notify,
            background,
            waited_for: limit_of_async > 0.0 && !in_background,
            scope,
            prepared,
            number,
            check,
            diff,
            timeout: keyword_timeout.or(limit),
            keyword_timeout,
        })
    }

    /// Where no keyword is asked for any more.
    pub(super) fn bare(scope: TaskScope, prepared: &'a Arc<Prepared>, number: u32) -> Self {
        Self {
            scope,
            prepared,
            number,
            check: false,
            diff: false,
            timeout: None,
            keyword_timeout: None,
            background: None,
            waited_for: false,
            notify: Vec::new(),
        }
    }

    pub(super) fn runner(&self) -> &Arc<Runner> {
        &self.scope.runner
    }

    /// The host that it is done for.
    pub(super) fn host(&self) -> Arc<str> {
        self.scope
            .host
            .clone()
            .unwrap_or_else(|| Arc::from("localhost"))
    }

    /// The host that it is done on.
    pub(super) fn place(&self) -> Arc<str> {
        self.scope.delegated.clone().unwrap_or_else(|| self.host())
    }

    /// How that one is reached.
    pub(super) fn target(&self) -> Result<Arc<Target>, HostError> {
        reach::target(&self.scope, self.prepared, &self.place())
    }

    /// Variables for the environment of what is run there.
    pub(super) fn environment(&self) -> Result<Vec<(String, String)>, Wrong> {
        let mut environment = Map::new();
        for written in &self.prepared.environment {
            match render::written(&self.scope, written)? {
                Value::Map(map) => environment.extend(map),
                Value::Null => {}
                other => {
                    let message = format!(
                        "environment must be a dictionary, received {}",
                        other.kind()
                    );
                    return Err(Wrong::new(written, message));
                }
            }
        }
        Ok(environment
            .into_iter()
            .map(|(name, value)| (name.to_string(), python(&value)))
            .collect())
    }

    /// The arguments for a host, but those that its module reads itself (`that` of `assert`).
    pub(super) fn arguments(&self, raw: &[&str]) -> Result<Map, Wrong> {
        let action = &self.prepared.task.action;
        let failed = |wrong: Wrong| {
            let name = if action.module.contains('.') {
                action.module.to_string()
            } else {
                format!("ansible.builtin.{}", action.module)
            };
            wrong.because(&format!("Finalization of task args for '{name}' failed"))
        };
        let mut given = self.defaults().map_err(failed)?;
        if let Some(template) = &action.args.template {
            match render::written(&self.scope, template).map_err(failed)? {
                Value::Map(map) => given.extend(map),
                Value::Null => {}
                other => {
                    let message = format!("args must be a mapping, this is {}", other.kind());
                    return Err(failed(Wrong::new(template, message)));
                }
            }
        }
        for argument in &self.prepared.args {
            let value = if argument.constant || raw.contains(&&*argument.name) {
                argument.value.clone()
            } else {
                let what = format!("Error while resolving value for '{}'", argument.name);
                render::written(&self.scope, &argument.written)
                    .map_err(|wrong| failed(wrong.because(&what)))?
            };
            given.insert(argument.name.clone(), value);
        }
        given.retain(|_, value| *value != Value::Omit);
        Ok(given)
    }

    /// `module_defaults` for the module, the outermost first.
    fn defaults(&self) -> Result<Map, Wrong> {
        let mut given = Map::new();
        if self.prepared.defaults.is_empty() {
            return Ok(given);
        }
        let action = &self.prepared.task.action;
        let module = self.prepared.module.as_ref();
        let names = module
            .map(|module| module.names.as_slice())
            .unwrap_or_default();
        let is_it = |key: &str| {
            key == &*action.module
                || key == &*action.written
                || key.strip_prefix("ansible.builtin.") == Some(&*action.module)
                || names.iter().any(|name| name == key)
        };
        for level in &self.prepared.defaults {
            for mapping in level.items() {
                for (key, value) in mapping.entries().filter(|(key, _)| is_it(&key.name)) {
                    match render::written(&self.scope, &value)? {
                        Value::Map(map) => given.extend(map),
                        _ => {
                            return Err(Wrong::new(
                                &value,
                                format!("the defaults of {} are no mapping", key.name),
                            ));
                        }
                    }
                }
            }
        }
        Ok(given)
    }
}

fn delegated(scope: &TaskScope, prepared: &Prepared) -> Result<Option<Arc<str>>, Wrong> {
    if prepared.task.action.local {
        return Ok(Some(Arc::from("localhost")));
    }
    let Some(written) = prepared.keyword(Keyword::DelegateTo) else {
        return Ok(None);
    };
    match render::text(scope, Some(written))? {
        // As in Ansible: written so, it says nothing.
        Some(name) if name.is_empty() && !written.is_template() => Ok(None),
        Some(name) if name.is_empty() => Err(Wrong::new(
            written,
            "Empty hostname produced from delegate_to",
        )),
        name => Ok(name.map(Arc::from)),
    }
}

/// The handlers that are named; as in Ansible before the action, whatever comes of it.
fn notifications(scope: &TaskScope, prepared: &Prepared) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    let Some(notify) = prepared.keyword(Keyword::Notify) else {
        return Ok(names);
    };
    for written in notify.items() {
        let rendered = render::written(scope, &written)
            .map_err(|wrong| wrong.because("Error processing keyword 'notify'"))?;
        let rendered = match rendered {
            Value::List(items) => items,
            value => vec![value],
        };
        let named = |name: &&Value| !matches!(name, Value::Omit | Value::Null);
        names.extend(rendered.iter().filter(named).map(python));
    }
    Ok(names)
}

/// An error of the controller's that is nobody's mistake.
pub(super) fn local(message: impl Into<String>) -> HostError {
    HostError::new(ErrorKind::LocalIo, message)
}
