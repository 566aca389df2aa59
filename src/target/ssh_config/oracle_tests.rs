//! Holds our reading against OpenSSH's own: `ssh -G -F FILE HOST`, property by property.

use std::process::Command;
use std::sync::Arc;

use super::*;

const CORPUS: &[&str] = &[
    "Host *\n  User a\n  Port 2200\n",
    "Port=2201\nUser = \"b\" # why\nHost web* !web2\n  HostName %h.example\n  Port 9\nHost web2\n  HostName two.example\n",
    "Host web1\n HostName one\nMatch host one\n User matched\nMatch originalhost web* user matched\n ServerAliveInterval 1m30s\n",
    "Match final host web1.final\n  User fin\nHost web1\n  HostName web1.final\nMatch !final originalhost web1\n  Port 44\n",
    "Match canonical\n User c\nMatch final\n Port 10\nHost one.example\n ServerAliveCountMax 9\nHost *\n HostName one.example\n",
    "Match exec \"test %n = web1\"\n User execed\nMatch !exec \"true\" user root\n Port 3\nMatch localuser root\n ConnectTimeout 7\n",
    "IgnoreUnknown Foo*\nFooBar yes\nHost db\n ProxyCommand nc %h %p\nHost *\n ProxyJump a@j1:22,j2\n",
    "Host web2\n ProxyJump none\nHost *\n ProxyCommand x \"y z\" # no comment\n StrictHostKeyChecking accept-new\n",
    "Host *\n IdentityFile ~/.ssh/a\n IdentityFile /k/%n\nIdentitiesOnly yes\nHost web1\n IdentityFile /third\n CertificateFile /c\n PreferredAuthentications publickey\n",
    "Include INC/*.conf\nHost web1\n Include INC/*.inner\n Port 5\nHost *\n User last\n",
    "Host db\n Include INC/*.inner\nHost *\n ServerAliveInterval 5\n",
    "Match all\n User all\nHost web? *.x\n HostKeyAlias alias\n Port 71\n",
];

const KEYS: &[&str] = &[
    "user",
    "hostname",
    "port",
    "serveraliveinterval",
    "serveralivecountmax",
    "hostkeyalias",
    "proxycommand",
    "proxyjump",
    "identityfile",
    "certificatefile",
    "identitiesonly",
    "stricthostkeychecking",
    "connecttimeout",
    "preferredauthentications",
];

fn oracle(file: &std::path::Path, host: &str, key: &str, output: &str) -> Vec<String> {
    let _ = (file, host);
    output
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value.to_owned())
        .collect()
}

fn ours(settings: &Settings, host: &str, key: &str) -> Vec<String> {
    if key == "hostname" {
        return vec![settings.host_name(host).unwrap()];
    }
    let name = find(key).unwrap().name;
    settings
        .all(name)
        .map(|setting| match key {
            "serveraliveinterval" | "connecttimeout" => {
                seconds(setting.first()).unwrap().to_string()
            }
            _ => setting.words.join(" "),
        })
        .filter(|value| !(key == "proxyjump" && value == "none"))
        .collect()
}

#[test]
fn we_read_configurations_as_openssh_does() {
    let folder = tempfile::tempdir().unwrap();
    let include = folder.path().join("inc");
    std::fs::create_dir(&include).unwrap();
    std::fs::write(
        include.join("1.conf"),
        "Host web2\n User included\nHost db\n Port 77\n",
    )
    .unwrap();
    std::fs::write(include.join("2.conf"), "User never-mind\n").unwrap();
    std::fs::write(
        include.join("x.inner"),
        "ServerAliveCountMax 8\nHost web*\n ConnectTimeout 3\n",
    )
    .unwrap();
    let local = Arc::new(Local::of_process());
    for (number, text) in CORPUS.iter().enumerate() {
        let file = folder.path().join(format!("config{number}"));
        std::fs::write(&file, text.replace("INC", include.to_str().unwrap())).unwrap();
        let config = SshConfig::load_file(Arc::clone(&local), &file).unwrap();
        for host in ["web1", "web2", "db", "q.x"] {
            let output = Command::new("ssh")
                .args(["-G", "-F"])
                .arg(&file)
                .arg(host)
                .output()
                .expect("openssh-client is installed");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let output = String::from_utf8(output.stdout).unwrap();
            let settings = config
                .evaluate(Lookup {
                    name: host.to_owned(),
                    preset: Settings::default(),
                })
                .unwrap();
            for key in KEYS {
                let (mut theirs, ours) = (
                    oracle(&file, host, key, &output),
                    ours(&settings, host, key),
                );
                if *key == "stricthostkeychecking" || ours.is_empty() {
                    // Unset: theirs is the built-in default, the same as without a file.
                    let plain = Command::new("ssh")
                        .args(["-G", "-F", "none", host])
                        .output()
                        .unwrap();
                    if ours.is_empty() {
                        assert_eq!(
                            theirs,
                            oracle(&file, host, key, &String::from_utf8(plain.stdout).unwrap()),
                            "config {number}, {host}, {key}"
                        );
                        continue;
                    }
                }
                if *key == "identitiesonly" {
                    for value in &mut theirs {
                        *value = value.replace("true", "yes");
                    }
                }
                assert_eq!(ours, theirs, "config {number}, {host}, {key}:\n{text}");
            }
        }
    }
}

fn error(text: &str, host: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    let shown = SshConfig::load_file(Arc::new(Local::of_process()), &file)
        .and_then(|config| {
            config.evaluate(Lookup {
                name: host.to_owned(),
                preset: Settings::default(),
            })
        })
        .map_or_else(|error| error.to_string(), |_| "fine".to_owned());
    shown.replace(folder.path().to_str().unwrap(), "")
}

#[test]
fn errors_name_the_line_and_only_where_it_applies() {
    insta::assert_snapshot!(error("Host a\n BindAddress 1.2.3.4\n", "a"), @"/config:2: `BindAddress` is not supported and can't be passed over: it decides whom we talk to, as whom, or by which way");
    assert_eq!(error("Host a\n BindAddress 1.2.3.4\n", "b"), "fine");
    assert_eq!(
        error(
            "HostbasedAuthentication no\nHostbasedAuthentication yes\n",
            "b"
        ),
        "fine"
    );
    insta::assert_snapshot!(error("\nProt 22\n", "a"), @"/config:2: `Prot` is no keyword of ssh_config: correct it, or name it in `IgnoreUnknown` above");
    insta::assert_snapshot!(error("Port\n", "a"), @"/config:1: `Port` has no value");
    insta::assert_snapshot!(error("User \"x\n", "a"), @"/config:1: a quote is not closed");
    insta::assert_snapshot!(error("Match tagged x\n", "a"), @"/config:1: `Match tagged` is not supported");
    insta::assert_snapshot!(error("Match frob x\n", "a"), @"/config:1: `Match` does not know `frob`");
}
