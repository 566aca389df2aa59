//! The test bed: fleets of real OpenSSH hosts on loopback addresses, hosts that fail in every known
//! way, an SSH server with canned answers for scale, whole Debian systems, a WinRM server, and a
//! database. Everything lives in temporary
//! folders and ends with the value that started it.

mod ansible;
mod background;
mod canned;
mod error;
pub mod failing;
mod folder;
mod hosts;
mod inventory;
mod keys;
mod known_hosts;
mod left_out;
mod mariadb;
mod process;
mod sshd;
mod system;
mod system_user;
mod tree;
pub mod windows;

pub use ansible::ansible;
pub use canned::{Answer, Canned, File, Files, Kind, Output};
pub use error::{Error, Result};
pub use hosts::{address, host_names};
pub use left_out::left_out;
pub use mariadb::MariaDb;
pub use sshd::{Sshd, SshdBuilder};
pub use system::{Base, SystemFleet, SystemFleetBuilder, SystemHost};
pub use system_user::SystemUser;
pub use tree::{Entry, Tree};
pub use windows::Windows;
