//! The one table of settings. Reading, documentation, schema and `config show` follow from it.

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A path; `~` is the home folder, relative ones are relative to the file that says so.
    Path,
    /// Yes or no.
    Bool,
    /// A number from 0.
    Count,
    /// `90s`, `5m`, `1h30m`; 0 means none.
    Duration,
    /// Bytes, `64k`, `10M`.
    Size,
    /// One of these.
    Choice(&'static [&'static str]),
    /// `sqlite:PATH`, whose path is one as above, or another address.
    Database,
    /// Vault passwords, `LABEL@FILE` or `LABEL@prompt`; the file is a path as above.
    VaultIds,
    /// Several paths.
    Paths,
    /// Where to listen: `ADDRESS:PORT`, or `off`.
    Listen,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in `ioms.toml`; `IOMS_NAME` in the environment.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The built-in value, as one would write it; nothing where there is none.
    pub default: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// How Ansible says the same.
    pub ansible: Option<Ansible>,
}

/// A setting of Ansible's.
#[derive(Debug, Clone, Copy)]
pub struct Ansible {
    /// The section of `ansible.cfg` that it stands in.
    pub section: &'static str,
    /// Its key there.
    pub key: &'static str,
    /// Its variable.
    pub variable: &'static str,
}

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        name,
        kind,
        default,
        about,
        ansible: None,
    }
}

impl Setting {
    const fn as_in(self, section: &'static str, key: &'static str, variable: &'static str) -> Self {
        Self {
            ansible: Some(Ansible {
                section,
                key,
                variable,
            }),
            ..self
        }
    }

    /// Its variable: `IOMS_FORKS`.
    pub fn variable(&self) -> String {
        format!("IOMS_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

/// How host keys are checked.
pub(super) const HOST_KEY: &[&str] = &["strict", "accept-new", "off"];

/// When there are colours.
pub(super) const COLOR: &[&str] = &["auto", "always", "never"];

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting(
        "inventory",
        Kind::Paths,
        "",
        "Inventories used where `-i` names none.",
    )
    .as_in("defaults", "inventory", "ANSIBLE_INVENTORY"),
    setting(
        "database",
        Kind::Database,
        "",
        "Where runs are recorded: `sqlite:PATH` or `mysql://user@host/name`; without it, `ioms.db` in the data folder. A password in it is taken from `IOMS_DATABASE` or a file of mode 0600.",
    ),
    setting(
        "data_dir",
        Kind::Path,
        "",
        "Folder of the database and the journals; without it, `$XDG_DATA_HOME/ioms`.",
    ),
    setting(
        "forks",
        Kind::Count,
        "500",
        "Hosts at work at a time; fewer where open files are limited.",
    )
    .as_in("defaults", "forks", "ANSIBLE_FORKS"),
    setting(
        "connect_timeout",
        Kind::Duration,
        "10s",
        "Time for each attempt at connecting and logging in.",
    )
    .as_in("defaults", "timeout", "ANSIBLE_TIMEOUT"),
    setting(
        "timeout",
        Kind::Duration,
        "5m",
        "A command's time on a host.",
    ),
    setting(
        "idle_timeout",
        Kind::Duration,
        "0",
        "End a command that says nothing for so long.",
    ),
    setting(
        "retries",
        Kind::Count,
        "0",
        "Further attempts on hosts whose command was not started.",
    ),
    setting(
        "max_output",
        Kind::Size,
        "10M",
        "Output kept of a host, each stream; what is over it is dropped.",
    ),
    setting(
        "confirm_all_above",
        Kind::Count,
        "50",
        "At a terminal, ask before work on all hosts when there are more than this.",
    ),
    setting(
        "host_key",
        Kind::Choice(HOST_KEY),
        "",
        "What to do with host keys that are not on record; without it, as `ssh_config` says, else `strict`.",
    ),
    setting("user", Kind::Text, "", "Log in as this user.").as_in("defaults", "remote_user", "ANSIBLE_REMOTE_USER"),
    setting("private_key", Kind::Path, "", "Private key to log in with.")
        .as_in("defaults", "private_key_file", "ANSIBLE_PRIVATE_KEY_FILE"),
    setting(
        "ssh_args",
        Kind::Text,
        "",
        "Arguments of ssh for every host: `-o`, `-J`, `-F`, `-i`, `-p`.",
    )
    .as_in("ssh_connection", "ssh_args", "ANSIBLE_SSH_ARGS"),
    setting("ssh_common_args", Kind::Text, "", "More of them.")
        .as_in("ssh_connection", "ssh_common_args", "ANSIBLE_SSH_COMMON_ARGS"),
    setting("ssh_extra_args", Kind::Text, "", "More of them.")
        .as_in("ssh_connection", "ssh_extra_args", "ANSIBLE_SSH_EXTRA_ARGS"),
    setting(
        "post_quantum",
        Kind::Bool,
        "true",
        "Offer ML-KEM key exchange; it costs about half a millisecond of CPU a host.",
    ),
    setting(
        "become",
        Kind::Bool,
        "false",
        "Do the work as another user.",
    )
    .as_in("privilege_escalation", "become", "ANSIBLE_BECOME"),
    setting(
        "become_method",
        Kind::Choice(&["sudo", "su", "doas", "runas"]),
        "",
        "By sudo, su, doas or runas.",
    )
    .as_in("privilege_escalation", "become_method", "ANSIBLE_BECOME_METHOD"),
    setting("become_user", Kind::Text, "", "As whom; root unless said.")
        .as_in("privilege_escalation", "become_user", "ANSIBLE_BECOME_USER"),
    setting(
        "become_ask_pass",
        Kind::Bool,
        "false",
        "Ask for the password of becoming, as `-K` does, where no file holds it.",
    )
    .as_in("privilege_escalation", "become_ask_pass", "ANSIBLE_BECOME_ASK_PASS"),
    setting(
        "become_exe",
        Kind::Text,
        "",
        "The program that becomes, where no variable names one.",
    )
    .as_in("privilege_escalation", "become_exe", "ANSIBLE_BECOME_EXE"),
    setting(
        "become_flags",
        Kind::Text,
        "",
        "Its arguments, where no variable gives them.",
    )
    .as_in("privilege_escalation", "become_flags", "ANSIBLE_BECOME_FLAGS"),
    setting(
        "vault_password_file",
        Kind::Path,
        "",
        "File that holds the vault password, or a program that prints it.",
    )
    .as_in("defaults", "vault_password_file", "ANSIBLE_VAULT_PASSWORD_FILE"),
    setting(
        "vault_ids",
        Kind::VaultIds,
        "",
        "Labelled vault passwords: `LABEL@FILE` or `LABEL@prompt`.",
    )
    .as_in("defaults", "vault_identity_list", "ANSIBLE_VAULT_IDENTITY_LIST"),
    setting(
        "vault_encrypt_id",
        Kind::Text,
        "",
        "Label of the vault password to encrypt with, where there are several.",
    )
    .as_in("defaults", "vault_encrypt_identity", "ANSIBLE_VAULT_ENCRYPT_IDENTITY"),
    setting(
        "roles_path",
        Kind::Paths,
        "",
        "Folders of roles, for playbooks.",
    )
    .as_in("defaults", "roles_path", "ANSIBLE_ROLES_PATH"),
    setting(
        "collections_path",
        Kind::Paths,
        "",
        "Folders that hold an `ansible_collections`, for the roles in it.",
    )
    .as_in("defaults", "collections_path", "ANSIBLE_COLLECTIONS_PATH"),
    setting(
        "gathering",
        Kind::Choice(&["implicit", "explicit", "smart"]),
        "implicit",
        "Whether plays that do not say `gather_facts` gather: yes, no, or where no play of the run has gathered before.",
    )
    .as_in("defaults", "gathering", "ANSIBLE_GATHERING"),
    setting(
        "color",
        Kind::Choice(COLOR),
        "auto",
        "Colours: always, never, or at a terminal, unless `NO_COLOR` is set.",
    ),
    setting(
        "alive_within",
        Kind::Duration,
        "3m",
        "A host that was heard of within this time counts as alive.",
    ),
    setting(
        "facts.ttl",
        Kind::Duration,
        "0",
        "Facts that plays have found serve later plays for so long; without it each play gathers its own.",
    ),
    setting(
        "collectors",
        Kind::Paths,
        "",
        "Folders of collectors beside those that ship.",
    ),
    setting(
        "pull.listen",
        Kind::Listen,
        "off",
        "Where hosts fetch files from this controller while an upload runs: `0.0.0.0:8443`.",
    ),
    setting(
        "pull.url",
        Kind::Text,
        "",
        "How hosts see that: `https://NAME:PORT`.",
    ),
    setting(
        "pull.certificate",
        Kind::Path,
        "",
        "Certificate (PEM, with its chain) to do so under; without it, one is made for each run.",
    ),
    setting("pull.key", Kind::Path, "", "Its private key (PEM)."),
    setting(
        "pull.plain_http",
        Kind::Bool,
        "false",
        "No TLS: whoever listens on the way can read the files.",
    ),
];

/// A setting by its name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
