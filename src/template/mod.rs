//! Templates in variables, conditions and files: Jinja as Ansible speaks it. minijinja parses; what
//! a template means is Python's, and worked out here, within bounds. Knows no inventory: where
//! variables, files and commands come from is a trait.

#![allow(
    clippy::unnecessary_box_returns,
    reason = "errors go up boxed; what makes one gives it that way"
)]
#![allow(
    clippy::single_match_else,
    clippy::match_bool,
    clippy::needless_for_each,
    reason = "a match reads as the table of cases that it is"
)]

mod args;
mod cache;
mod check;
mod convert;
mod embedded;
mod error;
mod eval;
mod expressions;
mod filters;
mod functions;
mod header;
mod literals;
mod lookups;
mod lower;
mod names;
mod object;
mod python;
mod regexes;
mod render;
mod scope;
mod syntax;
mod tests;
mod val;
mod version;

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod oracle;

pub use check::{Meant, Uses, check, check_text, names_used, names_used_by_text};
pub use error::{Cause, TemplateError, TextPlace};
pub use filters::{password_hash, random_salt};
pub use lower::Problem;
pub use names::{filters as filter_names, lookups as lookup_names, tests as test_names};
pub use render::{Rendered, TextOptions, condition, lookup, render, render_text};
pub use scope::{
    Change, Controller, Found, LazyItem, LazyMap, PathKind, Scope, ScopeMap, WebRequest,
};
