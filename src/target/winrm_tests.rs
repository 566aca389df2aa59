//! What hosts behind WinRM become, and what of their variables is refused.

use super::resolve_tests::{Vars, error, resolver, vars};
use std::sync::Arc;

use super::*;
use crate::base::value::Value;

const BASE: [(&str, &str); 3] = [
    ("ansible_connection", "winrm"),
    ("ansible_user", "Administrator"),
    ("ansible_password", "secret"),
];

const PSRP: [(&str, &str); 3] = [
    ("ansible_connection", "ansible.builtin.psrp"),
    ("ansible_user", "Administrator"),
    ("ansible_password", "secret"),
];

fn found(vars: &Vars) -> Arc<WinrmTarget> {
    match &resolver("", Flags::default())
        .resolve(&Arc::from("win1"), vars)
        .unwrap()
        .via
    {
        Via::Winrm(target) => Arc::clone(target),
        Via::Ssh(_) | Via::Local => panic!("not WinRM"),
    }
}

fn winrm(more: &[(&'static str, &'static str)]) -> Arc<WinrmTarget> {
    // The later ones first: the first of a name counts.
    found(&vars(&[more, &BASE[..]].concat()))
}

fn psrp(more: &[(&'static str, &'static str)]) -> Arc<WinrmTarget> {
    found(&vars(&[more, &PSRP[..]].concat()))
}

fn refused(more: &[(&'static str, &'static str)]) -> String {
    error(&[more, &BASE[..]].concat())
}

fn remarks(list: &[(&'static str, &'static str)]) -> Vec<String> {
    let resolver = resolver("", Flags::default());
    for host in ["a", "b"] {
        resolver.resolve(&Arc::from(host), &vars(list)).unwrap();
    }
    resolver.remarks()
}

#[test]
fn https_with_negotiate_and_checks_is_what_nothing_said_means() {
    let target = winrm(&[]);
    assert_eq!((target.address.as_str(), target.port), ("win1", 5986));
    let options = &target.options;
    assert!(options.https && options.channel_binding);
    assert_eq!(options.path, "/wsman");
    assert_eq!(options.auth, WinrmAuth::Negotiate);
    assert_eq!(options.client, WinrmClient::Ours);
    assert_eq!(options.host_key, HostKeyMode::Strict);
    assert_eq!(options.operation_timeout.as_secs(), 20);
    assert_eq!(options.connect_timeout.as_secs(), 10);
}

#[test]
fn the_port_and_the_scheme_follow_each_other_as_in_ansible() {
    let of = |more: &[(&'static str, &'static str)]| {
        let target = winrm(more);
        (target.options.https, target.port)
    };
    assert_eq!(of(&[("ansible_port", "5985")]), (false, 5985));
    assert_eq!(of(&[("ansible_winrm_scheme", "http")]), (false, 5985));
    assert_eq!(of(&[("ansible_winrm_scheme", "https")]), (true, 5986));
    assert_eq!(of(&[("ansible_port", "443")]), (true, 443));
    let odd = [("ansible_port", "5985"), ("ansible_winrm_scheme", "https")];
    assert_eq!(of(&odd), (true, 5985));
    assert_eq!(
        of(&[("ansible_port", "5986"), ("ansible_winrm_port", "5985")]),
        (false, 5985)
    );
    assert!(refused(&[("ansible_winrm_scheme", "ftp")]).contains("expected http or https"));
}

#[test]
fn the_plugins_variables_are_read_with_their_meaning() {
    let target = winrm(&[
        ("ansible_winrm_host", "[fe80::1%eth0]"),
        ("ansible_winrm_user", r"GAME\ops"),
        ("ansible_winrm_pass", "weaker"),
        ("ansible_winrm_password", "stronger"),
        ("ansible_winrm_path", "powershell"),
        ("ansible_winrm_transport", "kerberos"),
        ("ansible_winrm_server_cert_validation", "ignore"),
        ("ansible_winrm_ca_trust_path", "/etc/ca.pem"),
        ("ansible_winrm_operation_timeout_sec", "40"),
        ("ansible_winrm_read_timeout_sec", "50"),
        ("ansible_timeout", "7"),
        ("ansible_winrm_realm", "GAME.CN"),
        ("ansible_winrm_service", "WSMAN"),
        ("ansible_winrm_kerberos_hostname_override", "win1.game.cn"),
        ("ansible_winrm_send_cbt", "false"),
    ]);
    assert_eq!(
        (target.address.as_str(), target.user.as_str()),
        ("fe80::1%eth0", r"GAME\ops")
    );
    assert_eq!(target.password.as_ref().unwrap().expose(), "stronger");
    let options = &target.options;
    assert_eq!(options.path, "/powershell");
    assert_eq!(options.auth, WinrmAuth::Kerberos);
    assert_eq!(options.host_key, HostKeyMode::Off);
    assert_eq!(
        options.ca.as_deref(),
        Some(std::path::Path::new("/etc/ca.pem"))
    );
    assert_eq!(options.operation_timeout.as_secs(), 40);
    assert_eq!(options.connect_timeout.as_secs(), 7);
    assert!(!options.channel_binding);
    let kerberos = &options.kerberos;
    assert_eq!(kerberos.realm.as_deref(), Some("GAME.CN"));
    assert_eq!(kerberos.service.as_deref(), Some("WSMAN"));
    assert_eq!(kerberos.hostname.as_deref(), Some("win1.game.cn"));
}

#[test]
fn psrp_is_read_as_its_equal_and_said_once() {
    let target = psrp(&[
        ("ansible_psrp_host", "10.0.0.1"),
        ("ansible_psrp_protocol", "http"),
        ("ansible_psrp_auth", "ntlm"),
        ("ansible_psrp_cert_validation", "/etc/ca.pem"),
        ("ansible_psrp_operation_timeout", "30"),
        ("ansible_psrp_connection_timeout", "5"),
        ("ansible_psrp_negotiate_send_cbt", "no"),
        ("ansible_winrm_password", "psrp reads this too"),
        ("ansible_winrm_transport", "of the other plugin"),
        ("ansible_psrp_configuration_name", "Microsoft.PowerShell"),
    ]);
    let options = &target.options;
    assert_eq!((target.address.as_str(), target.port), ("10.0.0.1", 5985));
    assert_eq!(
        target.password.as_ref().unwrap().expose(),
        "psrp reads this too"
    );
    assert_eq!(options.auth, WinrmAuth::Ntlm);
    assert_eq!(options.host_key, HostKeyMode::Strict);
    assert_eq!(
        options.ca.as_deref(),
        Some(std::path::Path::new("/etc/ca.pem"))
    );
    assert_eq!(options.operation_timeout.as_secs(), 30);
    assert_eq!(options.connect_timeout.as_secs(), 5);
    assert!(!options.channel_binding);
    insta::assert_debug_snapshot!(remarks(&PSRP), @r#"
    [
        "connection psrp is read as winrm: ansible_psrp_* as the equal ansible_winrm_*",
    ]
    "#);
    assert_eq!(
        psrp(&[("ansible_psrp_cert_validation", "ignore")])
            .options
            .host_key,
        HostKeyMode::Off
    );
    assert_eq!(
        winrm(&[("ansible_psrp_auth", "nonsense")]).options.auth,
        WinrmAuth::Negotiate,
        "psrp's variables say nothing of winrm"
    );
}

#[test]
fn transports_have_ansibles_names_and_lists() {
    let of = |text: &'static str| winrm(&[("ansible_winrm_transport", text)]).options.auth;
    assert_eq!(of("plaintext"), WinrmAuth::Basic);
    assert_eq!(of("ssl"), WinrmAuth::Basic);
    assert_eq!(of("NTLM, basic"), WinrmAuth::Ntlm);
    assert_eq!(of("kerberos,ntlm"), WinrmAuth::Negotiate);
    let list = Value::List(vec![Value::string("kerberos"), Value::string("basic")]);
    let mut list = Vars(vec![("ansible_winrm_transport", list, "g")]);
    list.0.extend(vars(&BASE).0);
    assert_eq!(found(&list).options.auth, WinrmAuth::Kerberos);
    insta::assert_snapshot!(refused(&[("ansible_winrm_transport", "digest")]), @"arguments: `ansible_winrm_transport` is wrong (hosts.yml:1): expected negotiate, ntlm, kerberos, basic (plaintext), certificate, ssl or credssp");
    insta::assert_snapshot!(refused(&[("ansible_winrm_transport", "ntlm, digest")]), @"arguments: `ansible_winrm_transport` is wrong (hosts.yml:1): expected negotiate, ntlm, kerberos, basic (plaintext), certificate, ssl or credssp");
}

#[test]
fn a_certificate_logs_in_where_there_is_no_password() {
    let list = [
        ("ansible_connection", "winrm"),
        ("ansible_winrm_cert_pem", "/c.pem"),
        ("ansible_winrm_cert_key_pem", "/k.pem"),
    ];
    let target = found(&vars(&list));
    assert_eq!(target.options.auth, WinrmAuth::Certificate);
    assert_eq!(
        target.options.client_certificate,
        Some(("/c.pem".into(), "/k.pem".into()))
    );
    let ssl = [&list[..], &[("ansible_winrm_transport", "ssl")]].concat();
    assert_eq!(found(&vars(&ssl)).options.auth, WinrmAuth::Certificate);
    insta::assert_snapshot!(refused(&[("ansible_winrm_transport", "certificate")]), @"arguments: certificate (`ansible_winrm_transport`, hosts.yml:1): no certificate is set");
    insta::assert_snapshot!(refused(&[("ansible_winrm_cert_key_pem", "/k.pem")]), @"arguments: `ansible_winrm_cert_key_pem` (hosts.yml:1) is set, but no certificate");
}

#[test]
fn nothing_may_ask_for_the_clear() {
    let http = ("ansible_port", "5985");
    insta::assert_snapshot!(refused(&[http, ("ansible_winrm_transport", "basic")]), @"arguments: basic (`ansible_winrm_transport`, hosts.yml:1) over HTTP would send everything in the clear: it is refused");
    insta::assert_snapshot!(refused(&[http, ("ansible_winrm_transport", "ssl")]), @"arguments: `ansible_winrm_transport` is wrong (hosts.yml:1): expected HTTPS for `ssl`, or another way to log in");
    insta::assert_snapshot!(refused(&[http, ("ansible_winrm_message_encryption", "never")]), @"arguments: `ansible_winrm_message_encryption: never` (hosts.yml:1) over HTTP would send everything in the clear: it is refused");
    winrm(&[("ansible_winrm_message_encryption", "never")]);
    winrm(&[http, ("ansible_winrm_message_encryption", "always")]);
}

#[test]
fn what_is_not_there_is_said_before_connecting() {
    insta::assert_snapshot!(refused(&[("ansible_winrm_proxy", "http://p:3128")]), @"unsupported: `ansible_winrm_proxy` (hosts.yml:1): WinRM through a proxy is not there");
    let jea = [("ansible_psrp_configuration_name", "JEA")];
    insta::assert_snapshot!(error(&[&jea[..], &PSRP[..]].concat()), @"unsupported: `ansible_psrp_configuration_name: JEA` (hosts.yml:1): only the default configuration is there, no restricted endpoint");
    if !cfg!(feature = "winrm-rs") {
        insta::assert_snapshot!(refused(&[("ansible_winrm_transport", "credssp")]), @"unsupported: credssp (`ansible_winrm_transport`, hosts.yml:1): this iomsctl is built without the client `winrm-rs`");
        insta::assert_snapshot!(refused(&[("ioms_winrm_client", "winrm-rs")]), @"unsupported: `ioms_winrm_client: winrm-rs` (hosts.yml:1): this iomsctl is built without the client `winrm-rs`");
    }
    let both = [
        ("ansible_winrm_transport", "credssp"),
        ("ioms_winrm_client", "ours"),
    ];
    insta::assert_snapshot!(refused(&both), @"unsupported: credssp (`ansible_winrm_transport`, hosts.yml:1) is there with `ioms_winrm_client: winrm-rs` only");
    let delegation = [&BASE[..], &[("ansible_winrm_kerberos_delegation", "true")]].concat();
    insta::assert_debug_snapshot!(remarks(&delegation), @r#"
    [
        "`ansible_winrm_kerberos_delegation` (hosts.yml:1) is not obeyed: tickets are not handed on, so hosts can't log in to a third one",
    ]
    "#);
}

#[test]
fn user_and_password_are_asked_for_unless_nobody_logs_in() {
    let none = [("ansible_connection", "winrm")];
    insta::assert_snapshot!(error(&none), @"arguments: WinRM (negotiate) needs a user, and none is set");
    insta::assert_snapshot!(error(&[none[0], ("ansible_user", "a")]), @"arguments: WinRM (negotiate) needs a password, and none is set");
    resolver("", Flags::default())
        .without_login()
        .resolve(&Arc::from("a"), &vars(&none))
        .unwrap();
}

#[test]
fn a_fingerprint_pins_the_certificate_in_all_the_usual_forms() {
    let pin = |text: &'static str| winrm(&[("ioms_winrm_cert_fingerprint", text)]).options.pin;
    let expected = Some([0xAB; 32]);
    assert_eq!(
        pin("SHA256:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s"),
        expected
    );
    assert_eq!(
        pin("SHA256:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="),
        expected
    );
    assert_eq!(
        pin("abababababababababababababababababababababababababababababababab"),
        expected
    );
    assert_eq!(
        pin(
            "sha256 Fingerprint=AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB"
        ),
        expected
    );
    insta::assert_snapshot!(refused(&[("ioms_winrm_cert_fingerprint", "SHA1:abc")]), @"arguments: `ioms_winrm_cert_fingerprint` is wrong (hosts.yml:1): expected the SHA-256 of a certificate, as SHA256:BASE64 or as 64 hexadecimal digits");
}

#[test]
fn certificates_are_checked_unless_somebody_says_so_of_them() {
    let of = |list: &[(&'static str, &'static str)]| winrm(list).options.host_key;
    // Of SSH's keys, in Ansible's words.
    assert_eq!(
        of(&[("ansible_host_key_checking", "no")]),
        HostKeyMode::Strict
    );
    assert_eq!(
        of(&[("ansible_ssh_host_key_checking", "no")]),
        HostKeyMode::Strict
    );
    assert_eq!(
        of(&[("ioms_host_key", "accept-new")]),
        HostKeyMode::AcceptNew
    );
    assert!(
        refused(&[("ansible_winrm_server_cert_validation", "perhaps")])
            .contains("validate or ignore")
    );
    let flags = Flags {
        host_key: Some(HostKeyMode::Off),
        ..Flags::default()
    };
    let target = resolver("", flags)
        .resolve(&Arc::from("a"), &vars(&BASE))
        .unwrap();
    let Via::Winrm(target) = &target.via else {
        panic!("not WinRM")
    };
    assert_eq!(target.options.host_key, HostKeyMode::Off);
}

#[test]
fn variables_of_one_way_say_nothing_of_the_other() {
    let target = winrm(&[
        ("ansible_ssh_host", "jump"),
        ("ansible_ssh_port", "22"),
        ("ansible_ssh_user", "root"),
        ("ansible_ssh_pass", "other"),
    ]);
    assert_eq!((target.address.as_str(), target.port), ("win1", 5986));
    assert_eq!(target.user, "Administrator");
    assert_eq!(target.password.as_ref().unwrap().expose(), "secret");
    let ssh = resolver("", Flags::default())
        .resolve(
            &Arc::from("lin1"),
            &vars(&[
                ("ansible_winrm_host", "x"),
                ("ansible_winrm_user", "y"),
                ("ansible_winrm_port", "5985"),
                ("ansible_winrm_password", "z"),
                ("ansible_winrm_transport", "nonsense"),
            ]),
        )
        .unwrap();
    let Via::Ssh(ssh) = &ssh.via else {
        panic!("not SSH")
    };
    assert_eq!((ssh.address.as_str(), ssh.port), ("lin1", 22));
    assert!(ssh.password.is_none() && ssh.user != "y");
}

#[test]
fn hosts_that_are_alike_share_their_options() {
    let resolver = resolver("", Flags::default());
    let of = |host: &str| match &resolver
        .resolve(&Arc::from(host), &vars(&BASE))
        .unwrap()
        .via
    {
        Via::Winrm(target) => Arc::clone(&target.options),
        Via::Ssh(_) | Via::Local => panic!("not WinRM"),
    };
    assert!(Arc::ptr_eq(&of("a"), &of("b")));
}

#[test]
fn an_address_is_no_url() {
    insta::assert_snapshot!(refused(&[("ansible_host", "https://win1:5986/wsman")]), @"arguments: the host name `https://win1:5986/wsman` holds `/`: it is no name and no address");
    insta::assert_snapshot!(refused(&[("ansible_user", "a\nb")]), @r"arguments: the user `a\nb` holds a control character");
}

#[test]
fn the_shell_is_cmd_unless_said_and_never_sh() {
    let of = |more: &[(&'static str, &'static str)], flags: Flags| {
        resolver("", flags)
            .resolve(&Arc::from("a"), &vars(&[more, &BASE[..]].concat()))
            .map(|target| target.shell)
    };
    let none = Flags::default;
    assert_eq!(of(&[], none()).unwrap(), ShellKind::Cmd);
    let said = [("ansible_shell_type", "powershell")];
    assert_eq!(of(&said, none()).unwrap(), ShellKind::Powershell);
    let flag = |shell| Flags {
        shell: Some(shell),
        ..Flags::default()
    };
    assert_eq!(of(&said, flag(ShellKind::Cmd)).unwrap(), ShellKind::Cmd);
    let error = of(&[("ansible_shell_type", "sh")], none()).unwrap_err();
    insta::assert_snapshot!(error.message, @"a host behind WinRM has no sh (`ansible_shell_type`, hosts.yml:1): its shells are cmd and powershell");
    let error = of(&[], flag(ShellKind::Posix)).unwrap_err();
    insta::assert_snapshot!(error.message, @"a host behind WinRM has no sh (`--shell`): its shells are cmd and powershell");
}

#[test]
fn becoming_another_on_windows_is_runas_and_system_unless_said() {
    let of = |more: &[(&'static str, &'static str)], flags: Flags| {
        let found =
            resolver("", flags).resolve(&Arc::from("a"), &vars(&[more, &BASE[..]].concat()))?;
        let found = found.r#become.clone().unwrap();
        Ok::<_, crate::event::HostError>(format!("{} {}", found.method.name(), found.user))
    };
    let yes = ("ansible_become", "yes");
    let none = Flags::default;
    assert_eq!(of(&[yes], none()).unwrap(), "runas SYSTEM");
    let ops = ("ansible_become_user", "ops");
    assert_eq!(of(&[yes, ops], none()).unwrap(), "runas ops");
    let runas = ("ansible_runas_user", "own");
    assert_eq!(
        of(&[yes, runas, ("ansible_sudo_user", "s")], none()).unwrap(),
        "runas own"
    );
    let error = of(&[yes, ("ansible_become_method", "sudo")], none()).unwrap_err();
    insta::assert_snapshot!(error.message, @"Windows has no sudo (`ansible_become_method`, hosts.yml:1): its become method is runas");
    let flags = Flags {
        become_method: Some("su".into()),
        ..Flags::default()
    };
    insta::assert_snapshot!(of(&[yes], flags).unwrap_err().message, @"Windows has no su (`--become-method`): its become method is runas");
    // PowerShell behind SSH is Windows as well.
    let shell = ("ansible_shell_type", "powershell");
    let ssh = resolver("", Flags::default())
        .resolve(&Arc::from("a"), &vars(&[yes, shell]))
        .unwrap();
    assert_eq!(ssh.r#become.as_ref().unwrap().method, BecomeMethod::Runas);
}

#[test]
fn a_settings_file_for_unix_does_not_break_windows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "").unwrap();
    let config = ssh_config::SshConfig::load_file(Arc::new(ssh_config::Local::of_process()), &file);
    let defaults = Defaults {
        flags: Flags {
            r#become: true,
            become_method: Some("sudo".into()),
            become_user: Some("root".into()),
            host_key: Some(HostKeyMode::Off),
            ..Flags::default()
        },
        ssh_args: None,
        connect_timeout: std::time::Duration::from_secs(10),
        certificates: None,
    };
    let resolver = Resolver::new(Flags::default(), defaults, config.unwrap());
    let target = resolver.resolve(&Arc::from("a"), &vars(&BASE)).unwrap();
    let found = target.r#become.as_ref().unwrap();
    assert_eq!(
        (found.method, found.user.as_str()),
        (BecomeMethod::Runas, "SYSTEM")
    );
    let Via::Winrm(winrm) = &target.via else {
        panic!("not WinRM")
    };
    assert_eq!(winrm.options.host_key, HostKeyMode::Strict);
}
