//! Playbooks: the model, loading with the place of every value, and the checks made before anything
//! runs. Knows no host and no connection.

mod keyword;
mod model;
pub mod run;
mod written;

pub use keyword::{Inherit, Keyword, Keywords, Kind, Level, RULES, Rule};
pub use model::{
    Action, Args, Block, Handler, Loop, Play, Playbook, Role, RoleUse, Section, Step, Task,
};
pub use written::{Source, Written};
