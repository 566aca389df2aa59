//! `iomsctl upload`, end to end on real OpenSSH hosts.

pub mod bed;
mod failures;
mod mirror;
mod places;
mod resuming;
mod trees;
mod ways;
