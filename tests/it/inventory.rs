//! Inventories: held against Ansible's answers, against set algebra, and for what they say when
//! something is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where what it needs is not there"
)]

mod algebra;
mod csv;
mod errors;
mod examples;
mod large;
mod oracle;
mod vaults;

use std::path::Path;

use ioms::inventory::{Inventory, InventoryError, Loader};

/// An inventory of a text; the name says what format it has.
fn read(name: &str, text: &str) -> Result<Inventory, InventoryError> {
    let mut loader = Loader::new(None);
    loader.add_text(Path::new(name), text)?;
    Ok(loader.finish())
}
