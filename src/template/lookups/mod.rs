//! Lookups, by topic. What touches the controller goes through the scope.

mod files;
mod lists;
mod password;
mod tables;
mod variables;

use std::sync::Arc;

use super::args::{Args, Keywords};
use super::error::{Cause, Fail, fail};
use super::eval::Context;
use super::names;
use super::python;
use super::val::Val;

/// A lookup.
pub(super) struct Lookup {
    pub(super) name: &'static str,
    /// Its options.
    pub(super) options: &'static str,
    pub(super) run: fn(&Request<'_>) -> Result<Vec<Val>, Fail>,
}

/// What is asked for.
pub(super) struct Request<'r> {
    pub(super) cx: &'r Context<'r>,
    pub(super) terms: Vec<Val>,
    pub(super) options: Keywords,
}

impl Request<'_> {
    /// An option, where it was given.
    pub(super) fn option(&self, name: &str) -> Option<&Val> {
        let given = self.options.iter().rev();
        given
            .filter(|(key, _)| &**key == name)
            .map(|(_, value)| value)
            .find(|value| !value.is_none())
    }

    /// An option as text.
    pub(super) fn text(&self, name: &str) -> Result<Option<Arc<str>>, Fail> {
        self.option(name).map(python::text).transpose()
    }

    /// An option as yes or no; words are fine.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.option(name) {
            Some(Val::Str(word)) => matches!(
                word.to_ascii_lowercase().as_str(),
                "yes" | "on" | "1" | "true" | "t" | "y"
            ),
            Some(value) => python::truth(value),
            None => default,
        }
    }

    /// The terms as texts.
    pub(super) fn texts(&self) -> Result<Vec<Arc<str>>, Fail> {
        self.terms.iter().map(python::text).collect()
    }
}

const fn lookup(
    name: &'static str,
    options: &'static str,
    run: fn(&Request<'_>) -> Result<Vec<Val>, Fail>,
) -> Lookup {
    Lookup { name, options, run }
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Lookup> {
    [
        lists::ALL,
        variables::ALL,
        files::ALL,
        tables::ALL,
        password::ALL,
    ]
    .into_iter()
    .flatten()
}

/// Looks something up.
pub(super) fn run(
    cx: &Context<'_>,
    name: &str,
    terms: Vec<Val>,
    options: Keywords,
) -> Result<Vec<Val>, Fail> {
    let Some(lookup) = names::lookup(name) else {
        let hint = names::closest(name, names::lookups())
            .map_or_else(String::new, |close| format!(" Did you mean '{close}'?"));
        return fail(format!("The lookup plugin '{name}' was not found.{hint}"));
    };
    for (key, _) in &options {
        let known = lookup.options.split_whitespace();
        if !known
            .clone()
            .any(|option| option == &**key || option == "**")
        {
            return fail(format!(
                "The lookup plugin '{name}' failed: it has no option '{key}'; it has: {}",
                known.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    let request = Request { cx, terms, options };
    (lookup.run)(&request).map_err(|mut error| {
        if error.cause == Cause::Other && !error.message.starts_with("The lookup plugin") {
            error.message = format!(
                "The lookup plugin '{}' failed: {}",
                lookup.name, error.message
            );
        }
        error
    })
}

/// `lookup(...)` and `query(...)` in templates.
pub(super) fn function(args: &Args<'_>, wantlist: bool) -> Result<Val, Fail> {
    let name = args.text(0)?;
    let mut wantlist = wantlist;
    let mut errors: Arc<str> = Arc::from("strict");
    let mut options = Keywords::new();
    for (key, value) in &args.keywords {
        match &**key {
            "wantlist" => wantlist = python::truth(value),
            "errors" => errors = python::text(value)?,
            _ => options.push((key.clone(), value.clone())),
        }
    }
    if !matches!(&*errors, "strict" | "warn" | "ignore") {
        return fail(format!(
            "Invalid error mode '{errors}': strict, warn, ignore"
        ));
    }
    let found = match run(&args.cx, &name, args.rest.clone(), options) {
        Ok(found) => found,
        Err(error) if error.cause == Cause::Other && &*errors != "strict" => {
            return Ok(if wantlist {
                Val::list(Vec::new())
            } else {
                Val::None
            });
        }
        Err(error) => return Err(error),
    };
    if wantlist {
        return Ok(Val::list(found));
    }
    // Several texts are one with commas; anything else is itself, alone or as a list.
    match found.as_slice() {
        [only] => Ok(only.clone()),
        many if many.iter().all(|item| item.as_str().is_some()) => {
            let texts: Vec<&str> = many.iter().filter_map(Val::as_str).collect();
            Ok(Val::from(texts.join(",")))
        }
        _ => Ok(Val::list(found)),
    }
}
