//! What Ansible's names mean to us, in `ansible.cfg` and in the environment.

use super::error::ConfigError;
use super::identity::weakens;
use super::load::Environment;
use super::settings::{Ignored, Overruled, Settings};
use super::table::{Ansible, Kind, SETTINGS, Setting};
use super::value::{Base, Origin, Value, list, parse};

/// What Ansible says by yes and no, and we by a word.
pub(super) struct Flag {
    pub(super) ansible: Ansible,
    /// Our setting.
    pub(super) setting: &'static str,
    yes: Option<&'static str>,
    no: Option<&'static str>,
}

/// All of these; later ones are stronger.
pub(super) const FLAGS: &[Flag] = &[
    Flag {
        ansible: Ansible {
            section: "defaults",
            key: "host_key_checking",
            variable: "ANSIBLE_HOST_KEY_CHECKING",
        },
        setting: "host_key",
        yes: Some("strict"),
        no: Some("off"),
    },
    Flag {
        ansible: Ansible {
            section: "defaults",
            key: "nocolor",
            variable: "ANSIBLE_NOCOLOR",
        },
        setting: "color",
        yes: Some("never"),
        no: None,
    },
    Flag {
        ansible: Ansible {
            section: "defaults",
            key: "force_color",
            variable: "ANSIBLE_FORCE_COLOR",
        },
        setting: "color",
        yes: Some("always"),
        no: None,
    },
];

/// What a name of Ansible's means.
pub(super) enum Meaning {
    Setting(&'static Setting),
    Flag(&'static Flag),
}

/// The meaning of what fits.
pub(super) fn meaning(fits: impl Fn(&Ansible) -> bool) -> Option<Meaning> {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.ansible.as_ref().is_some_and(&fits));
    let flag = || FLAGS.iter().find(|flag| fits(&flag.ansible));
    setting
        .map(Meaning::Setting)
        .or_else(|| flag().map(Meaning::Flag))
}

impl Meaning {
    /// Which of two that set the same is stronger: the one of the higher rank.
    pub(super) fn rank(&self) -> usize {
        match self {
            Self::Setting(_) => 0,
            Self::Flag(flag) => {
                let at = FLAGS
                    .iter()
                    .position(|each| each.ansible.variable == flag.ansible.variable);
                at.unwrap_or(0)
            }
        }
    }

    /// Our setting and its value; `None`: nothing is said by it.
    pub(super) fn read(
        &self,
        text: &str,
        base: Base<'_>,
    ) -> Result<Option<(&'static str, Value)>, String> {
        Ok(match self {
            // Ansible's lists of folders are as in PATH; those of inventories have commas.
            Self::Setting(setting) if setting.name.ends_with("_path") => {
                let folders = text.split(':').map(str::trim);
                let folders = folders.filter(|folder| !folder.is_empty());
                let folders = list(setting.kind, folders.map(str::to_owned).collect(), base);
                Some((setting.name, folders))
            }
            Self::Setting(setting) => Some((setting.name, parse(setting.kind, text, base)?)),
            Self::Flag(flag) => {
                let yes = parse(Kind::Bool, text, base)? == Value::Bool(true);
                let word = if yes { flag.yes } else { flag.no };
                word.map(|word| (flag.setting, Value::Text(word.to_owned())))
            }
        })
    }
}

/// Takes a value, unless it is none of this source's business to weaken the check of host keys.
pub(super) fn put(
    settings: &mut Settings,
    (setting, value): (&'static str, Value),
    origin: Origin,
    trusted: bool,
    key: &str,
) {
    if !trusted && weakens(setting, &value) {
        settings.overruled.push(Overruled {
            key: key.to_owned(),
            setting,
            origin,
        });
        return;
    }
    if setting == "host_key" {
        settings.of_ssh_alone = Some(origin.clone());
    }
    settings.put(setting, value, origin);
}

/// Whether playbooks mean something else with what is not obeyed.
pub(super) fn changes_plays(key: &str, value: &str) -> bool {
    match key {
        "hash_behaviour" => value.eq_ignore_ascii_case("merge"),
        "error_on_undefined_vars" => {
            ["false", "no", "off", "0"].contains(&value.to_ascii_lowercase().as_str())
        }
        "ansible_managed" => true,
        _ => false,
    }
}

/// Reads Ansible's variables into the settings.
pub(super) fn variables(settings: &mut Settings, env: &Environment) -> Result<(), ConfigError> {
    let base = Base {
        folder: &env.cwd,
        home: &env.home,
    };
    let flags = FLAGS.iter().map(|flag| &flag.ansible);
    let known = SETTINGS.iter().filter_map(|each| each.ansible.as_ref());
    let known: Vec<&Ansible> = known.chain(flags).collect();
    for name in known.iter().map(|ansible| ansible.variable) {
        let (Some(text), Some(meaning)) = (env.get(name), meaning(|each| each.variable == name))
        else {
            continue;
        };
        // Ansible's own plugins may be named in full: `ansible.builtin.sudo`.
        let text = text.strip_prefix("ansible.builtin.").unwrap_or(text);
        let read = meaning.read(text, base).map_err(|why| ConfigError::Given {
            name: name.to_owned(),
            why,
        })?;
        if let Some(read) = read {
            put(
                settings,
                read,
                Origin::Environment(name.to_owned()),
                false,
                name,
            );
        }
    }
    let mut others: Vec<(&String, &String)> = env
        .vars
        .iter()
        .filter(|(name, _)| name.starts_with("ANSIBLE_") && *name != "ANSIBLE_CONFIG")
        .filter(|(name, _)| known.iter().all(|ansible| ansible.variable != **name))
        .collect();
    others.sort();
    settings
        .ignored
        .extend(others.into_iter().map(|(name, value)| {
            let key = name.trim_start_matches("ANSIBLE_").to_ascii_lowercase();
            Ignored {
                name: name.clone(),
                place: "environment".into(),
                of_plays: changes_plays(&key, value),
            }
        }));
    Ok(())
}
