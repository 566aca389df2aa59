//! Control modules: what is done by the executor itself, one file each; and the way to all others.

mod debug;
mod fail;
mod set_fact;

use super::context::Context;
use super::exchange;
use super::results::Outcome;
use crate::event::{ErrorKind, HostError};
use crate::playbook::commands::command_line;

/// Does a task's module once.
pub(super) async fn perform(context: &Context<'_>) -> Outcome {
    let module = match &context.prepared.module {
        Ok(module) => module,
        Err(error) => return Outcome::refused(error, context.prepared),
    };
    let raw: &[&str] = match &*module.name {
        "assert" => &["that"],
        "debug" => &["var"],
        _ => &[],
    };
    let args = match context.arguments(raw) {
        Ok(args) => args,
        Err(wrong) => return Outcome::wrong(&wrong),
    };
    if let Some(reason) =
        command_line(&module.name, &args).and_then(|line| (context.runner().deny)(&line))
    {
        return Outcome::error(HostError::new(ErrorKind::Denied, reason));
    }
    if !module.control {
        return exchange::module(context, module, &args).await;
    }
    let params = match module.settle(&args) {
        Ok(params) => params,
        Err(error) => return Outcome::refused(&error, context.prepared),
    };
    match &*module.name {
        "debug" => debug::perform(context, &params),
        "fail" => fail::perform(&params),
        "set_fact" => set_fact::perform(context, params),
        other => Outcome::failed(format!("the executor has no module {other}")),
    }
}
