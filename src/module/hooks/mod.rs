//! What single modules need of the controller: one file a module, named as it is.

mod assemble;
mod authorized_key;
mod blockinfile;
mod command;
mod copy;
mod cron;
mod file;
mod find;
mod get_url;
mod ini_file;
mod inventories;
mod lineinfile;
mod mount;
mod powershell;
mod replace;
mod repositories;
mod service;
mod setup;
mod start_process;
mod stat;
mod sysctl;
mod template;
mod unarchive;
mod uri;
mod wait_for;

use super::call::{Call, Controller, Said};
use super::error::ModuleError;
use crate::base::value::Map;

/// A module's part on the controller.
pub(super) trait Hook: Sync {
    /// Before the program is made: may change parameters, add variables and a payload.
    fn prepare(&self, _call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        Ok(())
    }

    /// After the record was read: may change the result.
    fn conclude(&self, _call: &Call, _said: &Said, _result: &mut Map) {}
}

/// The hook of a module, where it has one.
pub(super) fn of(module: &str) -> Option<&'static dyn Hook> {
    Some(match module {
        "assemble" => &assemble::Assemble,
        "authorized_key" => &authorized_key::AuthorizedKey,
        "blockinfile" => &blockinfile::BlockInFile,
        "command" => &command::Command,
        "copy" => &copy::Copy,
        "cron" => &cron::Cron,
        "file" => &file::File,
        "deb822_repository" => &repositories::Deb822,
        "find" => &find::Find,
        "get_url" => &get_url::GetUrl,
        "getent" => &inventories::Getent,
        "ini_file" => &ini_file::IniFile,
        "lineinfile" => &lineinfile::LineInFile,
        "mount" => &mount::Mount,
        "package_facts" => &inventories::PackageFacts,
        "powershell" => &powershell::Powershell,
        "replace" => &replace::Replace,
        "service_facts" => &inventories::ServiceFacts,
        "service" | "systemd_service" => &service::Service,
        "setup" => &setup::Setup,
        "stat" => &stat::Stat,
        "sysctl" => &sysctl::Sysctl,
        "template" => &template::Template,
        "unarchive" => &unarchive::Unarchive,
        "uri" => &uri::Uri,
        "shell" => &command::Shell,
        "start_process" => &start_process::StartProcess,
        "wait_for" => &wait_for::WaitFor,
        "yum_repository" => &repositories::Yum,
        _ => return None,
    })
}
