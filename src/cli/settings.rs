//! From the flags to the settings (under construction).
use std::time::Duration;
use super::{CliError, Globals};
use crate::config::Settings;
pub(super) fn load(globals: &Globals) -> Result<Settings, CliError> {
    let home = std::env::var("HOME").unwrap_or_default();
    Ok(Settings { inventory: std::env::var("IOMS_INVENTORY").map(|i| vec![i]).unwrap_or_default(), database: globals.database.clone(), data_dir: globals.data_dir.clone().or(std::env::var_os("IOMS_DATA_DIR").map(Into::into)).unwrap_or_else(|| format!("{home}/.local/share/ioms").into()), forks: 500, connect_timeout: Duration::from_secs(10), timeout: Duration::from_secs(300), idle_timeout: Duration::ZERO, retries: 0, max_output: 10 << 20, confirm_all_above: 50, host_key: None, user: None, private_key: None, ssh_args: None, ssh_common_args: None, ssh_extra_args: None, r#become: false, become_method: None, become_user: None, vault_password_file: None, vault_ids: vec![], post_quantum: true })
}
