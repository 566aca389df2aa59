//! Modules: what a task of a playbook can ask of a host. One YAML file a module (`library/`): its
//! parameters, what it returns, and a script per system; in Rust (`hooks/`) only what has to be known
//! of the controller. Pure: arguments become a program, a record becomes a result; no connection.
//!
//! Users' own modules are files of the same form; docs/own-modules.md has the tutorial.

mod answer;
mod args;
mod body;
mod call;
mod content;
mod edit;
mod error;
mod hooks;
mod http;
mod library;
mod page;
mod powershell;
mod result;
mod schema;
mod sh;
mod spec;
mod stat;
mod tree;

#[cfg(test)]
mod tests;

pub use call::{Call, Content, Controller, FileKind, Platform, Said, Situation};
pub use error::ModuleError;
pub use library::{Library, builtin, instead, names};
pub use schema::schema;
pub use spec::{Constraint, Module, Parameter, Returned, Type};
