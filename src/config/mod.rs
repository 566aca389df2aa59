//! Settings (under construction).

use std::path::PathBuf;
use std::time::Duration;

/// Settings.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "temporary")]
pub struct Settings {
    pub inventory: Vec<String>,
    pub database: Option<String>,
    pub data_dir: PathBuf,
    pub forks: usize,
    pub connect_timeout: Duration,
    pub timeout: Duration,
    pub idle_timeout: Duration,
    pub retries: u32,
    pub max_output: u64,
    pub confirm_all_above: usize,
    pub host_key: Option<String>,
    pub user: Option<String>,
    pub private_key: Option<String>,
    pub ssh_args: Option<String>,
    pub ssh_common_args: Option<String>,
    pub ssh_extra_args: Option<String>,
    pub r#become: bool,
    pub become_method: Option<String>,
    pub become_user: Option<String>,
    pub vault_password_file: Option<PathBuf>,
    pub vault_ids: Vec<String>,
    pub post_quantum: bool,
}

impl Settings {
    /// Why a command is denied, if a rule denies it.
    pub fn denied(&self, _command: &str) -> Option<&str> { None }
}
