//! The arguments of filters, tests, functions, methods and lookups, put into their places as Python
//! does.

use std::sync::Arc;

use super::error::{Fail, fail, failure};
use super::eval::Context;
use super::python;
use super::val::Val;

/// Arguments by name.
pub(super) type Keywords = Vec<(Arc<str>, Val)>;

/// Arguments in the order in which the parameters were declared: `"value width=first blank *rest **more"`.
pub(super) struct Args<'r> {
    pub(super) cx: Context<'r>,
    name: &'static str,
    params: &'static str,
    values: Vec<Option<Val>>,
    /// What `*` takes.
    pub(super) rest: Vec<Val>,
    /// What `**` takes.
    pub(super) keywords: Keywords,
}

impl<'r> Args<'r> {
    pub(super) fn bind(
        cx: Context<'r>,
        name: &'static str,
        params: &'static str,
        positional: Vec<Val>,
        keywords: Keywords,
    ) -> Result<Self, Fail> {
        let names: Vec<&str> = params
            .split_whitespace()
            .filter(|param| !param.starts_with('*'))
            .collect();
        let takes = |mark: &str| params.split_whitespace().any(|param| param == mark);
        let mut values: Vec<Option<Val>> = vec![None; names.len()];
        let mut rest = Vec::new();
        for (at, value) in positional.into_iter().enumerate() {
            match values.get_mut(at) {
                Some(slot) => *slot = Some(value),
                None if takes("*") => rest.push(value),
                None => {
                    return fail(format!(
                        "{name}() takes {} arguments but more were given",
                        names.len()
                    ));
                }
            }
        }
        let mut more = Vec::new();
        for (key, value) in keywords {
            let place = names.iter().position(|param| *param == &*key);
            match place.and_then(|at| values.get_mut(at)) {
                Some(slot @ None) => *slot = Some(value),
                Some(Some(_)) => {
                    return fail(format!("{name}() got multiple values for argument '{key}'"));
                }
                None if takes("**") => more.push((key, value)),
                None => {
                    return fail(format!(
                        "{name}() got an unexpected keyword argument '{key}'"
                    ));
                }
            }
        }
        Ok(Self {
            cx,
            name,
            params,
            values,
            rest,
            keywords: more,
        })
    }

    /// The argument, where it was given.
    pub(super) fn get(&self, at: usize) -> Option<&Val> {
        self.values.get(at).and_then(Option::as_ref)
    }

    /// The argument, where it was given and isn't `none`.
    pub(super) fn some(&self, at: usize) -> Option<&Val> {
        self.get(at).filter(|value| !value.is_none())
    }

    /// The argument, which must be given.
    pub(super) fn need(&self, at: usize) -> Result<&Val, Fail> {
        self.get(at).ok_or_else(|| {
            let param = self.params.split_whitespace().nth(at).unwrap_or("?");
            failure(format!(
                "{}() missing 1 required positional argument: '{param}'",
                self.name
            ))
        })
    }

    /// What is filtered or tested.
    pub(super) fn input(&self) -> Result<&Val, Fail> {
        self.need(0)
    }

    /// The argument as text, whatever it is.
    pub(super) fn text(&self, at: usize) -> Result<Arc<str>, Fail> {
        python::text(self.need(at)?)
    }

    /// The argument as text, where it was given.
    pub(super) fn maybe_text(&self, at: usize) -> Result<Option<Arc<str>>, Fail> {
        self.some(at).map(python::text).transpose()
    }

    /// A number, with what holds where none was given.
    pub(super) fn int(&self, at: usize, default: i128) -> Result<i128, Fail> {
        self.some(at).map_or(Ok(default), python::int)
    }

    /// A count.
    pub(super) fn count(&self, at: usize, default: usize) -> Result<usize, Fail> {
        match self.some(at) {
            Some(value) => usize::try_from(python::int(value)?)
                .map_err(|_| failure(format!("{}: the number is out of range", self.name))),
            None => Ok(default),
        }
    }

    /// Whether it is true.
    pub(super) fn flag(&self, at: usize, default: bool) -> bool {
        self.get(at).map_or(default, python::truth)
    }

    /// The members of what can be gone through.
    pub(super) fn items(&self, at: usize) -> Result<Vec<Val>, Fail> {
        self.cx.items(self.need(at)?)
    }

    /// Whether an argument of that name was given among `**`, which takes it.
    pub(super) fn keyword(&self, name: &str) -> Option<&Val> {
        self.keywords
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }
}
