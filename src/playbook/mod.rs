//! Playbooks: the model, loading with the place of every value, and the checks made before anything
//! runs. Knows no host and no connection.

mod action;
mod ad_hoc;
mod commands;
mod files;
mod includes;
mod keyword;
mod kinds;
mod kv;
mod lint;
mod list;
mod loader;
mod model;
mod modules;
mod names;
mod places;
mod play;
mod problem;
mod reading;
mod roles;
pub mod run;
mod runtime;
mod specs;
mod steps;
mod tags;
mod task;
mod templates;
#[cfg(test)]
mod tests;
mod written;

pub use ad_hoc::AdHoc;
pub use commands::{constant_commands, constant_secrets};
pub use files::OpenVault;
pub use kinds::as_bool;
pub use lint::{Report as LintReport, lint};
pub use list::{HostsOf, Listing, patterns, play_name, syntax_check, task_tags};
pub use loader::{Counted, Loaded, Loader, Options};
pub use problem::{LintRule, Problem, Refused, Severity};
pub use roles::From;
pub use runtime::RoleRequest;
pub use tags::TagSelection;

pub use keyword::{Inherit, Keyword, Keywords, Kind, Level, RULES, Rule};
pub use model::{
    Action, Args, Block, Handler, Loop, Play, Playbook, Role, RoleUse, Section, Step, Task,
};
pub use written::{Source, Written};
