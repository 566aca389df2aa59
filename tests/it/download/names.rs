//! Names of all kinds.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::bed::{Bed, assert_same};

/// Names that somebody's scripts would trip over.
fn odd() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "空格 和 中文.txt",
        " leading",
        "trailing ",
        "-rf",
        "--help",
        ".hidden",
        "..two",
        "new\nline",
        "\n",
        "carriage\rreturn",
        "tab\there",
        "qu'ote",
        "\"double\"",
        "back\\slash",
        "back\\nslash",
        "$HOME",
        "`id`",
        "*",
        "?",
        "[a]",
        "~",
        "#1 x",
        "a;b",
        "error x",
        "notool x",
        "%s",
        "\x1b[31mred",
    ]
    .iter()
    .map(OsString::from)
    .collect();
    names.push("x".repeat(255).into());
    names.push("文".repeat(85).into());
    names.push(OsStr::from_bytes(b"not \xff\xfe utf-8").to_owned());
    names
}

#[test]
fn any_name_comes_as_it_is_and_is_known_again() {
    let bed = Bed::new();
    for name in odd() {
        let folder = bed.at("tree").join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        for below in odd() {
            std::fs::write(folder.join(below), name.as_bytes()).unwrap();
        }
    }
    bed.fetched("tree", &[]);
    assert_same(&bed.at("tree"), &bed.got("tree"));
    let again = bed.fetched("tree", &[]);
    assert_eq!(again["outcome"], "ok");
}

#[test]
fn large_files_of_any_name_come_by_themselves() {
    let bed = Bed::new();
    let content = super::bed::noise((1 << 20) + 1);
    std::fs::create_dir(bed.at("tree")).unwrap();
    for name in odd() {
        std::fs::write(bed.at("tree").join(name), &content).unwrap();
    }
    bed.fetched("tree", &[]);
    assert_same(&bed.at("tree"), &bed.got("tree"));
    let sshd = ioms_fleet::Sshd::builder().without_sftp().start().unwrap();
    let without = Bed::on(sshd);
    let host = without.fetch(&bed.source("tree"), &[]);
    assert!(host["error"].is_null(), "{host}");
    assert_same(&bed.at("tree"), &without.got("tree"));
}

#[test]
fn a_source_of_any_name_can_be_asked_for() {
    let bed = Bed::new();
    for name in odd().iter().filter_map(|name| name.to_str()) {
        bed.put(name, name);
        let host = bed.fetched(name, &[]);
        assert_eq!(host["files"][0]["size"], name.len(), "{name:?} {host}");
        assert_eq!(std::fs::read(bed.got(name)).unwrap(), name.as_bytes());
        std::fs::remove_file(bed.at(name)).unwrap();
    }
}
