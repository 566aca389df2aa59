//! The files of hosts by the ten thousand: what is written is hashed and forgotten, so that no number
//! of hosts fills the memory; what is read was given, or is zeros. Also by SFTP.

mod entry;
mod sftp;
mod store;
mod wire;

pub use entry::{File, Kind};
pub use store::Files;

pub(super) use sftp::serve;
