//! Where settings come from and which wins, and that the docs say the same.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

struct Lab {
    folder: tempfile::TempDir,
    env: Environment,
}

fn lab() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["etc/ioms", "home/.config/ioms", "work/deep", "etc/ansible"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    let env = Environment {
        vars: HashMap::new(),
        cwd: at("work/deep"),
        home: at("home"),
        etc: at("etc"),
        uid: rustix::process::geteuid().as_raw(),
    };
    Lab { folder, env }
}

impl Lab {
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        load(&self.env, None, &[])
    }

    /// An error without the names of temporary folders.
    fn error(&self) -> String {
        let text = self.load().unwrap_err().to_string();
        text.replace(&self.folder.path().display().to_string(), "")
    }

    fn origin(&self, settings: &Settings, name: &str) -> String {
        let shown = settings.shown();
        let found = shown.iter().find(|each| each.name == name).unwrap();
        found
            .origin
            .to_string()
            .replace(&self.folder.path().display().to_string(), "")
    }
}

#[test]
fn the_stronger_source_wins_and_is_named() {
    let mut lab = lab();
    assert_eq!(lab.load().unwrap().forks(), 500);
    let steps: [(&str, &str, usize, &str); 4] = [
        (
            "home/.ansible.cfg",
            "[defaults]\nforks = 11\n",
            11,
            "/home/.ansible.cfg:2",
        ),
        (
            "etc/ioms/ioms.toml",
            "forks = 12\n",
            12,
            "/etc/ioms/ioms.toml:1",
        ),
        (
            "home/.config/ioms/ioms.toml",
            "# mine\nforks = 13\n",
            13,
            "/home/.config/ioms/ioms.toml:2",
        ),
        ("work/ioms.toml", "forks = 14\n", 14, "/work/ioms.toml:1"),
    ];
    for (file, text, expected, origin) in steps {
        lab.write(file, text);
        let settings = lab.load().unwrap();
        assert_eq!(settings.forks(), expected);
        assert_eq!(lab.origin(&settings, "forks"), origin);
    }
    lab.env.vars.insert("IOMS_FORKS".into(), "15".into());
    assert_eq!(lab.load().unwrap().forks(), 15);
    let settings = load(&lab.env, None, &[("forks", "--forks", "16")]).unwrap();
    assert_eq!(
        (settings.forks(), lab.origin(&settings, "forks")),
        (16, "--forks".into())
    );
    let named = lab.folder.path().join("etc/ioms/ioms.toml");
    lab.env.vars.clear();
    assert_eq!(load(&lab.env, Some(&named), &[]).unwrap().forks(), 12);
}

#[test]
fn ansible_cfg_is_read_and_what_is_ignored_is_named() {
    let lab = lab();
    lab.write(
        "home/.ansible.cfg",
        "[defaults]\ninventory = hosts.ini, more\nhost_key_checking = False\ntimeout: 30 ; seconds\ncallback = yaml\n\n[privilege_escalation]\nbecome = True\n",
    );
    lab.write("home/hosts.ini", "");
    lab.write("home/more", "");
    let settings = lab.load().unwrap();
    assert_eq!(settings.host_key(), Some("off"));
    assert_eq!(settings.certificates(), None, "Ansible means SSH alone");
    assert_eq!(settings.connect_timeout().as_secs(), 30);
    assert!(settings.r#become());
    let inventory: Vec<&Path> = settings.inventory().iter().map(Path::new).collect();
    assert_eq!(
        inventory,
        [lab.env.home.join("hosts.ini"), lab.env.home.join("more")]
    );
    assert_eq!(settings.ignored().len(), 1);
    assert_eq!(settings.ignored()[0].name, "[defaults] callback");
    assert_eq!(settings.warnings_of_plays().count(), 0);
}

#[test]
fn color_is_forced_wherever_ansible_cfg_says_so() {
    for lines in [
        "force_color = True\nnocolor = True",
        "nocolor = True\nforce_color = True",
    ] {
        let lab = lab();
        lab.write("home/.ansible.cfg", &format!("[defaults]\n{lines}\n"));
        assert_eq!(lab.load().unwrap().color(), Some(true), "{lines}");
    }
}

#[test]
fn plugins_of_ansible_may_be_named_in_full() {
    let mut lab = lab();
    let (name, value) = ("ANSIBLE_BECOME_METHOD", "ansible.builtin.su");
    lab.env.vars.insert(name.into(), value.into());
    assert!(lab.load().is_ok());
}

#[test]
fn ansibles_variables_are_stronger_than_its_file_and_weaker_than_ours() {
    let mut lab = lab();
    lab.write(
        "home/.ansible.cfg",
        "[defaults]\nforks = 11\ntimeout = 11\nroles_path = ~/r:s\nnocolor = 1\n",
    );
    lab.write("home/.config/ioms/ioms.toml", "connect_timeout = \"12s\"\n");
    let settings = lab.load().unwrap();
    let at = |name: &str| lab.folder.path().join(name).display().to_string();
    assert_eq!(settings.roles_path(), [at("home/r"), at("home/s")]);
    assert_eq!(settings.color(), Some(false));
    let variables = [
        ("ANSIBLE_FORKS", "21"),
        ("ANSIBLE_TIMEOUT", "21"),
        ("ANSIBLE_REMOTE_USER", "ops"),
        ("ANSIBLE_BECOME", "t"),
        ("ANSIBLE_VAULT_PASSWORD_FILE", "pw"),
        ("ANSIBLE_PRIVATE_KEY_FILE", "~/id"),
        ("ANSIBLE_INVENTORY", "h1,h2"),
        ("ANSIBLE_COLLECTIONS_PATH", "c:/usr/share/c"),
        ("ANSIBLE_GATHERING", "explicit"),
        ("ANSIBLE_FORCE_COLOR", "true"),
        ("ANSIBLE_STDOUT_CALLBACK", "yaml"),
        ("ANSIBLE_HASH_BEHAVIOUR", "merge"),
    ];
    for (name, value) in variables {
        lab.env.vars.insert(name.into(), value.into());
    }
    let settings = lab.load().unwrap();
    let at = |name: &str| lab.folder.path().join(name);
    assert_eq!(
        (settings.forks(), lab.origin(&settings, "forks")),
        (21, "ANSIBLE_FORKS".into())
    );
    assert_eq!(settings.connect_timeout().as_secs(), 12);
    assert_eq!(settings.user(), Some("ops"));
    assert!(settings.r#become() && !settings.gathers_implicitly());
    assert_eq!(settings.vault_password_file(), Some(&*at("work/deep/pw")));
    assert_eq!(settings.private_key(), Some(&*at("home/id")));
    assert_eq!(settings.inventory(), ["h1,h2"]);
    let collections = [
        at("work/deep/c").display().to_string(),
        "/usr/share/c".into(),
    ];
    assert_eq!(settings.collections_path(), collections);
    assert_eq!(settings.color(), Some(true), "stronger than nocolor");
    let ignored: Vec<&str> = settings.ignored().iter().map(|each| &*each.name).collect();
    assert_eq!(
        ignored,
        ["ANSIBLE_HASH_BEHAVIOUR", "ANSIBLE_STDOUT_CALLBACK"]
    );
    let warnings: Vec<String> = settings.warnings_of_plays().collect();
    assert!(warnings[0].contains("ANSIBLE_HASH_BEHAVIOUR is not obeyed"));
    lab.env.vars.insert("IOMS_FORKS".into(), "31".into());
    assert_eq!(lab.load().unwrap().forks(), 31);
    lab.env.vars.insert("ANSIBLE_FORKS".into(), "many".into());
    assert!(lab.error().contains("ANSIBLE_FORKS: `many` is no number"));
}

#[test]
fn ansibles_variables_cannot_weaken_the_check_of_host_keys() {
    let mut lab = lab();
    for (name, value) in [
        ("ANSIBLE_HOST_KEY_CHECKING", "False"),
        ("ANSIBLE_SSH_ARGS", "-o StrictHostKeyChecking=no"),
    ] {
        lab.env.vars.insert(name.into(), value.into());
    }
    let settings = lab.load().unwrap();
    assert_eq!((settings.host_key(), settings.ssh_args()), (None, None));
    let warnings = settings.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("`ANSIBLE_SSH_ARGS` is not obeyed: a variable of Ansible's can't"),
        "{warnings:?}"
    );
    lab.env.vars.insert("IOMS_HOST_KEY".into(), "off".into());
    let settings = lab.load().unwrap();
    assert_eq!(
        (settings.host_key(), settings.warnings().len()),
        (Some("off"), 1)
    );
    lab.env.vars.remove("IOMS_HOST_KEY");
    let strict = ("ANSIBLE_HOST_KEY_CHECKING".into(), "True".into());
    lab.env.vars.extend([strict]);
    assert_eq!(lab.load().unwrap().host_key(), Some("strict"));
}

#[test]
fn what_playbooks_may_count_on_in_vain_is_warned_of() {
    let lab = lab();
    lab.write(
        "home/.ansible.cfg",
        "[defaults]\nhash_behaviour = merge\nerror_on_undefined_vars = True\nlibrary = x\n",
    );
    let warnings: Vec<String> = lab.load().unwrap().warnings_of_plays().collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains(".ansible.cfg:2: [defaults] hash_behaviour is not obeyed"),
        "{warnings:?}"
    );
}

#[test]
fn mistakes_in_a_file_are_shown_with_their_place() {
    let lab = lab();
    lab.write("work/ioms.toml", "forks = 5\nfroks = 6\n");
    insta::assert_snapshot!(lab.error(), @r"
    /work/ioms.toml:2:1: there is no setting `froks`
      |
    2 | froks = 6
      | ^
    help: did you mean `forks`?
    ");
    lab.write("work/ioms.toml", "timeout = \"soon\"\n");
    insta::assert_snapshot!(lab.error(), @r#"
    /work/ioms.toml:1:11: timeout: `soon` is not a duration: write `90` (seconds), `90s`, `5m`, `2h`, `1d` or `1h30m`; 0 means none
      |
    1 | timeout = "soon"
      |           ^
    "#);
    lab.write("work/ioms.toml", "forks = \n");
    assert!(
        lab.error().starts_with("/work/ioms.toml:1:"),
        "{}",
        lab.error()
    );
}

#[test]
fn a_file_that_others_could_have_written_is_refused() {
    let lab = lab();
    lab.write("work/ioms.toml", "forks = 5\n");
    let path = lab.folder.path().join("work/ioms.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    assert!(lab.error().contains("others may write to it"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    if lab.env.uid == 0 {
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        assert!(lab.error().contains("belongs to another user (12345)"));
    } else {
        let mut other = lab.env.clone();
        other.uid += 1;
        assert!(
            load(&other, None, &[])
                .unwrap_err()
                .to_string()
                .contains("belongs to another user")
        );
    }
}

#[test]
fn a_project_cannot_weaken_the_check_of_host_keys() {
    let lab = lab();
    lab.write("work/ioms.toml", "host_key = \"off\"\n");
    assert!(lab.error().contains("can't weaken the check of host keys"));
    for name in ["ssh_args", "ssh_common_args", "ssh_extra_args"] {
        for weak in ["-o StrictHostKeyChecking=no", "-F other"] {
            lab.write("work/ioms.toml", &format!("{name} = \"{weak}\"\n"));
            assert!(lab.error().contains("can't weaken the check of host keys"));
        }
    }
    lab.write("work/ioms.toml", "ssh_args = \"-J gate\"\n");
    assert_eq!(lab.load().unwrap().ssh_args(), Some("-J gate"));
    lab.write("work/ioms.toml", "host_key = \"strict\"\n");
    assert_eq!(lab.load().unwrap().host_key(), Some("strict"));
    lab.write("work/ioms.toml", "");
    lab.write("home/.config/ioms/ioms.toml", "host_key = \"accept-new\"\n");
    assert_eq!(lab.load().unwrap().host_key(), Some("accept-new"));
    assert_eq!(lab.load().unwrap().certificates(), Some("accept-new"));
}

#[test]
fn a_project_cannot_say_how_hosts_fetch_from_here_and_the_user_can() {
    let mut lab = lab();
    for line in [
        "plain_http = true",
        "listen = \"0.0.0.0:1\"",
        "url = \"https://evil.example\"",
        "certificate = \"c.pem\"",
        "key = \"k.pem\"",
    ] {
        for text in [format!("[pull]\n{line}\n"), format!("pull.{line}\n")] {
            lab.write("work/ioms.toml", &text);
            assert!(lab.error().contains("how hosts fetch"), "{}", lab.error());
        }
    }
    lab.write("work/ioms.toml", "");
    let settings = lab.load().unwrap();
    assert_eq!(
        (
            settings.pull_listen(),
            settings.pull_url(),
            settings.pull_key()
        ),
        (None, None, None)
    );
    assert!(!settings.pull_plain_http());
    let text = "[pull]\nlisten = \"[::]:8443\"\nurl = \"https://ops:8443\"\nkey = \"k.pem\"\n";
    lab.write("home/.config/ioms/ioms.toml", text);
    let variable = |lab: &mut Lab, value: &str| {
        lab.env.vars.insert("IOMS_PULL_LISTEN".into(), value.into());
    };
    let settings = lab.load().unwrap();
    assert_eq!(settings.pull_listen(), Some("[::]:8443".parse().unwrap()));
    assert_eq!(settings.pull_url(), Some("https://ops:8443"));
    assert!(settings.pull_key().unwrap().ends_with(".config/ioms/k.pem"));
    variable(&mut lab, "off");
    assert_eq!(lab.load().unwrap().pull_listen(), None);
    variable(&mut lab, "8443");
    assert!(
        lab.error()
            .contains("IOMS_PULL_LISTEN: `8443` is no address")
    );
}

#[test]
fn a_projects_ansible_cfg_is_not_obeyed_where_it_weakens_the_check_of_host_keys() {
    let mut lab = lab();
    let text = "[defaults]\nforks = 3\nhost_key_checking = False\n[ssh_connection]\nssh_args = -o UserKnownHostsFile=/dev/null\n";
    lab.write("work/deep/ansible.cfg", text);
    let settings = lab.load().unwrap();
    assert_eq!(
        (settings.forks(), settings.host_key(), settings.ssh_args()),
        (3, None, None)
    );
    let warnings = settings.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("ansible.cfg:3: `host_key_checking` is not obeyed"));
    lab.write("home/.config/ioms/ioms.toml", "host_key = \"strict\"\n");
    assert_eq!(lab.load().unwrap().warnings().len(), 1);
    // Named by the user, it is the user's word.
    let path = lab.env.cwd.join("ansible.cfg").display().to_string();
    lab.write("home/.config/ioms/ioms.toml", "");
    lab.env.vars.insert("ANSIBLE_CONFIG".into(), path);
    assert_eq!(lab.load().unwrap().host_key(), Some("off"));
}

#[test]
fn a_database_password_is_taken_from_private_places_and_never_shown() {
    let mut lab = lab();
    let url = "mysql://ops:geheim@db/ioms";
    for url in [
        url,
        "mysql://ops:pa/ss@db/ioms",
        "mysql://ops:a?b@c@db/ioms",
    ] {
        assert!(load(&lab.env, None, &[("database", "--database", url)]).is_err());
    }
    lab.write("work/ioms.toml", &format!("database = \"{url}\"\n"));
    assert!(lab.error().contains("chmod 600"));
    let path = lab.folder.path().join("work/ioms.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(lab.load().unwrap().database(), Some(url));
    lab.write("work/ioms.toml", "");
    lab.env.vars.insert("IOMS_DATABASE".into(), url.into());
    let settings = lab.load().unwrap();
    assert_eq!(settings.database(), Some(url));
    let shown = settings.shown();
    let shown = shown.iter().find(|each| each.name == "database").unwrap();
    assert_eq!(shown.value.as_deref(), Some("mysql://ops:********@db/ioms"));
}

#[test]
fn paths_within_values_follow_their_file_too() {
    let lab = lab();
    let at = |name: &str| lab.folder.path().join(name).display().to_string();
    lab.write(
        "work/ioms.toml",
        "vault_ids = [\"dev@pw\", \"x@prompt\", \"~/all\"]\ndatabase = \"sqlite:runs.db\"\n",
    );
    let settings = lab.load().unwrap();
    let all = format!("@{}", at("home/all"));
    let dev = format!("dev@{}", at("work/pw"));
    assert_eq!(settings.vault_ids(), [dev, "x@prompt".into(), all]);
    let database = format!("sqlite:{}", at("work/runs.db"));
    assert_eq!(settings.database(), Some(database.as_str()));
    lab.write("work/ioms.toml", "database = \"sqlite://~/d/x.db\"\n");
    let database = format!("sqlite:{}", at("home/d/x.db"));
    assert_eq!(lab.load().unwrap().database(), Some(database.as_str()));
    lab.write("work/ioms.toml", "");
    lab.write(
        "home/.ansible.cfg",
        "[defaults]\nvault_identity_list = dev@~/pw, prod@pw\n",
    );
    let ids = ["dev@", "prod@"].map(|label| format!("{label}{}", at("home/pw")));
    assert_eq!(lab.load().unwrap().vault_ids(), ids);
}

#[test]
fn a_command_that_fits_a_rule_is_denied_with_its_reason() {
    let lab = lab();
    lab.write(
        "work/ioms.toml",
        "[[deny]]\nmatch = 'rm\\s+-rf\\s+/(\\s|$)'\nreason = 'no'\n",
    );
    let settings = lab.load().unwrap();
    let denied = settings.denied("sudo rm -rf / ").unwrap();
    assert!(
        denied.starts_with("no (rule at ") && denied.ends_with("ioms.toml:1)"),
        "{denied}"
    );
    assert_eq!(settings.denied("rm -rf /tmp/x"), None);
    lab.write("work/ioms.toml", "[[deny]]\nmatch = '('\n");
    assert!(lab.error().contains("not a regular expression"));
    lab.write("work/ioms.toml", "[[deny]]\nreason = 'x'\n");
    assert!(lab.error().contains("needs `match`"));
}

#[test]
fn the_documents_follow_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = format!("{:#}\n", schema());
    for (file, text) in [
        ("docs/configuration.md", markdown()),
        ("docs/schema/ioms.toml.schema.json", schema),
    ] {
        let path = root.join(file);
        if std::env::var_os("IOMS_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            there, text,
            "{file} is not what the table says: run the test with IOMS_BLESS=1"
        );
    }
}
