//! `vars_prompt`: what a play asks the user before it begins.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::render;
use super::runner::Runner;
use super::scope::{TaskScope, here};
use crate::base::secret::Secret;
use crate::base::value::{Map, Value};
use crate::engine::Halt;
use crate::event::Event;
use crate::playbook::run::worker::{Batch, Scene};
use crate::playbook::{Keyword, Written, as_bool};
use crate::template::{self, Found};

/// No salt is longer.
const SALT_MAX: usize = 22;

/// Asks what the play wants to know. Variables of the command line are not asked for.
pub(super) async fn ask(runner: &Arc<Runner>, batch: &Arc<Batch>) -> Result<(), String> {
    let Some(prompts) = batch.play.keywords.get(Keyword::VarsPrompt) else {
        return Ok(());
    };
    let mut answers: IndexMap<Arc<str>, Found> = IndexMap::new();
    let mut kept = Map::new();
    let keep = runner.keep.as_ref();
    let mut before = keep.map_or_else(Map::new, |keep| keep.answers(batch.number));
    let scene = Scene {
        batch,
        host: None,
        task: None,
        scope: None,
    };
    let scope = runner.scope(&scene, None);
    for prompt in prompts.items() {
        let question = Question::of(&prompt, &scope)?;
        if runner.hosts.extra.contains_key(&question.name) {
            continue;
        }
        let value = if let Some(value) = before.shift_remove(&question.name) {
            value
        } else {
            let value = question.value(runner).await;
            value.map_err(|why| prompt.error(why).to_string())?
        };
        kept.insert(question.name.clone(), value.clone());
        answers.insert(question.name, here(value, "vars_prompt"));
    }
    if let Some(keep) = &runner.keep {
        keep.answered(batch.number, &kept);
    }
    runner
        .play(&batch.play, batch.number)
        .answer(Arc::new(answers));
    Ok(())
}

struct Question {
    name: Arc<str>,
    prompt: String,
    default: Option<String>,
    private: bool,
    confirm: bool,
    templates: bool,
    hash: Option<Hash>,
}

/// `encrypt`: the answer's hash is the variable, with a salt or one of so many characters.
struct Hash {
    kind: String,
    salt: Option<String>,
}

impl Hash {
    /// Computed aside: it takes long on purpose.
    async fn of(&self, answer: String) -> Result<String, String> {
        let (kind, salt) = (self.kind.clone(), self.salt.clone());
        let hashed = tokio::task::spawn_blocking(move || {
            template::password_hash(&answer, &kind, salt.map(Arc::from), 0)
                .map_err(|error| error.message)
        });
        hashed.await.map_err(|error| error.to_string())?
    }
}

impl Question {
    fn of(written: &Written, scope: &TaskScope) -> Result<Self, String> {
        let wrong = |what: &str| written.error(what).to_string();
        let mut values = Map::new();
        for (key, part) in written.entries() {
            // The play's own variables may stand there.
            let value = render::written(scope, &part).map_err(|wrong| wrong.error().message)?;
            values.insert(key.name.clone(), value);
        }
        let text = |key: &str| values.get(key).map(crate::base::python::python);
        let flag = |key: &str| values.get(key).and_then(as_bool);
        let name = text("name").ok_or_else(|| wrong("a prompt has a `name`: the variable"))?;
        let size = match text("salt_size") {
            Some(size) => Some(
                size.parse()
                    .ok()
                    .filter(|size| *size <= SALT_MAX)
                    .ok_or_else(|| wrong("`salt_size` is a small number"))?,
            ),
            None => None,
        };
        let salt = text("salt").or_else(|| size.map(template::random_salt));
        Ok(Self {
            prompt: text("prompt").unwrap_or_else(|| name.clone()),
            name: Arc::from(name),
            default: text("default"),
            private: flag("private").unwrap_or(true),
            confirm: flag("confirm").unwrap_or(false),
            hash: text("encrypt").map(|kind| Hash { kind, salt }),
            templates: !flag("unsafe").unwrap_or(false),
        })
    }

    async fn value(&self, runner: &Runner) -> Result<Value, String> {
        let mut answer = self.ask(runner).await?;
        if self.private {
            runner.hosts.learn(&Secret::new(answer.as_str()));
        }
        if let Some(hash) = &self.hash {
            answer = hash.of(answer).await?;
        }
        Ok(if self.templates {
            Value::string(answer)
        } else {
            Value::Unsafe(answer.into())
        })
    }

    async fn ask(&self, runner: &Runner) -> Result<String, String> {
        let question = match &self.default {
            Some(default) if !self.private => format!("{} [{default}]: ", self.prompt),
            _ => format!("{}: ", self.prompt),
        };
        loop {
            let Some(answer) = line(runner, &question, !self.private).await? else {
                // As Ansible, the default, or nothing.
                let told = "Not prompting as we are not in interactive mode".to_owned();
                runner.emitter.emit(Event::Notice(told)).await;
                return Ok(self.default.clone().unwrap_or_default());
            };
            if self.confirm {
                let again = format!("confirm {question}");
                let again = line(runner, &again, !self.private).await?;
                if again.as_deref() != Some(&answer) {
                    let told = "***** VALUES ENTERED DO NOT MATCH ****".to_owned();
                    runner.emitter.emit(Event::Notice(told)).await;
                    continue;
                }
            }
            return Ok(match &self.default {
                Some(default) if answer.is_empty() => default.clone(),
                _ => answer,
            });
        }
    }
}

async fn line(runner: &Runner, question: &str, echo: bool) -> Result<Option<String>, String> {
    runner.emitter.seen().await;
    let (asks, question) = (runner.ask.clone(), question.to_owned());
    let halt = runner.halt.clone();
    let answered = tokio::task::spawn_blocking(move || {
        asks.line(&question, echo, &|| *halt.borrow() != Halt::No)
    });
    let answered = answered.await;
    let answered = answered.map_err(|error| error.to_string())?;
    if matches!(&answered, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
        // The run hears of it in a moment.
        runner.sleep(HEARS).await;
    }
    answered.map_err(|error| error.to_string())
}

/// How long a run may take to hear of a signal.
const HEARS: Duration = Duration::from_secs(5);
