//! `pause`: waits, or asks the user.

use std::time::{Duration, Instant};

use super::super::context::Context;
use super::super::results::Outcome;
use super::text;
use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::event::Event;

pub(super) async fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let began = Instant::now();
    let start = stamp();
    let echo = params.get("echo") != Some(&Value::Bool(false));
    let seconds = match (number(params, "seconds"), number(params, "minutes")) {
        (Some(seconds), _) => Some(seconds),
        (None, Some(minutes)) => Some(minutes * 60.0),
        (None, None) => None,
    };
    let mut answer = String::new();
    let said = if let Some(seconds) = seconds {
        // As Ansible: never less than a second.
        let seconds = seconds.max(1.0);
        if let Some(prompt) = text(params, "prompt") {
            notice(context, format!("[pause] {prompt}")).await;
        }
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        if !context.runner().sleep(time).await {
            return Outcome::failed("user requested abort!");
        }
        let passed = began.elapsed().as_secs_f64();
        let rounded = |time: f64| (time * 100.0).round() / 100.0;
        match number(params, "minutes") {
            Some(_) => format!("Paused for {:?} minutes", rounded(passed / 60.0)),
            None => format!("Paused for {:?} seconds", rounded(passed)),
        }
    } else {
        match ask(context, params, echo).await {
            Ok(line) => answer = line,
            Err(outcome) => return *outcome,
        }
        let minutes = began.elapsed().as_secs_f64() / 60.0;
        format!("Paused for {minutes:.2} minutes")
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

async fn ask(context: &Context<'_>, params: &Map, echo: bool) -> Result<String, Box<Outcome>> {
    let name = context.prepared.task.title();
    let prompt = text(params, "prompt").unwrap_or("Press enter to continue, Ctrl+C to interrupt");
    let question = format!("[{name}]\n{prompt}:");
    let asks = context.runner().ask.clone();
    let answered = tokio::task::spawn_blocking(move || asks.line(&question, echo)).await;
    let failed = |why: String| Box::new(Outcome::failed(why));
    match answered.map_err(|error| failed(error.to_string()))? {
        Ok(Some(line)) => Ok(line),
        Ok(None) => {
            let told = "Not waiting for response to prompt as stdin is not interactive".to_owned();
            notice(context, told).await;
            Ok(String::new())
        }
        Err(error) => Err(failed(error.to_string())),
    }
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
