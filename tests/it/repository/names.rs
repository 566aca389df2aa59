//! What can be added, and under which names.

use std::process::Command;

use super::Bed;
use crate::support::Ran;

#[test]
fn odd_names_are_kept_and_those_that_lead_elsewhere_refused() {
    let bed = Bed::sqlite();
    let file = bed.desk.file("source", "x");
    let file = file.to_str().unwrap();
    let (long, too_long) = ("x".repeat(255), "中".repeat(86));
    for name in [
        "空格 和 中文.txt",
        "-rf",
        "it's \"$HOME\";*",
        "icon@2x.png",
        "%s",
        &long,
    ] {
        let name_is = format!("--name={name}");
        bed.run(&["repo", "add", file, &name_is]).ends_with(0);
        let shown = bed.json(&["show", "--", name]);
        assert_eq!(
            (&shown["name"], &shown["version"]),
            (&name.into(), &"1".into())
        );
        let versioned = format!("{name}@1");
        assert_eq!(bed.json(&["show", "--", &versioned])["name"], name);
    }
    let before = bed.listed();
    let refused = [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "..\\a",
        "@a",
        "a\nb",
        "a\u{1b}[2J",
        "a\u{202e}b",
        " a",
        "a ",
        &too_long,
    ];
    for name in refused {
        let name_is = format!("--name={name}");
        let ran = bed.run(&["repo", "add", file, &name_is]).ends_with(1);
        assert!(
            ran.stderr.contains("can't name a file of the repository"),
            "{ran:?}"
        );
        assert!(
            ran.stderr.contains("hint: ") && !ran.stderr.contains('\u{1b}'),
            "{ran:?}"
        );
    }
    for version in ["", "a/b", "..\\a", "1@2", "1\n", &"1".repeat(65)] {
        let version = format!("--version={version}");
        let ran = bed.run(&["repo", "add", file, &version]).ends_with(1);
        assert!(ran.stderr.contains("can't be a version"), "{ran:?}");
    }
    let note = format!("--note={}", "x".repeat(4097));
    bed.run(&["repo", "add", file, &note]).ends_with(1);
    assert_eq!(bed.listed(), before);
    assert_eq!((bed.contents().len(), bed.incoming().len()), (1, 0));
}

#[test]
fn a_source_is_a_regular_file_itself_or_by_a_link_or_standard_input() {
    let bed = Bed::sqlite();
    let dir = bed.desk.dir.path();
    bed.desk.file("real", "real");
    std::os::unix::fs::symlink("real", dir.join("link.txt")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("dangling")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(dir.join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
    bed.run(&["repo", "add", "link.txt"]).ends_with(0);
    for bad in [
        "dangling",
        "pipe",
        "socket",
        ".",
        "/dev/zero",
        "/dev/null",
        "missing",
        "-",
    ] {
        let ran = bed.run(&["repo", "add", bad]).ends_with(1);
        assert!(ran.stderr.starts_with("error: "), "{bad}: {ran:?}");
    }
    assert_eq!(bed.listed(), ["link.txt@1"]);
    let ran: Ran = bed
        .desk
        .feed(&["repo", "add", "-", "--name", "fed"], b"from a pipe");
    ran.ends_with(0);
    bed.desk
        .feed(&["repo", "add", "-", "--name", "empty"], b"")
        .ends_with(0);
    assert_eq!(bed.json(&["show", "fed"])["size"], 11);
    assert_eq!(bed.json(&["show", "empty"])["size"], 0);
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    assert!(bed.incoming().is_empty());
}

#[test]
fn a_file_whose_name_is_no_text_needs_another() {
    use std::os::unix::ffi::OsStrExt as _;
    let bed = Bed::sqlite();
    // 更新.txt in GBK.
    let name = std::ffi::OsStr::from_bytes(b"\xb8\xfc\xd0\xc2.txt");
    std::fs::write(bed.desk.dir.path().join(name), "x").unwrap();
    let add = |more: &[&str]| {
        let mut command = bed.command(&["repo", "add"]);
        command.arg(name).args(more);
        Ran::of(command)
    };
    let ran = add(&[]).ends_with(1);
    assert!(ran.stderr.contains("no name to go by"), "{ran:?}");
    add(&["--name", "更新.txt"]).ends_with(0);
    assert_eq!(bed.listed(), ["更新.txt@1"]);
}

#[test]
fn nobody_else_may_read_the_store() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::sqlite();
    let source = bed.desk.file("source", "x");
    std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o777)).unwrap();
    bed.run(&["repo", "add", "source"]).ends_with(0);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let content = bed.contents().remove(0);
    assert_eq!(mode(&content), 0o600);
    for folder in content.ancestors().skip(1).take(3) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&bed.data().join("repository/incoming")), 0o700);
}
