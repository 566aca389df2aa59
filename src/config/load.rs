//! Puts the settings together, the weakest source first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::files::{ansible_cfg as find_ansible_cfg, candidates, read};
use super::settings::{Ignored, Settings};
use super::table::{SETTINGS, find};
use super::toml_file::folder;
use super::value::{Base, Origin, Value, parse};
use super::{ansible, ansible_cfg, toml_file};
use crate::base::url::without_password;

/// What the settings depend on; injected, so that tests decide.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The variables.
    pub vars: HashMap<String, String>,
    /// The working folder.
    pub cwd: PathBuf,
    /// `$HOME`.
    pub home: PathBuf,
    /// `/etc`.
    pub etc: PathBuf,
    /// Who asks.
    pub uid: u32,
}

impl Environment {
    /// Of this process.
    pub fn of_process() -> Self {
        let vars: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            home: vars
                .get("HOME")
                .map_or_else(|| PathBuf::from("/"), PathBuf::from),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            etc: PathBuf::from("/etc"),
            uid: rustix::process::geteuid().as_raw(),
            vars,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.vars
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn config_home(&self) -> PathBuf {
        self.get("XDG_CONFIG_HOME")
            .map_or_else(|| self.home.join(".config"), PathBuf::from)
    }

    fn data_home(&self) -> PathBuf {
        self.get("XDG_DATA_HOME")
            .map_or_else(|| self.home.join(".local/share"), PathBuf::from)
    }
}

/// Loads the settings. `config` replaces all files that would be looked up; `flags` are names of
/// settings with the flag and its text.
pub fn load(
    env: &Environment,
    config: Option<&Path>,
    flags: &[(&str, &str, &str)],
) -> Result<Settings, ConfigError> {
    let mut settings = Settings::new();
    built_in(&mut settings, env);
    let named = config
        .map(Path::to_owned)
        .or_else(|| env.get("IOMS_CONFIG").map(PathBuf::from));
    let base = |path: &Path| folder(path).to_owned();
    let files = if let Some(path) = &named {
        vec![(env.cwd.join(path), false)]
    } else {
        if let Some((path, upward)) = find_ansible_cfg(env)
            && let Some(source) = read(&path, env.uid, upward)?
        {
            let folder = base(&path);
            let base = Base {
                folder: &folder,
                home: &env.home,
            };
            ansible_cfg::apply(&mut settings, &source, base)?;
            settings.files.push(path);
        }
        candidates(env)
    };
    ansible::variables(&mut settings, env)?;
    for (path, upward) in files {
        let Some(source) = read(&path, env.uid, upward)? else {
            if named.is_some() {
                return Err(ConfigError::Read {
                    path,
                    why: "there is no such file".into(),
                });
            }
            continue;
        };
        let folder = base(&path);
        let base = Base {
            folder: &folder,
            home: &env.home,
        };
        toml_file::apply(&mut settings, &source, base)?;
        settings.files.push(path);
    }
    variables(&mut settings, env)?;
    given(&mut settings, env, flags)?;
    Ok(settings)
}

fn built_in(settings: &mut Settings, env: &Environment) {
    let base = Base {
        folder: &env.cwd,
        home: &env.home,
    };
    for setting in SETTINGS
        .iter()
        .filter(|setting| !setting.default.is_empty())
    {
        if let Ok(value) = parse(setting.kind, setting.default, base) {
            settings.put(setting.name, value, Origin::Default);
        }
    }
    settings.put(
        "data_dir",
        Value::Path(env.data_home().join("ioms")),
        Origin::Default,
    );
}

/// Variables of ours that are no settings.
const OTHERS: &[&str] = &["IOMS_CONFIG", "IOMS_TEST_QUICK", "IOMS_BLESS"];

fn variables(settings: &mut Settings, env: &Environment) -> Result<(), ConfigError> {
    let base = Base {
        folder: &env.cwd,
        home: &env.home,
    };
    for setting in SETTINGS {
        let name = setting.variable();
        let Some(text) = env.get(&name) else { continue };
        let value = parse(setting.kind, text, base).map_err(|why| ConfigError::Given {
            name: name.clone(),
            why,
        })?;
        settings.put(setting.name, value, Origin::Environment(name));
    }
    let mut unknown: Vec<&String> = env
        .vars
        .keys()
        .filter(|name| name.starts_with("IOMS_") && !OTHERS.contains(&name.as_str()))
        .filter(|name| SETTINGS.iter().all(|setting| setting.variable() != **name))
        .collect();
    unknown.sort();
    settings
        .ignored
        .extend(unknown.into_iter().map(|name| Ignored {
            name: name.clone(),
            place: "environment".into(),
            of_plays: false,
        }));
    Ok(())
}

fn given(
    settings: &mut Settings,
    env: &Environment,
    flags: &[(&str, &str, &str)],
) -> Result<(), ConfigError> {
    let base = Base {
        folder: &env.cwd,
        home: &env.home,
    };
    for (name, flag, text) in flags {
        let Some(setting) = find(name) else { continue };
        let wrong = |why: String| ConfigError::Given {
            name: (*flag).to_owned(),
            why,
        };
        if *name == "database" && without_password(text).is_some() {
            return Err(wrong(
                "a password in an argument can be read by everybody on this machine: put the address into IOMS_DATABASE or into a settings file of mode 0600".into(),
            ));
        }
        let value = parse(setting.kind, text, base).map_err(wrong)?;
        settings.put(setting.name, value, Origin::Flag((*flag).to_owned()));
    }
    Ok(())
}
