//! Files, folders and links, and their attributes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Mode, everywhere};

pub(super) const DO: Mode = Mode {
    check: false,
    diff: false,
};
pub(super) const CHECK: Mode = Mode {
    check: true,
    diff: true,
};

pub(super) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Does a task twice, after a check; it must change something the first time, nothing the second.
#[track_caller]
pub(super) fn settles(run: &dyn Fn(&str, Json, Mode) -> Json, module: &str, args: &Json) -> Json {
    let would = run(module, args.clone(), CHECK);
    assert_eq!(
        (&would["changed"], would.get("failed")),
        (&json!(true), None),
        "{would}"
    );
    let did = run(module, args.clone(), DO);
    assert_eq!(
        (&did["changed"], did.get("failed")),
        (&json!(true), None),
        "{did}"
    );
    for mode in [DO, CHECK] {
        let again = run(module, args.clone(), mode);
        assert_eq!(
            (&again["changed"], again.get("failed")),
            (&json!(false), None),
            "{again}"
        );
    }
    did
}

#[test]
fn folders_are_made_with_all_above_them_and_removed() {
    everywhere(|run, folder| {
        let path = folder.join("a b/it's/deep");
        let did = settles(
            run,
            "file",
            &json!({"path": path, "state": "directory", "mode": "0750"}),
        );
        assert_eq!(
            (&did["state"], &did["mode"]),
            (&json!("directory"), &json!("0750")),
            "{did}"
        );
        assert_eq!(mode(&folder.join("a b")), 0o750);
        fs::write(path.join("f"), "x").unwrap();
        settles(
            run,
            "file",
            &json!({"path": folder.join("a b"), "state": "absent"}),
        );
        assert!(!folder.join("a b").exists());
    });
}

#[test]
fn modes_are_octal_numbers_or_symbols() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        fs::write(&path, "").unwrap();
        for (wanted, is) in [
            (json!("0600"), 0o600),
            (json!("u+x,g=r"), 0o740),
            (json!(0o644), 0o644),
            (json!("a+X"), 0o644),
            (json!("4755"), 0o4755),
            (json!("u-s,o="), 0o750),
            (json!("0o640"), 0o640),
        ] {
            run("file", json!({"path": path, "mode": wanted}), DO);
            assert_eq!(mode(&path), is, "{wanted}");
        }
        let sub = folder.join("d");
        fs::create_dir(&sub).unwrap();
        fs::set_permissions(&sub, fs::Permissions::from_mode(0o2777)).unwrap();
        run("file", json!({"path": sub, "mode": "0755"}), DO);
        assert_eq!(mode(&sub), 0o755);
        let bad = run("file", json!({"path": path, "mode": "rwx"}), DO);
        assert!(
            bad["msg"]
                .as_str()
                .unwrap()
                .starts_with("mode must be in octal"),
            "{bad}"
        );
    });
}

#[test]
fn owners_are_names_or_numbers() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        fs::write(&path, "").unwrap();
        let did = settles(
            run,
            "file",
            &json!({"path": path, "owner": "daemon", "group": "12345"}),
        );
        assert_eq!(
            (&did["owner"], &did["gid"], &did["group"]),
            (&json!("daemon"), &json!(12345), &json!("12345"))
        );
        let check = run(
            "file",
            json!({"path": path, "owner": "0", "group": "bin"}),
            CHECK,
        );
        assert_eq!(check["diff"]["before"]["owner"], "1", "{check}");
        assert_eq!(check["diff"]["after"]["owner"], "0");
        let none = run("file", json!({"path": path, "owner": "nobodyknows"}), DO);
        assert_eq!(
            none["msg"],
            "chown failed: failed to look up user nobodyknows"
        );
    });
}

#[test]
fn links_are_made_led_elsewhere_and_refused() {
    everywhere(|run, folder| {
        let link = folder.join("link");
        fs::create_dir(folder.join("one")).unwrap();
        fs::create_dir(folder.join("two")).unwrap();
        let did = settles(
            run,
            "file",
            &json!({"src": "one", "dest": link, "state": "link"}),
        );
        assert_eq!(
            (&did["state"], &did["src"]),
            (&json!("link"), &json!("one")),
            "{did}"
        );
        settles(
            run,
            "file",
            &json!({"src": "two", "dest": link, "state": "link"}),
        );
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("two"));
        assert_eq!(fs::read_dir(folder.join("one")).unwrap().count(), 0);
        let none = run(
            "file",
            json!({"src": "none", "dest": link, "state": "link"}),
            DO,
        );
        assert!(
            none["msg"]
                .as_str()
                .unwrap()
                .starts_with("src file does not exist"),
            "{none}"
        );
        settles(
            run,
            "file",
            &json!({"src": "none", "dest": link, "state": "link", "force": true}),
        );
        fs::write(folder.join("f"), "x").unwrap();
        let refused = run(
            "file",
            json!({"src": "one", "dest": folder.join("f"), "state": "link"}),
            DO,
        );
        assert!(
            refused["msg"]
                .as_str()
                .unwrap()
                .starts_with("refusing to convert from file"),
            "{refused}"
        );
        settles(
            run,
            "file",
            &json!({"src": "one", "dest": folder.join("f"), "state": "link", "force": true}),
        );
        let hard = folder.join("hard");
        fs::write(folder.join("g"), "x").unwrap();
        settles(
            run,
            "file",
            &json!({"src": folder.join("g"), "dest": hard, "state": "hard"}),
        );
        assert_eq!(fs::metadata(&hard).unwrap().nlink(), 2);
    });
}

#[test]
fn a_touch_makes_a_file_and_sets_times() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        let made = run(
            "file",
            json!({"path": path, "state": "touch", "mode": "0600"}),
            DO,
        );
        assert_eq!(
            (&made["changed"], &made["dest"], &made["size"]),
            (&json!(true), &json!(path), &json!(0))
        );
        let times = json!({"path": path, "state": "touch", "modification_time": "202001020304.05", "access_time": "2020", "access_time_format": "%Y-%m-%d"});
        assert!(
            run("file", times, DO)["msg"]
                .as_str()
                .unwrap()
                .starts_with("Error while obtaining timestamp")
        );
        let times = json!({"path": path, "state": "touch", "modification_time": "202001020304.05", "access_time": "2020-01-02", "access_time_format": "%Y-%m-%d"});
        settles(run, "file", &times);
        let now = run("file", json!({"path": path, "state": "touch"}), DO);
        assert_eq!(now["changed"], true);
        let kept = json!({"path": path, "state": "touch", "modification_time": "preserve", "access_time": "preserve"});
        assert_eq!(run("file", kept, DO)["changed"], false);
    });
}

#[test]
fn attributes_hold_for_all_within_a_folder() {
    everywhere(|run, folder| {
        let tree = folder.join("tree");
        fs::create_dir_all(tree.join("sub dir")).unwrap();
        fs::write(tree.join("sub dir/f"), "").unwrap();
        std::os::unix::fs::symlink("/nowhere", tree.join("broken")).unwrap();
        settles(
            run,
            "file",
            &json!({"path": tree, "state": "directory", "recurse": true, "mode": "u=rwX,g=rX,o=", "owner": "daemon", "group": "bin"}),
        );
        assert_eq!(
            (mode(&tree.join("sub dir")), mode(&tree.join("sub dir/f"))),
            (0o750, 0o640)
        );
        assert_eq!(fs::symlink_metadata(tree.join("broken")).unwrap().uid(), 1);
        settles(
            run,
            "file",
            &json!({"path": tree, "state": "directory", "recurse": true, "mode": "0700"}),
        );
        assert_eq!(mode(&tree.join("sub dir/f")), 0o700);
    });
}

#[test]
fn what_is_not_there_is_said() {
    everywhere(|run, folder| {
        let path = folder.join("none");
        let none = run("file", json!({"path": path, "mode": "0600"}), DO);
        assert_eq!(
            none["msg"],
            format!("file ({}) is absent, cannot continue", path.display())
        );
        assert_eq!(
            run("file", json!({"path": path, "state": "absent"}), DO)["changed"],
            false
        );
    });
}
