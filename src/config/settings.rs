//! The settings of this process, and how they are asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::{SETTINGS, find};
use super::value::{Origin, Value};
use crate::base::quantity::show_duration;
use crate::base::url::without_password;

/// A command that must not be run.
#[derive(Debug, Clone)]
pub struct DenyRule {
    /// Commands that fit are denied.
    pub regex: regex::Regex,
    /// Why.
    pub reason: Option<String>,
    /// Where the rule stands.
    pub origin: Origin,
}

/// Something that was found and is not obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// What.
    pub name: String,
    /// Where.
    pub place: String,
    /// Whether playbooks mean something else with it.
    pub of_plays: bool,
}

/// What a project's `ansible.cfg`, or a variable of Ansible's, said of the check of host keys: users have
/// such, so that they are not refused.
#[derive(Debug, Clone)]
pub(super) struct Overruled {
    pub(super) key: String,
    pub(super) setting: &'static str,
    pub(super) origin: Origin,
}

/// A setting as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// Its value; `None`: not set.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    values: HashMap<&'static str, (Value, Origin)>,
    pub(super) deny: Vec<DenyRule>,
    pub(super) ignored: Vec<Ignored>,
    pub(super) files: Vec<PathBuf>,
    pub(super) overruled: Vec<Overruled>,
    /// Where Ansible's words said `host_key`: they mean SSH alone.
    pub(super) of_ssh_alone: Option<Origin>,
}

impl Settings {
    pub(super) fn new() -> Self {
        Self {
            values: HashMap::new(),
            deny: Vec::new(),
            ignored: Vec::new(),
            files: Vec::new(),
            overruled: Vec::new(),
            of_ssh_alone: None,
        }
    }

    pub(super) fn put(&mut self, name: &'static str, value: Value, origin: Origin) {
        debug_assert!(find(name).is_some(), "{name} is not in the table");
        self.values.insert(name, (value, origin));
    }

    /// The files that were read, the weakest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What was found and is not obeyed.
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// What the user should know of the files: where they were not obeyed though somebody may count
    /// on it. Whoever says the setting elsewhere has decided.
    pub fn warnings(&self) -> Vec<String> {
        self.overruled
            .iter()
            .filter(|each| !self.values.contains_key(each.setting))
            .map(|each| {
                let (place, who) = match &each.origin {
                    Origin::File(place) => {
                        (format!("{place}: "), "a file found in the working folder")
                    }
                    _ => (String::new(), "a variable of Ansible's"),
                };
                format!(
                    "{place}`{}` is not obeyed: {who} can't weaken the check of host keys; say `{}` in your own settings",
                    each.key, each.setting
                )
            })
            .collect()
    }

    /// What of Ansible's settings playbooks may count on in vain.
    pub fn warnings_of_plays(&self) -> impl Iterator<Item = String> {
        self.ignored
            .iter()
            .filter(|each| each.of_plays)
            .map(|each| {
                format!(
                    "{}: {} is not obeyed: playbooks run as if it were not there",
                    each.place, each.name
                )
            })
    }

    /// Every setting with its value and origin, in the table's order.
    pub fn shown(&self) -> Vec<Shown> {
        SETTINGS
            .iter()
            .map(|setting| {
                let found = self.values.get(setting.name);
                Shown {
                    name: setting.name,
                    value: found.map(|(value, _)| show(value)),
                    origin: found.map_or(Origin::Default, |(_, origin)| origin.clone()),
                }
            })
            .collect()
    }

    /// Why a command is denied, if a rule denies it.
    pub fn denied(&self, command: &str) -> Option<String> {
        let rule = self.deny.iter().find(|rule| rule.regex.is_match(command))?;
        let reason = rule.reason.as_deref().unwrap_or("this command is denied");
        Some(format!("{reason} (rule at {})", rule.origin))
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some((Value::Text(text), _)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn path(&self, name: &str) -> Option<&Path> {
        match self.values.get(name) {
            Some((Value::Path(path), _)) => Some(path),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some((Value::List(items), _)) => items,
            _ => &[],
        }
    }

    fn duration(&self, name: &str) -> Duration {
        match self.values.get(name) {
            Some((Value::Duration(time), _)) => *time,
            _ => Duration::ZERO,
        }
    }

    fn number(&self, name: &str) -> u64 {
        match self.values.get(name) {
            Some((Value::Count(number) | Value::Size(number), _)) => *number,
            _ => 0,
        }
    }

    fn yes(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some((Value::Bool(true), _)))
    }
}

/// The settings by name; what each means stands in the table.
#[allow(
    missing_docs,
    reason = "the names are the settings', explained in the table"
)]
impl Settings {
    pub fn inventory(&self) -> &[String] {
        self.list("inventory")
    }
    pub fn database(&self) -> Option<&str> {
        self.text("database")
    }
    pub fn data_dir(&self) -> &Path {
        self.path("data_dir").unwrap_or(Path::new("."))
    }
    pub fn forks(&self) -> usize {
        usize::try_from(self.number("forks")).unwrap_or(usize::MAX)
    }
    pub fn connect_timeout(&self) -> Duration {
        self.duration("connect_timeout")
    }
    pub fn timeout(&self) -> Duration {
        self.duration("timeout")
    }
    pub fn idle_timeout(&self) -> Duration {
        self.duration("idle_timeout")
    }
    pub fn retries(&self) -> u32 {
        u32::try_from(self.number("retries")).unwrap_or(u32::MAX)
    }
    pub fn max_output(&self) -> u64 {
        self.number("max_output")
    }
    pub fn confirm_all_above(&self) -> usize {
        usize::try_from(self.number("confirm_all_above")).unwrap_or(usize::MAX)
    }
    pub fn host_key(&self) -> Option<&str> {
        self.text("host_key")
    }
    /// The same for the certificates of WinRM: what Ansible's settings say of host keys is not meant.
    pub fn certificates(&self) -> Option<&str> {
        let (_, origin) = self.values.get("host_key")?;
        self.host_key()
            .filter(|_| self.of_ssh_alone.as_ref() != Some(origin))
    }
    pub fn user(&self) -> Option<&str> {
        self.text("user")
    }
    pub fn private_key(&self) -> Option<&Path> {
        self.path("private_key")
    }
    pub fn ssh_args(&self) -> Option<&str> {
        self.text("ssh_args")
    }
    pub fn ssh_common_args(&self) -> Option<&str> {
        self.text("ssh_common_args")
    }
    pub fn ssh_extra_args(&self) -> Option<&str> {
        self.text("ssh_extra_args")
    }
    pub fn post_quantum(&self) -> bool {
        self.yes("post_quantum")
    }
    pub fn r#become(&self) -> bool {
        self.yes("become")
    }
    pub fn become_method(&self) -> Option<&str> {
        self.text("become_method")
    }
    pub fn become_user(&self) -> Option<&str> {
        self.text("become_user")
    }
    pub fn become_ask_pass(&self) -> bool {
        self.yes("become_ask_pass")
    }
    pub fn become_exe(&self) -> Option<&str> {
        self.text("become_exe")
    }
    pub fn become_flags(&self) -> Option<&str> {
        self.text("become_flags")
    }
    pub fn vault_password_file(&self) -> Option<&Path> {
        self.path("vault_password_file")
    }
    pub fn vault_ids(&self) -> &[String] {
        self.list("vault_ids")
    }
    pub fn vault_encrypt_id(&self) -> Option<&str> {
        self.text("vault_encrypt_id")
    }
    pub fn roles_path(&self) -> &[String] {
        self.list("roles_path")
    }
    pub fn collections_path(&self) -> &[String] {
        self.list("collections_path")
    }
    /// Whether plays gather facts that do not say so.
    pub fn gathers_implicitly(&self) -> bool {
        self.text("gathering") != Some("explicit")
    }
    /// Whether what a play has gathered serves the plays after it.
    pub fn gathers_once(&self) -> bool {
        self.text("gathering") == Some("smart")
    }
    /// Colours whether they can be shown or not; `None`: at a terminal.
    pub fn color(&self) -> Option<bool> {
        match self.text("color") {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        }
    }
    pub fn facts_ttl(&self) -> Duration {
        self.duration("facts.ttl")
    }
    /// `None`: off.
    pub fn pull_listen(&self) -> Option<SocketAddr> {
        self.text("pull.listen")?.parse().ok()
    }
    pub fn pull_url(&self) -> Option<&str> {
        self.text("pull.url")
    }
    pub fn pull_certificate(&self) -> Option<&Path> {
        self.path("pull.certificate")
    }
    pub fn pull_key(&self) -> Option<&Path> {
        self.path("pull.key")
    }
    pub fn pull_plain_http(&self) -> bool {
        self.yes("pull.plain_http")
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Text(text) => without_password(text).unwrap_or_else(|| text.clone()),
        Value::Path(path) => path.display().to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Count(number) => number.to_string(),
        Value::Duration(time) if time.is_zero() => "0 (none)".to_owned(),
        Value::Duration(time) => show_duration(*time),
        Value::Size(bytes) => bytes.to_string(),
        Value::List(items) => items.join(", "),
    }
}
