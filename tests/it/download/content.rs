//! What is fetched, whence and whither.

use super::bed::{Bed, actions, assert_same, bytes, md5, noise, tree};
use crate::support::{Lab, each, read};
use ioms_fleet::Sshd;

#[test]
fn a_file_lands_in_the_hosts_folder_and_is_kept_the_next_time() {
    let bed = Bed::new();
    let path = bed.put("app.conf", "port 80\n");
    let host = bed.fetched("app.conf", &[]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let file = &host["files"][0];
    assert_eq!(file["source"], path.to_str().unwrap());
    assert_eq!(file["target"], "got/web01/app.conf");
    assert_eq!(
        (&file["action"], &file["size"]),
        (&"sent".into(), &8.into())
    );
    assert_eq!(
        (&file["bytes"], &file["via"]),
        (&8.into(), &"stream".into())
    );
    assert_eq!(file["md5"], md5(b"port 80\n"));
    assert_eq!(read(bed.got("app.conf")), "port 80\n");
    let again = bed.fetched("app.conf", &[]);
    assert_eq!((&again["outcome"], bytes(&again)), (&"ok".into(), 0));
    assert_eq!(actions(&again), ["kept app.conf"]);
    bed.run(&[&bed.source("app.conf"), "got"]).ends_with(0);
}

#[test]
fn a_folder_comes_under_its_name_and_its_content_without() {
    let bed = Bed::new();
    bed.put("site/index.html", "hello");
    bed.put("site/css/a.css", "a");
    bed.put("site/empty-file", "");
    std::fs::create_dir(bed.at("site/empty folder")).unwrap();
    let host = bed.fetched("site", &[]);
    assert_eq!(host["outcome"], "changed");
    assert_same(&bed.at("site"), &bed.got("site"));
    bed.fetched("site/", &[]);
    assert_eq!(read(bed.got("css/a.css")), "a");
    let again = bed.fetched("site", &[]);
    assert_eq!(again["outcome"], "ok", "{again}");
    assert_eq!(
        actions(&again),
        ["kept a.css", "kept empty-file", "kept index.html"]
    );
    std::fs::create_dir(bed.at("nothing")).unwrap();
    bed.fetched("nothing/", &[]);
    bed.fetched("nothing", &[]);
    assert!(bed.got("nothing").is_dir());
}

#[test]
fn only_what_has_changed_moves() {
    let bed = Bed::new();
    for n in 0..20 {
        bed.put(format!("site/{n}"), format!("file {n}"));
    }
    bed.fetched("site", &[]);
    bed.put("site/7", "FILE 7");
    bed.put("site/new", "new");
    let host = bed.fetched("site", &[]);
    assert_eq!(bytes(&host), 6 + 3, "{host}");
    let sent: Vec<String> = actions(&host)
        .into_iter()
        .filter(|action| !action.starts_with("kept"))
        .collect();
    assert_eq!(sent, ["sent 7", "sent new"]);
    assert_same(&bed.at("site"), &bed.got("site"));
}

#[test]
fn patterns_are_the_hosts_to_expand() {
    let bed = Bed::new();
    for name in ["a b.log", "c.log", "d.txt", "logs/deep.log", "x[1].log"] {
        bed.put(name, name);
    }
    let host = bed.fetched("*.log", &[]);
    assert_eq!(
        actions(&host),
        ["sent a b.log", "sent c.log", "sent x[1].log"]
    );
    assert!(!bed.got("d.txt").exists());
    // No pattern of anything is a name.
    std::fs::remove_dir_all(bed.dest()).unwrap();
    let host = bed.fetched("x[1].log", &[]);
    assert_eq!(actions(&host), ["sent x[1].log"]);
    let none = bed.fetch(&bed.source("*.nothing"), &[]);
    assert_eq!(none["outcome"], "failed");
    assert_eq!(none["error"]["kind"], "remote_io");
    let message = none["error"]["message"].as_str().unwrap();
    assert!(message.contains("*.nothing: No such file"), "{message}");
    assert!(!none["error"]["hint"].as_str().unwrap().contains("mkdir"));
}

#[test]
fn names_that_a_pattern_would_heap_on_one_another_keep_their_folders() {
    let bed = Bed::new();
    bed.put("home/ann/.profile", "ann");
    bed.put("home/bob/.profile", "bob");
    bed.fetched("home/*/.profile", &[]);
    assert_eq!(read(bed.got("ann/.profile")), "ann");
    assert_eq!(read(bed.got("bob/.profile")), "bob");
    let host = bed.fetch(&bed.source("home/*/"), &[]);
    assert_eq!(host["error"]["kind"], "arguments", "{host}");
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("the same name"), "{message}");
}

#[test]
fn paths_begin_at_home() {
    let bed = Bed::new();
    bed.lab.sshd_home("notes.txt", "notes");
    std::fs::create_dir_all(bed.lab.sshd.home().join("dir/~")).unwrap();
    bed.lab.sshd_home("dir/~/a", "tilde");
    bed.lab.sshd_home("dir/a", "plain");
    for source in ["notes.txt", "~/notes.txt", "./notes.txt"] {
        let host = bed.fetch(source, &["--force"]);
        assert!(host["error"].is_null(), "{source}: {host}");
        assert_eq!(actions(&host), ["sent notes.txt"], "{source}");
    }
    let host = bed.fetch("~/dir", &[]);
    assert!(host["error"].is_null(), "{host}");
    assert_same(&bed.lab.sshd.home().join("dir"), &bed.got("dir"));
}

#[test]
fn hosts_with_the_same_tree_fold_into_one_group() {
    let lab = Lab::new(3);
    let there = tempfile::tempdir().unwrap();
    std::fs::create_dir(there.path().join("site")).unwrap();
    for n in 0..5 {
        std::fs::write(there.path().join(format!("site/{n}")), "x").unwrap();
    }
    let source = format!("{}/site", there.path().display());
    let ran = lab
        .run(&["download", "-g", "all", &source, "got"])
        .ends_with(0);
    assert!(ran.stdout.contains("web[01-03] (3)"), "{}", ran.said());
    let lines = ran.stdout.lines().filter(|line| line.contains("site/3"));
    assert_eq!(lines.count(), 1, "{}", ran.said());
    let again = lab.json(&["download", "-g", "all", &source, "got"]);
    assert_eq!(again["verb"], "download");
    assert_eq!(again["summary"]["ok"], 3, "{again}");
    for host in each(&again, "host") {
        let name = host.split('=').next().unwrap();
        let got = lab.desk.dir.path().join("got").join(name).join("site");
        assert_eq!(tree(&got).len(), 5, "{name}");
    }
}

#[test]
fn a_large_file_comes_by_sftp_or_through_the_shell_and_is_the_same() {
    let content = noise(70 << 20);
    let bed = Bed::new();
    bed.put("big", &content);
    let host = bed.fetched("big", &[]);
    assert_eq!(host["files"][0]["via"], "sftp", "{host}");
    assert_eq!(bytes(&host), 70 << 20);
    assert!(std::fs::read(bed.got("big")).unwrap() == content);
    let sshd = Sshd::builder().without_sftp().start().unwrap();
    let without = Bed::on(sshd);
    without.put("big", &content);
    let host = without.fetched("big", &[]);
    assert_eq!(host["files"][0]["via"], "stream", "{host}");
    assert!(std::fs::read(without.got("big")).unwrap() == content);
}

#[test]
fn with_become_comes_what_the_account_itself_may_not_read() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    let user = crate::users::User::new("/bin/bash");
    user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    let bed = Bed::new();
    let content = noise(20 << 20);
    let secret = bed.put("secret/big", &content);
    bed.put("secret/small", "s");
    bed.put("secret/small2", "s2");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(secret.parent().unwrap(), private).unwrap();
    let login = format!("ansible_user={}", user.name);
    let denied = bed.fetch(&bed.source("secret"), &["-e", &login]);
    assert_eq!(denied["error"]["kind"], "remote_io", "{denied}");
    let hint = denied["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--become"), "{hint}");
    let host = bed.fetched("secret", &["-e", &login, "-b"]);
    assert_eq!(host["outcome"], "changed");
    assert_same(&bed.at("secret"), &bed.got("secret"));
    let large = &host["files"].as_array().unwrap()[2];
    assert_eq!(large["via"], "stream", "{host}");
}

#[test]
fn thousands_of_small_files_come_in_one_stream() {
    let bed = Bed::new();
    for n in 0..3000 {
        let folder = format!("tree/{:02}", n % 40);
        bed.put(format!("{folder}/file {n}.txt"), noise(n % 700));
    }
    let begin = std::time::Instant::now();
    let host = bed.fetched("tree", &[]);
    let took = begin.elapsed();
    assert_same(&bed.at("tree"), &bed.got("tree"));
    assert_eq!(host["outcome"], "changed");
    // One by one they would take minutes.
    assert!(took.as_secs() < 40, "{took:?}");
    let sent: u64 = host["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["files"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(sent, 3000);
}

#[test]
fn names_of_one_file_come_each() {
    let bed = Bed::new();
    bed.put("tree/a", "one");
    std::fs::hard_link(bed.at("tree/a"), bed.at("tree/b")).unwrap();
    std::fs::hard_link(bed.at("tree/a"), bed.at("tree/c")).unwrap();
    bed.fetched("tree", &[]);
    assert_same(&bed.at("tree"), &bed.got("tree"));
}
