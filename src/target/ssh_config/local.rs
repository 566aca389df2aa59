//! What `ssh_config` may ask of the controller: its user, home, name and environment. Injected, so
//! that tests decide.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The controller's side of tokens and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// `$HOME`.
    pub home: PathBuf,
    /// The name of the user who runs us.
    pub user: String,
    /// Their number.
    pub uid: u32,
    /// This machine's name.
    pub hostname: String,
    /// The environment, for `${NAME}` and `$SSH_AUTH_SOCK`.
    pub env: HashMap<String, String>,
}

impl Local {
    /// Of this process.
    pub fn of_process() -> Self {
        let env: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let uid = rustix::process::getuid().as_raw();
        let entry = passwd_entry(uid);
        let user = entry.as_ref().map(|(user, _)| user.clone());
        Self {
            home: env
                .get("HOME")
                .filter(|home| !home.is_empty())
                .map(PathBuf::from)
                .or_else(|| entry.map(|(_, home)| home))
                .unwrap_or_else(|| PathBuf::from("/")),
            user: user
                .or_else(|| env.get("LOGNAME").cloned())
                .or_else(|| env.get("USER").cloned())
                .unwrap_or_else(|| uid.to_string()),
            uid,
            hostname: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            env,
        }
    }

    /// The path with `~` and `~/` read as the home folder.
    pub fn expand_home(&self, path: &str) -> PathBuf {
        match path.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => self.home.join(rest.trim_start_matches('/')),
            _ => Path::new(path).to_owned(),
        }
    }
}

/// A user's name, of those that passwd(5) has.
pub fn user_name(uid: u32) -> Option<String> {
    passwd_entry(uid).map(|(name, _)| name)
}

/// Name and home of passwd(5); users of other sources are found by the environment.
fn passwd_entry(uid: u32) -> Option<(String, PathBuf)> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [name, _, number, _, _, home, ..] if number.parse() == Ok(uid) => {
                Some(((*name).to_owned(), PathBuf::from(home)))
            }
            _ => None,
        }
    })
}
