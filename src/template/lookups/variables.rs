//! Lookups of variables and of the environment.

use std::sync::Arc;

use super::super::error::{Cause, Fail, TemplateError, fail};
use super::super::regexes::{Flags, Pattern};
use super::super::val::Val;
use super::{Lookup, Request, lookup};

pub(super) const ALL: &[Lookup] = &[
    lookup("env", "default", env),
    lookup("vars", "default", vars),
    lookup("varnames", "", varnames),
    lookup("config", "**", |_| {
        fail("Ansible's own settings are not there; use variables or lookup('env', ...)")
    }),
];

fn env(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let texts = request.texts()?;
    texts
        .iter()
        .map(|name| {
            let found = match request.cx.scope.controller() {
                Some(controller) => controller.env(name),
                None => std::env::var(name.as_ref()).ok(),
            };
            match (found, request.option("default")) {
                (Some(value), _) => Ok(Val::from(value)),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Ok(Val::str("")),
            }
        })
        .collect()
}

fn vars(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    request
        .terms
        .iter()
        .map(|term| {
            let Val::Str(name) = term else {
                return fail(format!(
                    "Variable name must be a string not {}.",
                    term.type_name()
                ));
            };
            match (request.cx.variable(name)?, request.option("default")) {
                (Some(value), None) => super::super::eval::defined(value),
                (Some(value), Some(default)) if value.is_undefined() => Ok(default.clone()),
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(Box::new(TemplateError::new(
                    Cause::Undefined,
                    format!("No variable named '{name}' was found."),
                ))),
            }
        })
        .collect()
}

fn varnames(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let names = request.cx.scope.names();
    let mut found: Vec<Arc<str>> = Vec::new();
    for term in request.texts()? {
        let pattern = Pattern::new(&term, Flags::default())?;
        for name in &names {
            if pattern.is_match(name)? && !found.contains(name) {
                found.push(name.clone());
            }
        }
    }
    Ok(found.into_iter().map(Val::Str).collect())
}
