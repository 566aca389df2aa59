//! Settings: one table says what there is; each value knows where it came from. Weakest first:
//! built in, `ansible.cfg`, `ANSIBLE_*`, `/etc/ioms/ioms.toml`, the user's `ioms.toml`, one found upward from the
//! working folder, `IOMS_*`, flags.

mod ansible;
mod ansible_cfg;
mod documentation;
mod error;
mod files;
mod identity;
mod load;
mod settings;
mod table;
mod toml_file;
mod value;

pub use documentation::{markdown, schema};
pub use error::ConfigError;
pub use load::{Environment, load};
pub use settings::{DenyRule, Ignored, Settings, Shown};
pub use table::{Ansible, Kind, SETTINGS, Setting};
pub use value::{Origin, Value, vault_id};

#[cfg(test)]
mod tests;
