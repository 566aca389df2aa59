//! Accounts with all that can be said of them, by shadow's programs and by busybox'.

use serde_json::json;

use super::System;

const SEEN: &str = "cat /etc/passwd /etc/group /etc/shadow; ls -ld /home/* /srv/*; true";

/// Busybox's programs for accounts.
const BUSYBOX: &str = include_str!("../fixtures/accounts.sh");

#[test]
fn all_of_an_account_is_settled_once() {
    let system = System::start();
    let once = |module: &str, args: &[&str]| system.changes_once(module, args, SEEN);
    let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
    for args in [
        "name=ours system=yes",
        "name=deploy gid=4000",
        "name=deploy gid=4001",
        "name=twin gid=4001 non_unique=yes",
        "name=range gid_min=5000 gid_max=5005",
        "name=range state=absent force=yes",
    ] {
        once("group", &words(args));
    }
    system.fails("group", &["name=x", "gid=4001"], "already exists");
    for args in [
        "name=ann uid=2222 comment=Ann home=/srv/ann shell=/bin/bash groups=adm,deploy",
        "name=ann uid=2223",
        "name=ann comment=A group=users",
        "name=ann home=/srv/ann2 move_home=yes",
        "name=ann expires=1900000000",
        "name=ann expires=-1",
        "name=ann password_expire_max=90 password_expire_min=1 password_expire_warn=7",
        "name=ann password_expire_account_disable=5",
        "name=ann password=$6$aa$bb",
        "name=ann password_lock=yes",
        "name=ann password_lock=no",
        "name=ann local=yes shell=/bin/sh",
        "name=daemon2 system=yes create_home=no",
        "name=bob uid=2223 non_unique=yes skeleton=/etc/apt umask=077",
        "name=carl uid_min=3000 uid_max=3010 password_lock=yes",
    ] {
        once("user", &words(args));
    }
    assert_eq!(
        system.sh("stat -c %a /home/bob; ls /home/bob | head -n 1"),
        "700\napt.conf.d\n"
    );
    let kept = ["name=ann", "password=$6$aa$cc", "update_password=on_create"];
    system.changes_not("user", &kept);
    let key = [
        "name=carl",
        "generate_ssh_key=yes",
        "ssh_key_type=ed25519",
        "ssh_key_passphrase=geheim",
    ];
    system.changes_once("user", &key, "ls -l /home/carl/.ssh; true");
    let said = system.done("user", &key);
    assert!(
        said["ssh_public_key"]
            .as_str()
            .unwrap()
            .starts_with("ssh-ed25519 ")
    );
    system.sh("ssh-keygen -y -P geheim -f /home/carl/.ssh/id_ed25519");
    system.fails("user", &["name=ann", "comment=a:b"], "invalid field 'a:b'");
    system.fails("user", &["name=x", "uid=2223"], "is not unique");
    system.fails("user", &["name=a b"], "invalid user name");
    system.fails("group", &["name=carl", "state=absent"], "primary group");
    once(
        "user",
        &words("name=carl state=absent remove=yes force=yes"),
    );
}

/// The programs that Alpine and small systems have, and no others.
#[test]
fn busyboxs_accounts_are_made_changed_and_removed() {
    let system = System::start();
    system.sh("cd /usr/sbin && mkdir away && mv useradd usermod userdel groupadd groupmod groupdel chage adduser addgroup deluser delgroup chpasswd away; mv ../bin/chage away");
    for name in ["adduser", "addgroup", "deluser", "delgroup", "chpasswd"] {
        system.program(&format!("/usr/sbin/{name}"), BUSYBOX);
    }
    let once = |module: &str, args: &[&str]| system.changes_once(module, args, SEEN);
    once("group", &["name=deploy", "gid=4000"]);
    once("group", &["name=tools", "system=yes"]);
    let ann = once(
        "user",
        &[
            "name=ann",
            "uid=2222",
            "comment=Ann A",
            "shell=/bin/bash",
            "groups=deploy,adm",
            "password=$6$aa$bb",
        ],
    );
    assert_eq!(
        (&ann["uid"], &ann["home"], &ann["comment"]),
        (&json!(2222), &json!("/home/ann"), &json!("Ann A"))
    );
    once("user", &["name=ann", "groups=tools"]);
    assert_eq!(system.sh("id -Gn ann"), "ann tools\n");
    once("user", &["name=ann", "groups=adm", "append=yes"]);
    once("user", &["name=ann", "password=$6$aa$cc"]);
    once("user", &["name=ann", "password_lock=yes"]);
    once(
        "user",
        &["name=svc", "system=yes", "create_home=no", "group=tools"],
    );
    once("user", &["name=bob", "home=/srv/bob", "skeleton=/etc/apt"]);
    assert!(system.sh("ls /srv/bob").contains("apt.conf.d"));
    system.fails(
        "user",
        &["name=ann", "shell=/bin/sh"],
        "usermod isn't there to change account ann with",
    );
    system.fails(
        "group",
        &["name=deploy", "gid=4001"],
        "groupmod isn't there",
    );
    system.fails("group", &["name=bob", "state=absent"], "primary group");
    once("user", &["name=bob", "state=absent", "remove=yes"]);
    assert_eq!(system.sh("test -e /srv/bob || echo gone"), "gone\n");
    once("group", &["name=deploy", "state=absent"]);
}
