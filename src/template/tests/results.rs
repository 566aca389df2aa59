//! Tests of what a task returned.

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::Val;
use super::{Test, tolerant};

pub(super) const ALL: &[Test] = &[
    tolerant("failed", "value", |args| failed(args, "failed")),
    tolerant("failure", "value", |args| failed(args, "failed")),
    tolerant("succeeded", "value", |args| {
        failed(args, "failed").map(|yes| !yes)
    }),
    tolerant("success", "value", |args| {
        failed(args, "failed").map(|yes| !yes)
    }),
    tolerant("successful", "value", |args| {
        failed(args, "failed").map(|yes| !yes)
    }),
    tolerant("unreachable", "value", |args| failed(args, "unreachable")),
    tolerant("reachable", "value", |args| {
        failed(args, "unreachable").map(|yes| !yes)
    }),
    tolerant("skipped", "value", |args| failed(args, "skipped")),
    tolerant("skip", "value", |args| failed(args, "skipped")),
    tolerant("changed", "value", changed),
    tolerant("change", "value", changed),
    tolerant("finished", "value", |args| asynchronous(args, "finished")),
    tolerant("started", "value", |args| asynchronous(args, "started")),
    tolerant("timedout", "value", |args| {
        let period = result(args, "timedout")?.and_then(|value| member(args, &value, "period"));
        Ok(period.is_some_and(|value| python::truth(&value)))
    }),
];

fn result(args: &Args<'_>, name: &str) -> Result<Option<Val>, Fail> {
    let value = super::super::eval::defined(args.input()?.clone())?;
    if !value.is_mapping() {
        return fail(format!("The '{name}' test expects a dictionary"));
    }
    Ok(member(args, &value, name))
}

fn member(args: &Args<'_>, value: &Val, name: &str) -> Option<Val> {
    args.cx
        .item(value, &Val::str(name))
        .ok()
        .filter(|found| !found.is_undefined() && !matches!(found, Val::Object(_)))
}

fn failed(args: &Args<'_>, name: &str) -> Result<bool, Fail> {
    Ok(result(args, name)?.is_some_and(|value| python::truth(&value)))
}

/// A loop's result has changed when one of its items has.
fn changed(args: &Args<'_>) -> Result<bool, Fail> {
    if let Some(value) = result(args, "changed")? {
        return Ok(python::truth(&value));
    }
    let Some(results) = member(args, args.input()?, "results") else {
        return Ok(false);
    };
    Ok(args
        .cx
        .items(&results)?
        .iter()
        .any(|item| member(args, item, "changed").is_some_and(|value| python::truth(&value))))
}

/// A task that ran to its end in the foreground counts as started and finished.
fn asynchronous(args: &Args<'_>, name: &str) -> Result<bool, Fail> {
    let value = result(args, name)?;
    if member(args, args.input()?, "ansible_job_id").is_none() && value.is_none() {
        return Ok(true);
    }
    Ok(value.is_some_and(|value| python::truth(&value)))
}
