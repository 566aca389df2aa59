//! Windows hosts end to end: the project's WinRM server in front of `/bin/sh` (for speed), Wine (for
//! real console programs) and PowerShell's engine.

mod bed;
mod booting;
mod commands;
mod doctor;
mod faults;
mod files;
mod identity;
mod lasting;
mod login;
mod modules;
mod over_ssh;
mod powershell;
mod quotas;
mod text;
mod uploads;
mod wine;
#[cfg(feature = "winrm-rs")]
mod winrm_rs;
