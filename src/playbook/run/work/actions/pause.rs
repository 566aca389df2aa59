//! `pause`: waits, or asks the user.

use std::time::{Duration, Instant};

use super::super::context::Context;
use super::super::results::Outcome;
use super::text;
use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::event::Event;
use crate::playbook::run::work::runner::{Keys, Until};

pub(super) async fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let began = Instant::now();
    let start = stamp();
    let echo = params.get("echo") != Some(&Value::Bool(false));
    let seconds = match (number(params, "seconds"), number(params, "minutes")) {
        (Some(seconds), _) => Some(seconds),
        (None, Some(minutes)) => Some(minutes * 60.0),
        (None, None) => None,
    };
    let typed = match seconds {
        // As Ansible: never less than a second.
        Some(seconds) => wait(context, params, echo, seconds.max(1.0)).await,
        None => ask(context, params, echo).await,
    };
    let answer = match typed {
        Ok(text) => text,
        Err(outcome) => return *outcome,
    };
    let passed = began.elapsed().as_secs_f64();
    let rounded = |time: f64| (time * 100.0).round() / 100.0;
    let said = match number(params, "seconds") {
        Some(_) => format!("Paused for {:?} seconds", rounded(passed)),
        None => format!("Paused for {:?} minutes", rounded(passed / 60.0)),
    };
    let delta = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
    let words = |text: &str| Value::Unsafe(text.into());
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("rc", Value::Int(0)),
        ("stdout", words(&said)),
        ("stderr", words("")),
        ("start", words(&start)),
        ("stop", words(&stamp())),
        ("delta", Value::Int(delta)),
        ("echo", Value::Bool(echo)),
        ("user_input", words(&answer)),
    ])
}

type Typed = Result<String, Box<Outcome>>;

/// How a pause of some time is left early.
const EARLY: &str = "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)";

/// Waits for the time to pass, or the user to end it.
async fn wait(context: &Context<'_>, params: &Map, echo: bool, seconds: f64) -> Typed {
    notice(
        context,
        format!("Pausing for {} seconds{}", seconds.trunc(), hidden(echo)),
    )
    .await;
    let question = match text(params, "prompt") {
        Some(_) => format!("{EARLY}\n{}", prompt(context, params, echo)),
        None => EARLY.to_owned(),
    };
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    match keys(context, format!("{question}\n"), false, Until::Time(time)).await? {
        Keys::Typed(_) => Ok(String::new()),
        Keys::Interrupted => choose(context, false).await,
        Keys::Nobody if context.runner().sleep(time).await => Ok(String::new()),
        Keys::Nobody => Err(aborted()),
    }
}

/// Asks the user for a line.
async fn ask(context: &Context<'_>, params: &Map, echo: bool) -> Typed {
    let question = format!("{}\n", prompt(context, params, echo));
    match keys(context, question, echo, Until::Enter).await? {
        Keys::Typed(line) => Ok(line),
        Keys::Interrupted => choose(context, echo).await,
        Keys::Nobody => {
            let told = "Not waiting for response to prompt as stdin is not interactive";
            notice(context, told.to_owned()).await;
            Ok(String::new())
        }
    }
}

/// After Ctrl-C.
async fn choose(context: &Context<'_>, echo: bool) -> Typed {
    let question = "Press 'C' to continue the play or 'A' to abort \n".to_owned();
    let until = Until::Key {
        end: 'c',
        interrupt: 'a',
    };
    match keys(context, question, echo, until).await? {
        Keys::Typed(text) => Ok(text),
        Keys::Interrupted | Keys::Nobody => Err(aborted()),
    }
}

fn aborted() -> Box<Outcome> {
    Box::new(Outcome::failed("user requested abort!"))
}

fn prompt(context: &Context<'_>, params: &Map, echo: bool) -> String {
    let name = context.prepared.task.title();
    let prompt = text(params, "prompt").filter(|prompt| !prompt.is_empty());
    let prompt = prompt.unwrap_or("Press enter to continue, Ctrl+C to interrupt");
    format!("[{name}]\n{prompt}{}:", hidden(echo))
}

fn hidden(echo: bool) -> &'static str {
    if echo { "" } else { " (output is hidden)" }
}

async fn keys(
    context: &Context<'_>,
    question: String,
    echo: bool,
    until: Until,
) -> Result<Keys, Box<Outcome>> {
    let runner = context.runner().clone();
    runner.emitter.seen().await;
    let typed = tokio::task::spawn_blocking(move || {
        runner
            .ask
            .keys(&question, echo, until, &|| runner.stopping())
    });
    let failed = |why: String| Box::new(Outcome::failed(why));
    let typed = typed.await.map_err(|error| failed(error.to_string()))?;
    if context.runner().stopping() {
        return Err(aborted());
    }
    typed.map_err(|error| failed(error.to_string()))
}

async fn notice(context: &Context<'_>, text: String) {
    context.runner().emitter.emit(Event::Notice(text)).await;
}

fn number(params: &Map, name: &str) -> Option<f64> {
    match params.get(name)? {
        Value::Float(number) => Some(*number),
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}

fn stamp() -> String {
    let zoned = clock::now().to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}
