//! Files between the controller and its hosts: what is sent, in which way, and what becomes of it.
//! Knows hosts through `transport` and says things to them through `shell`; prints nothing.

pub mod content;
pub mod pull;
