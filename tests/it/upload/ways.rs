//! By every way to a host: as another user, with and without SFTP, with nothing but SFTP.

use std::os::unix::fs::MetadataExt as _;

use ioms_fleet::Sshd;

use super::bed::{Bed, names, noise};
use crate::support::{Lab, only};
use crate::users::User;

/// A small file, a large one and a tree.
fn sources(bed: &Bed) {
    bed.source("small", "1");
    bed.source("large", noise(3 << 20));
    for name in ["a", "b c", "名字", "sub/d"] {
        bed.source(&format!("tree/{name}"), name);
    }
    std::os::unix::fs::symlink("a", bed.lab.desk.dir.path().join("tree/link")).unwrap();
    // Their names are more than a terminal's line holds.
    for n in 0..200 {
        bed.source(
            &format!("tree/many/a long name, so that it counts {n}"),
            [3, 4, 19],
        );
    }
}

#[track_caller]
fn all_there(folder: &std::path::Path) {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(read("small"), b"1");
    assert!(read("large") == noise(3 << 20));
    for name in ["a", "b c", "名字", "sub/d"] {
        assert_eq!(read(&format!("tree/{name}")), name.as_bytes());
    }
    let left = names(folder);
    assert!(left.contains(&"tree/link -> a".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.contains(".part")), "{left:?}");
    assert_eq!(
        read("tree/many/a long name, so that it counts 199"),
        [3, 4, 19]
    );
}

#[test]
fn as_root_by_sudo_and_as_somebody_by_su() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    let bed = Bed::new();
    let user = User::new("/bin/bash");
    let target = User::new("/bin/sh");
    user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    sources(&bed);
    let login = format!("ansible_user={}", user.name);
    let sudo = bed.dest("sudo/");
    let args = [
        "-e", &login, "-b", "--mkdir", "small", "large", "tree", &sudo,
    ];
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "changed", "{host}");
    all_there(&bed.there("sudo"));
    assert_eq!(std::fs::metadata(bed.there("sudo/large")).unwrap().uid(), 0);
    assert_eq!(bed.host(&args)["outcome"], "ok");

    let password = bed
        .lab
        .desk
        .file("password", format!("{}\n", target.password));
    let su = bed.dest("su/");
    let args = [
        "-e",
        &login,
        "-b",
        "--become-method",
        "su",
        "--become-user",
        &target.name,
        "--become-password-file",
        password.to_str().unwrap(),
        "--mkdir",
        "small",
        "large",
        "tree",
        &su,
    ];
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "changed", "{host}");
    all_there(&bed.there("su"));
    let owner = std::fs::metadata(bed.there("su/large")).unwrap().uid();
    assert_eq!(owner, std::fs::metadata(bed.there("su")).unwrap().uid());
    assert_ne!(owner, 0);
    assert_eq!(bed.host(&args)["outcome"], "ok");
}

#[test]
fn as_a_user_of_no_rights_groups_of_replaced_files_are_kept() {
    if ioms_fleet::left_out("another account", "root") {
        return;
    }
    let bed = Bed::new();
    let user = User::new("/bin/sh");
    let joined = std::process::Command::new("usermod")
        .args(["-aG", "daemon", &user.name])
        .status();
    assert!(joined.unwrap().success());
    bed.source("tree/a", "new");
    bed.source("tree/b", "new");
    let login = format!("ansible_user={}", user.name);
    bed.files(
        "changed",
        &["-e", &login, "--mode", "0666", "tree", &bed.dest("")],
    );
    let found = std::fs::metadata(bed.there("tree/a")).unwrap();
    assert_eq!(found.mode() & 0o777, 0o666, "whatever the umask");
    std::os::unix::fs::chown(bed.there("tree/a"), None, Some(1)).unwrap();
    bed.source("tree/a", "newer");
    bed.source("tree/b", "newer");
    bed.files("changed", &["-e", &login, "tree", &bed.dest("")]);
    assert_eq!(bed.holds("tree/a"), b"newer");
    assert_eq!(std::fs::metadata(bed.there("tree/a")).unwrap().gid(), 1);
    assert_eq!(
        std::fs::metadata(bed.there("tree/b")).unwrap().gid(),
        found.gid()
    );
}

#[test]
fn without_sftp_all_goes_through_the_shell() {
    let sshd = Sshd::builder().without_sftp().start().unwrap();
    let bed = Bed::of(Lab::on(sshd, 1, 0));
    sources(&bed);
    let dest = bed.dest("");
    let host = bed.host(&["small", "large", "tree", &dest]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let vias: Vec<_> = host["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["via"])
        .collect();
    assert!(
        vias.iter().all(|via| *via == "stream" || via.is_null()),
        "{vias:?}"
    );
    all_there(&bed.there(""));
    assert_eq!(
        bed.host(&["small", "large", "tree", &dest])["outcome"],
        "ok"
    );
}

#[test]
fn where_there_is_nothing_but_sftp_all_goes_by_it() {
    if ioms_fleet::left_out("a chroot", "root") {
        return;
    }
    let sshd = Sshd::builder().only_sftp().start().unwrap();
    let bed = Bed::of(Lab::on(sshd, 1, 0));
    sources(&bed);
    let args = ["small", "large", "tree", "/files/"];
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "changed", "{host}");
    let there = bed.lab.sshd.chroot().join("files");
    all_there(&there);
    let mode = |name: &str| std::fs::metadata(there.join(name)).unwrap().mode() & 0o777;
    std::fs::write(there.join("by hand"), "").unwrap();
    assert_eq!(mode("small"), mode("by hand"), "as the server makes files");
    assert_eq!(mode("large"), mode("by hand"));
    std::fs::remove_file(there.join("by hand")).unwrap();
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "ok", "{host}");
    bed.source("small", "2");
    assert_eq!(
        bed.files(
            "changed",
            &["--mode", "0600", "--times", "small", "/files/"]
        ),
        ["sent small"]
    );
    assert_eq!(
        std::fs::metadata(there.join("small")).unwrap().mode() & 0o777,
        0o600
    );
    std::fs::remove_dir_all(bed.lab.desk.dir.path().join("tree/many")).unwrap();
    std::fs::write(there.join("tree/extra"), "").unwrap();
    assert_eq!(
        bed.files("changed", &["--delete", "--yes", "tree/", "/files/tree"]),
        [
            "kept a",
            "kept b c",
            "kept d",
            "kept 名字",
            "removed extra",
            "removed many"
        ]
    );
    let document = bed
        .lab
        .json(&bed.command(&["--verify", "large", "/files/"]));
    assert_eq!(only(&document)["outcome"], "ok", "{document}");
    let (kind, _) = bed.error(&["small", "/none/x"]);
    assert_eq!(kind, "remote_io");
}

/// A host that has these tools only.
fn with_tools(tools: &[&str]) -> (Bed, tempfile::TempDir) {
    let few = tempfile::tempdir().unwrap();
    for tool in tools {
        let of = ["/usr/bin", "/bin"].map(|folder| std::path::Path::new(folder).join(tool));
        let of = of.iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(of, few.path().join(tool)).unwrap();
    }
    let wrapper = format!(
        "ForceCommand PATH={}; export PATH; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
        few.path().display()
    );
    let sshd = Sshd::builder().without_sftp().config(&wrapper).start();
    (Bed::of(Lab::on(sshd.unwrap(), 1, 0)), few)
}

const FEW: &[&str] = &[
    "cat", "chgrp", "chmod", "chown", "dd", "find", "head", "id", "ln", "mkdir", "mv", "readlink",
    "rm", "stat", "tail", "touch", "wc", "xargs",
];

#[test]
fn without_a_digest_tool_what_was_written_is_read_back() {
    let (bed, _few) = with_tools(&[FEW, &["tar"]].concat());
    sources(&bed);
    let args = ["small", "large", "tree", &bed.dest("")];
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "changed", "{host}");
    all_there(&bed.there(""));
}

#[test]
fn without_tar_a_tree_goes_file_by_file() {
    let (bed, _few) = with_tools(&[FEW, &["md5sum"]].concat());
    sources(&bed);
    let args = ["small", "large", "tree", &bed.dest("")];
    let host = bed.host(&args);
    assert_eq!(host["outcome"], "changed", "{host}");
    all_there(&bed.there(""));
    assert_eq!(bed.host(&args)["outcome"], "ok");
}

#[test]
fn by_the_controller_itself() {
    let desk = crate::support::Desk::local("here");
    desk.file("f", "1");
    desk.file("tree/a", "1");
    desk.file("tree/b", "1");
    let dest = desk.dir.path().join("dest");
    std::fs::create_dir(&dest).unwrap();
    let args = ["upload", "-g", "all", "f", "tree", dest.to_str().unwrap()];
    let host = only(&desk.json(&args)).clone();
    assert_eq!(host["outcome"], "changed", "{host}");
    assert_eq!(names(&dest), ["f", "tree", "tree/a", "tree/b"]);
    assert_eq!(only(&desk.json(&args))["outcome"], "ok");
}
