//! End-to-end tests, one file a feature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test whose bed can't be made has failed; nothing here is for others"
)]

mod architecture;
mod auth;
mod escalate;
mod inventory;
mod limits;
mod run;
mod store;
mod support;
mod users;
