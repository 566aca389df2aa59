//! Control modules: what is done by the executor itself, one file each; and the way to all others.

mod argument_spec;
mod assert;
mod command;
mod debug;
mod facts;
mod fail;
mod fetch;
mod include;
mod include_vars;
pub(super) mod inventory;
pub(super) mod meta;
mod pause;
mod set_fact;
pub(super) mod set_stats;
mod waiting;

use super::context::Context;
use super::results::Outcome;
use super::{exchange, jobs};
use crate::base::value::{Map, Value};
use crate::event::{ErrorKind, HostError};
use crate::module::Module;
use crate::playbook::commands::command_line;

/// What `async` does not stand with: Ansible's controller does these, or a part of them.
const NOT_ASYNC: &[&str] = &[
    "add_host",
    "assemble",
    "assert",
    "async_status",
    "copy",
    "debug",
    "fail",
    "fetch",
    "gather_facts",
    "group_by",
    "include_vars",
    "pause",
    "raw",
    "reboot",
    "script",
    "set_fact",
    "set_stats",
    "template",
    "unarchive",
    "validate_argument_spec",
    "wait_for_connection",
];

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
    let asynchronous = context.background.is_some() || context.waited_for;
    if asynchronous && NOT_ASYNC.contains(&&*module.name) {
        let action = &context.prepared.task.action.written;
        return Outcome::failed(format!("This action ({action}) does not support async."));
    }
    if let Some(reason) =
        command_line(&module.name, &args).and_then(|line| (context.runner().deny)(&line))
    {
        return Outcome::error(HostError::new(ErrorKind::Denied, reason));
    }
    if let Some(kept) = &context.scope.kept
        && !may_be_done_twice(context, module, &args)
    {
        kept.begin();
    }
    if !module.control {
        return exchange::module(context, module, &args).await;
    }
    match module.settle(&args) {
        Ok(params) => control(context, &module.name, &args, params).await,
        Err(error) => Outcome::refused(&error, context.prepared),
    }
}

/// Whether it does no harm to do it again, where nobody knows how far it came.
fn may_be_done_twice(context: &Context<'_>, module: &Module, args: &Map) -> bool {
    let asks_only = || {
        let method = text(args, "method").unwrap_or("GET");
        &*module.name == "uri" && matches!(method, "GET" | "HEAD" | "OPTIONS")
    };
    context.check || (context.background.is_none() && (module.idempotent || asks_only()))
}

async fn control(context: &Context<'_>, name: &str, args: &Map, mut params: Map) -> Outcome {
    if matches!(name, "include_role" | "include_tasks") {
        // What is named is looked for, what is a default only where it is there.
        params.retain(|name, _| args.contains_key(name) || &**name == "name");
    }
    match name {
        "add_host" => inventory::add_host(context, params),
        "assert" => assert::perform(context, &params),
        "async_status" => jobs::status(context, &params).await,
        "debug" => debug::perform(context, &params),
        "fail" => fail::perform(&params),
        "fetch" => fetch::perform(context, &params).await,
        "gather_facts" => facts::perform(context, args).await,
        "group_by" => inventory::group_by(context, &params),
        "include_role" => include::role(context, params),
        "include_tasks" => include::tasks(context, params),
        "include_vars" => include_vars::perform(context, &params),
        "meta" => meta::perform(context, &params).await,
        "pause" => pause::perform(context, &params).await,
        "raw" => command::raw(context, &params).await,
        "reboot" => waiting::reboot(context, &params).await,
        "script" => command::script(context, &params).await,
        "set_fact" => set_fact::perform(context, params),
        "set_stats" => set_stats::perform(context, &params),
        "validate_argument_spec" => argument_spec::perform(context, &params),
        "wait_for_connection" => waiting::for_connection(context, &params).await,
        other => Outcome::failed(format!("module {other} is not done by this version")),
    }
}

/// A parameter's text.
fn text<'a>(params: &'a Map, name: &str) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}
