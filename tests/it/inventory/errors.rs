//! What is said of mistakes in inventories: file, line, column, the line itself, what to do.

use std::fs;

use ioms::inventory::Loader;

use super::read;
use crate::support::Desk;

fn error(name: &str, text: &str) -> String {
    match read(name, text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{name} was read"),
    }
}

#[test]
fn mistakes_in_yaml() {
    let yaml = |text: &str| error("hosts.yml", text);
    insta::assert_snapshot!(yaml("all:\n  hosts:\n    web01:\n    web02:\n    web01:\n"), @r"
    hosts.yml:5:5: the key `web01` stands twice in one mapping
      |
    5 |     web01:
      |     ^
    help: the first is on line 3; keep one of them
    ");
    insta::assert_snapshot!(yaml("web:\n  web01:\n    ansible_host: 10.0.0.1\n"), @r"
    hosts.yml:2:3: `web01` is not a part of a group
      |
    2 |   web01:
      |   ^
    help: known are hosts, children and vars; is it a host that belongs below `hosts:`?
    ");
    insta::assert_snapshot!(yaml("- web01\n- web02\n"), @r"
    hosts.yml:1:1: expected groups: a mapping
      |
    1 | - web01
      | ^
    help: begin with `all:` and `hosts:` below it
    ");
    insta::assert_snapshot!(yaml("web: [web01]\n"), @r"
    hosts.yml:1:6: expected a group: a mapping of hosts, children and vars
      |
    1 | web: [web01]
      |      ^
    help: a group without anything is written `name: {}`
    ");
    insta::assert_snapshot!(yaml("web:\n  hosts:\n    web01: 10.0.0.1\n"), @r"
    hosts.yml:3:12: expected a mapping of variables
      |
    3 |     web01: 10.0.0.1
      |            ^
    help: write `name: value` lines
    ");
    insta::assert_snapshot!(yaml("web:\n  hosts:\n    web[3:1]:\n"), @r"
    hosts.yml:3:5: `web[3:1]`: the range runs backwards
      |
    3 |     web[3:1]:
      |     ^
    ");
    insta::assert_snapshot!(yaml("web:\n  hosts:\n    no:\n"), @r"
    hosts.yml:3:5: `false` is no text, and so no host's name
      |
    3 |     no:
      |     ^
    help: put it in quotes
    ");
    insta::assert_snapshot!(yaml("web:\n  hosts:\n    web01:ssh:\n"), @r"
    hosts.yml:3:5: `web01:ssh`: `ssh` is no port
      |
    3 |     web01:ssh:
      |     ^
    ");
    insta::assert_snapshot!(yaml("a:\n  children:\n    b:\n      children:\n        a:\n"), @r"
    hosts.yml:5:9: group `a` would be its own parent
      |
    5 |         a:
      |         ^
    ");
    insta::assert_snapshot!(yaml("web:\n  vars:\n    ansible_group_priority: high\n"), @r"
    hosts.yml:3:5: ansible_group_priority is not a whole number
      |
    3 |     ansible_group_priority: high
      |     ^
    ");
    insta::assert_snapshot!(yaml("web:\n  hosts:\n   a: {x: 1\n"), @r"
    hosts.yml:3:7: unclosed bracket '{'
      |
    3 |    a: {x: 1
      |       ^
    ");
    insta::assert_snapshot!(yaml("web:\n\thosts:\n"), @r"
    hosts.yml:2:2: tabs disallowed within this context (block indentation)
      |
    2 |  hosts:
      |  ^
    help: indent with blanks
    ");
    insta::assert_snapshot!(yaml("web:\n  vars:\n    p: !secret x\n"), @r"
    hosts.yml:3:16: the tag `!secret` is unknown
      |
    3 |     p: !secret x
      |                ^
    help: known are !vault and !unsafe
    ");
    insta::assert_snapshot!(yaml("plugin: aws_ec2\nregions: [x]\n"), @"inventory hosts.yml: plugin `aws_ec2` is not supported; run it with `ansible-inventory --list` and give its JSON");
    insta::assert_snapshot!(yaml("游戏:\n  hosts: {主机01: {端口: {}}, 主机02: x}\n"), @r"
    hosts.yml:2:33: expected a mapping of variables
      |
    2 |   hosts: {主机01: {端口: {}}, 主机02: x}
      |                                       ^
    help: write `name: value` lines
    ");
}

#[test]
fn mistakes_in_ini() {
    let ini = |text: &str| error("hosts", text);
    insta::assert_snapshot!(ini("[web]\nweb01\nweb02 port\n"), @r"
    hosts:3:1: expected name=value, found `port`
      |
    3 | web02 port
      | ^
    help: several hosts stand on several lines; a value with spaces needs quotes
    ");
    insta::assert_snapshot!(ini("[web]\nweb01 note='not closed\n"), @r"
    hosts:2:1: a quote ' is not closed
      |
    2 | web01 note='not closed
      | ^
    ");
    insta::assert_snapshot!(ini("[web\nweb01\n"), @r"
    hosts:1:1: a section's `]` is missing
      |
    1 | [web
      | ^
    ");
    insta::assert_snapshot!(ini("[web servers]\nweb01\n"), @r"
    hosts:1:1: expected one group's name in the brackets
      |
    1 | [web servers]
      | ^
    ");
    insta::assert_snapshot!(ini("[web:kids]\ndb\n"), @r"
    hosts:1:1: `kids` is no kind of section
      |
    1 | [web:kids]
      | ^
    help: write [group], [group:vars] or [group:children]
    ");
    insta::assert_snapshot!(ini("[web]\nweb01\n\n  [wbe:vars]\nx=1\n"), @r"
    hosts:4:3: group `wbe` is not defined
      |
    4 |   [wbe:vars]
      |   ^
    help: add a section [wbe], it may be empty; or is the name written wrong?
    ");
    insta::assert_snapshot!(ini("[all:children]\nweb\ndb\n[web]\nweb01\n"), @r"
    hosts:3:1: group `db` is not defined
      |
    3 | db
      | ^
    help: add a section [db], it may be empty; or is the name written wrong?
    ");
    insta::assert_snapshot!(ini("[a:children]\na\n"), @r"
    hosts:2:1: group `a` would be its own parent
      |
    2 | a
      | ^
    ");
    insta::assert_snapshot!(ini("[web:children]\ndb x=1\n[db]\n"), @r"
    hosts:2:1: expected one group's name
      |
    2 | db x=1
      | ^
    help: each group stands on a line of its own; their variables go below [group:vars]
    ");
    insta::assert_snapshot!(ini("[web]\nweb[01:\n"), @r"
    hosts:2:1: `web[01:`: write ranges as name[01-40,42]
      |
    2 | web[01:
      | ^
    ");
    insta::assert_snapshot!(ini("[web]\nweb[1:9999999]\n"), @r"
    hosts:2:1: `web[1:9999999]`: the range has over 1000000 names
      |
    2 | web[1:9999999]
      | ^
    ");
    insta::assert_snapshot!(ini("[web]\nweb01:\n"), @r"
    hosts:2:1: `web01:`: a port is missing behind `:`
      |
    2 | web01:
      | ^
    ");
    insta::assert_snapshot!(ini("[web]\n[web:vars]\nno value\n"), @r"
    hosts:3:1: expected name=value
      |
    3 | no value
      | ^
    ");
}

#[test]
fn other_mistakes() {
    insta::assert_snapshot!(error("hosts.toml", "[web]\n"), @"inventory hosts.toml: TOML inventories are not supported: convert it with `ansible-inventory --list --yaml`");
    insta::assert_snapshot!(error("hosts.json", "{\"web\": {\"hosts\": 1}}"), @r#"
    hosts.json:1:19: expected hosts: a mapping of names
      |
    1 | {"web": {"hosts": 1}}
      |                   ^
    "#);
    insta::assert_snapshot!(error("hosts.json", "{\"web\": {\"hosts\": [1,}}"), @r#"
    hosts.json:1:19: mismatched bracket '[' closed by '}'
      |
    1 | {"web": {"hosts": [1,}}
      |                   ^
    "#);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    let add = |path: &std::path::Path| {
        let error = Loader::new(None).add(path.to_str().unwrap()).unwrap_err();
        error
            .to_string()
            .replace(folder.path().to_str().unwrap(), "")
    };
    insta::assert_snapshot!(add(&path), @"inventory /hosts: No such file or directory (os error 2)");
    fs::write(&path, encoding_rs::GBK.encode("[web]\nweb01\n主机01\n").0).unwrap();
    insta::assert_snapshot!(add(&path), @"inventory /hosts: line 3 is not UTF-8: save the file as UTF-8");
    program(&path, "echo no such region >&2; exit 3");
    insta::assert_snapshot!(add(&path), @"inventory program /hosts: ended with exit status: 3: no such region");
    program(&path, "echo '[1]'");
    insta::assert_snapshot!(add(&path), @r"
    /hosts --list:1:1: expected an object of groups
      |
    1 | [1]
      | ^
    ");
    program(
        &path,
        "echo '{\"web01\": {\"ansible_host\": \"10.0.0.1\"}}'",
    );
    insta::assert_snapshot!(add(&path), @r#"
    /hosts --list:1:11: group `web01`: expected hosts, children or vars
      |
    1 | {"web01": {"ansible_host": "10.0.0.1"}}
      |           ^
    "#);
    program(&path, "echo '{\"web\": {\"hosts\": \"web01\"}}'");
    insta::assert_snapshot!(add(&path), @r#"
    /hosts --list:1:19: group `web`: expected a list of hosts
      |
    1 | {"web": {"hosts": "web01"}}
      |                   ^
    "#);
}

fn program(path: &std::path::Path, body: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    // Anew: what another test's child still holds open for writing can't be run.
    let _ = fs::remove_file(path);
    fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_is_odd_is_a_warning() {
    let warnings = |text: &str| read("hosts", text).unwrap().warnings().join("\n");
    insta::assert_snapshot!(warnings("web01\n[web]\nweb01:2222\n"), @"hosts:3:1: the port of `web01` is not used, as the host was named before without it; set ansible_port");
    insta::assert_snapshot!(warnings("[web]\nweb\n"), @"`web` is a group and a host: `web` in a pattern means the group");
}

#[test]
fn misspelt_variables_of_winrm_are_warned_of_once_with_what_was_meant() {
    let vars = "  vars:\n    ansible_winrm_transprot: ntlm\n    ansible_winrm_kinit_cmd: kinit\n    ansible_winrm_enabled: true\n    ansible_winrm_port_https: 5986\n    ansible_user: u\n    ansible_password: p\n";
    let desk = Desk::with(&format!(
        "all:\n  hosts: {{win1: , win2: }}\n{vars}    ansible_connection: winrm\n"
    ));
    let said = desk.run(&["inventory", "check"]).ends_with(0);
    let warned = said
        .stderr
        .replace(&desk.dir.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(warned, @"warning: FOLDER/inventory.yml:4:5: there is no variable `ansible_winrm_transprot` of WinRM: did you mean `ansible_winrm_transport`?");
    insta::assert_snapshot!(said.stdout, @"2 hosts, nothing wrong");
    // Hosts behind SSH read none of them.
    let desk = Desk::with(&format!("all:\n  hosts: {{web1: }}\n{vars}"));
    assert_eq!(desk.run(&["inventory", "check"]).ends_with(0).stderr, "");
}
