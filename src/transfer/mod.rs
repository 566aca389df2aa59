//! Files to hosts and from them, checked: what is sent is what differs, and what arrived is read back
//! before it is put in its place. Decides and drives for one host at a time, over a [`Link`] that
//! `engine` lends; prints nothing and knows no shell's words.

mod hashing;
mod link;
mod pump;
mod remote;
mod sftp;

pub use link::{Input, Link, Sink, Trouble};
