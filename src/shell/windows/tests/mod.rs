//! What is said to PowerShell, tried on its real engine.

mod commands;
mod engine;
mod files;
mod pull;
mod runas;
mod scripts;
mod session;
mod texts;
mod wmi;

pub(crate) use texts::newer_than_2;
