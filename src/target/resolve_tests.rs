//! What hosts become, through the public interface.

use std::sync::Arc;

use super::ssh_config::{Local, SshConfig};
use super::*;
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::HostError;

pub(super) struct Vars(pub(super) Vec<(&'static str, Value, &'static str)>);

impl Variables for Vars {
    fn get(&self, name: &str) -> Result<Option<Resolved>, HostError> {
        Ok(self
            .0
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, value, origin)| Resolved {
                value: value.clone(),
                secret: false,
                origin: (*origin).to_owned(),
            }))
    }
    fn learn(&self, _: &Secret) {}
}

pub(super) fn vars(list: &[(&'static str, &str)]) -> Vars {
    Vars(
        list.iter()
            .map(|(name, value)| (*name, Value::string(value), "hosts.yml:1"))
            .collect(),
    )
}

pub(super) fn resolver(config: &str, flags: Flags) -> Resolver {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, config).unwrap();
    let config = SshConfig::load_file(Arc::new(Local::of_process()), &file).unwrap();
    let defaults = Defaults {
        flags: Flags::default(),
        ssh_args: None,
        connect_timeout: std::time::Duration::from_secs(10),
        certificates: None,
    };
    Resolver::new(flags, defaults, config)
}

fn ssh(resolver: &Resolver, host: &str, vars: &Vars) -> Arc<SshTarget> {
    match &resolver.resolve(&Arc::from(host), vars).unwrap().via {
        Via::Ssh(target) => Arc::clone(target),
        Via::Winrm(_) | Via::Local => panic!("not ssh"),
    }
}

pub(super) fn error(list: &[(&'static str, &str)]) -> String {
    let error = resolver("", Flags::default())
        .resolve(&Arc::from("a"), &vars(list))
        .unwrap_err();
    format!("{}: {}", error.kind.name(), error.message)
}

#[test]
fn variables_beat_flags_and_flags_beat_ssh_config() {
    let flags = Flags {
        user: Some("flag".into()),
        ..Flags::default()
    };
    let resolver = resolver("Host *\n User file\n Port 2222\n", flags);
    assert_eq!(ssh(&resolver, "a", &vars(&[])).user, "flag");
    assert_eq!(ssh(&resolver, "a", &vars(&[])).port, 2222);
    assert!(resolver.lost_flags().is_empty());
    assert_eq!(
        ssh(&resolver, "a", &vars(&[("ansible_user", "var")])).user,
        "var"
    );
    assert_eq!(
        resolver.lost_flags(),
        [FlagLost {
            flag: "--user",
            origin: "hosts.yml:1".into()
        }]
    );
    let extra = Vars(vec![
        ("ioms_user", Value::string("ours"), "hosts.yml:2"),
        ("ansible_user", Value::string("extra"), "-e"),
    ]);
    assert_eq!(ssh(&resolver, "a", &extra).user, "extra");
}

#[test]
fn an_applications_own_variables_are_not_ours() {
    let target = ssh(
        &resolver("", Flags::default()),
        "a",
        &vars(&[("port", "8080"), ("user", "nginx")]),
    );
    assert_eq!(target.port, 22);
    assert_ne!(target.user, "nginx");
}

#[test]
fn jumps_are_looked_up_and_shared() {
    let resolver = resolver(
        "Host b1\n User jumper\n ProxyJump none\nHost *\n ProxyJump b1,x@b2:2200\n",
        Flags::default(),
    );
    let (one, two) = (
        ssh(&resolver, "a", &vars(&[])),
        ssh(&resolver, "b", &vars(&[])),
    );
    assert_eq!(one.jump.len(), 2);
    assert_eq!(
        (one.jump[0].user.as_str(), one.jump[1].port),
        ("jumper", 2200)
    );
    assert_eq!(one.jump[1].jump, [Arc::clone(&one.jump[0])]);
    assert!(Arc::ptr_eq(&one.jump[1], &two.jump[1]));
    assert!(Arc::ptr_eq(&one.options, &two.options));
}

#[test]
fn ssh_arguments_are_options() {
    let target = ssh(
        &resolver("", Flags::default()),
        "a",
        &vars(&[
            (
                "ansible_ssh_args",
                "-C -o ControlMaster=auto -oPort=99 -o 'ProxyCommand=nc -x p %h %p'",
            ),
            ("ansible_port", "1"),
            ("ansible_host", "10.0.0.1"),
            ("ansible_host_key_checking", "no"),
        ]),
    );
    assert_eq!((target.port, target.address.as_str()), (99, "10.0.0.1"));
    assert_eq!(target.proxy_command.as_deref(), Some("nc -x p 10.0.0.1 99"));
    assert_eq!(target.options.host_key, HostKeyMode::Off);
}

#[test]
fn names_of_another_become_method_say_nothing() {
    let found = |pairs: &[(&'static str, &str)]| {
        let target = resolver("", Flags::default())
            .resolve(&"h".into(), &vars(pairs))
            .unwrap();
        let found = target.r#become.clone().unwrap();
        format!("{} {}", found.method.name(), found.user)
    };
    let both = [
        ("ansible_sudo_user", "s"),
        ("ansible_su_user", "u"),
        ("ansible_become_user", "b"),
    ];
    let with = |more: &[(&'static str, &'static str)]| found(&[&both[..], more].concat());
    assert_eq!(with(&[("ansible_become", "yes")]), "sudo s");
    assert_eq!(with(&[("ansible_su", "yes")]), "su u");
    let doas = [("ansible_become", "yes"), ("ansible_become_method", "doas")];
    assert_eq!(with(&doas), "doas b");
}

#[test]
fn become_takes_old_names() {
    let target = resolver("", Flags::default())
        .resolve(
            &Arc::from("a"),
            &vars(&[("ansible_sudo", "yes"), ("ansible_sudo_user", "game")]),
        )
        .unwrap();
    let found = target.r#become.clone().unwrap();
    assert_eq!(
        (found.method, found.user.as_str()),
        (BecomeMethod::Sudo, "game")
    );
}

#[test]
fn errors_name_variable_and_origin() {
    insta::assert_snapshot!(error(&[("ansible_port", "x")]), @"arguments: hosts.yml:1: `Port x`: expected a number");
    insta::assert_snapshot!(error(&[("ansible_become", "maybe")]), @"arguments: `ansible_become` is wrong (hosts.yml:1): expected yes or no");
    insta::assert_snapshot!(error(&[("ansible_connection", "telnet")]), @"unsupported: the connection `telnet` is not supported: write ssh, winrm, psrp or local");
    insta::assert_snapshot!(error(&[("ansible_ssh_args", "-W x")]), @"unsupported: hosts.yml:1: the ssh argument `-W` is not understood: -o, -J, -F, -i, -p and -l are");
}

#[test]
fn a_host_that_is_gone_is_noticed_unless_that_is_switched_off() {
    let keepalive = |config: &str| {
        let target = ssh(&resolver(config, Flags::default()), "a", &vars(&[]));
        (
            target.options.keepalive.as_secs(),
            target.options.keepalive_max,
        )
    };
    assert_eq!(keepalive(""), (30, 4));
    assert_eq!(keepalive("ServerAliveInterval 0\n"), (0, 3));
    assert_eq!(keepalive("ServerAliveInterval 5\n"), (5, 3));
    assert_eq!(keepalive("ServerAliveCountMax 9\n"), (30, 9));
}

#[test]
fn a_connection_that_the_configuration_refuses_is_not_made() {
    let config = "Host old\n RefuseConnection \"use new instead\"\n";
    let error = resolver(config, Flags::default())
        .resolve(&Arc::from("old"), &vars(&[]))
        .unwrap_err();
    assert!(error.message.contains("use new instead"), "{error}");
    ssh(&resolver(config, Flags::default()), "new", &vars(&[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_match_exec_holds_no_other_work_up() {
    let config = "Match exec \"sleep 1\"\n User slow\n";
    let resolver = Arc::new(resolver(config, Flags::default()));
    let began = std::time::Instant::now();
    let users = [(); 3].map(|()| {
        let resolver = resolver.clone();
        tokio::spawn(async move { ssh(&resolver, "a", &vars(&[])).user.clone() })
    });
    tokio::task::yield_now().await;
    // On the one worker, behind the three that wait.
    tokio::spawn(async {}).await.unwrap();
    assert!(began.elapsed().as_millis() < 900);
    for user in users {
        assert_eq!(user.await.unwrap(), "slow");
    }
    assert!(began.elapsed().as_millis() < 2500, "run once");
}
