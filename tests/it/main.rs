//! End-to-end tests, one file a feature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    missing_docs,
    unreachable_pub,
    reason = "a test whose bed can't be made has failed; nothing here is for others, or large"
)]

mod architecture;
mod auth;
mod choosing;
mod doctor;
mod download;
mod escalate;
mod handing;
mod history;
mod hostkeys;
mod inventory;
mod limits;
mod lint;
mod modules_system;
mod notices;
mod oracle;
mod play;
mod progress;
mod pulling;
mod repository;
mod run;
mod secrets;
mod settings;
mod store;
mod support;
mod terminal;
mod upload;
mod users;
mod vault;
mod ways;
mod windows;
