//! Hosts, groups, variables and patterns, from the files that Ansible's users have. Opens no
//! connection; what it needs of vaults comes in as a closure.

mod address;
mod csv;
mod dynamic;
mod error;
mod export;
mod growing;
pub mod hostset;
mod ini;
mod load;
mod lookup;
mod model;
pub mod pattern;
mod python;
mod show;
mod source;
mod vars;
mod yaml_format;

pub use csv::{Imported, import_csv};
pub use error::InventoryError;
pub use export::{graph, list_document};
pub use load::{Loader, is_host_list};
pub use model::{GroupIx, Inventory, Located, Vars, VaultFile};
pub use pattern::{Pattern, PatternError, Selection, select};
pub use show::to_json;
