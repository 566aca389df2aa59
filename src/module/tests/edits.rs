//! Text files that are edited: the host asks, the controller says what the content becomes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use super::{Mode, everywhere};

const DO: Mode = Mode {
    check: false,
    diff: false,
};
const CHECK: Mode = Mode {
    check: true,
    diff: true,
};

#[test]
fn a_line_is_set_once_and_the_file_keeps_its_mode() {
    everywhere(|run, folder| {
        let path = folder.join("it's a file");
        fs::write(&path, "a\nold = 1\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let args = json!({"path": path, "regexp": "^old", "line": "new = 'é'", "backup": true});
        let would = run("lineinfile", args.clone(), CHECK);
        assert_eq!(would["changed"], true, "{would}");
        assert_eq!(would["diff"][0]["before"], "a\nold = 1\n");
        assert_eq!(would["diff"][0]["after"], "a\nnew = 'é'\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nold = 1\n");

        let did = run("lineinfile", args.clone(), DO);
        assert_eq!(
            (&did["changed"], &did["msg"]),
            (&json!(true), &json!("line replaced")),
            "{did}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nnew = 'é'\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o640
        );
        assert_eq!(
            fs::read_to_string(did["backup"].as_str().unwrap()).unwrap(),
            "a\nold = 1\n"
        );

        let again = json!({"path": path, "line": "new = 'é'", "mode": "0640"});
        let again = run("lineinfile", again, DO);
        assert_eq!(
            (&again["changed"], &again["backup"]),
            (&json!(false), &json!("")),
            "{again}"
        );
        // Nothing is left beside it but the backup.
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
    });
}

#[test]
fn attributes_are_set_with_the_content_or_without() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        let args = json!({"path": path, "line": "x", "create": true, "mode": "u=rw,g=r,o="});
        let made = run("lineinfile", args.clone(), DO);
        assert_eq!(made["changed"], true, "{made}");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o640
        );
        let only = run(
            "lineinfile",
            json!({"path": path, "line": "x", "mode": 0o600}),
            CHECK,
        );
        assert_eq!(
            only["msg"], "ownership, perms or SE linux context changed",
            "{only}"
        );
        assert_eq!(only["diff"][1]["before"]["mode"], "0640");
        assert_eq!(only["diff"][1]["after"]["mode"], "0600");
    });
}

#[test]
fn what_is_found_invalid_takes_no_place() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        fs::write(&path, "good\n").unwrap();
        let args = json!({"path": path, "line": "bad", "validate": "! grep -q bad %s"});
        let refused = run("lineinfile", args, DO);
        assert_eq!(refused["failed"], true);
        assert_eq!(refused["changed"], false, "{refused}");
        assert!(
            refused["msg"]
                .as_str()
                .unwrap()
                .starts_with("failed to validate: rc:1"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "good\n");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    });
}

#[test]
fn what_a_state_requires_has_to_be_given() {
    everywhere(|run, folder| {
        let table = folder.join("fstab");
        let args = json!({"path": "/mnt/x", "state": "present", "fstab": table});
        assert_eq!(
            run("mount", args, DO)["msg"],
            "state is present but all of the following are missing: src, fstype"
        );
        assert!(!table.exists());
    });
}

/// The owner of a folder that root works in moves things about meanwhile.
#[test]
fn nothing_goes_where_a_folder_is_swapped_for_a_link() {
    everywhere(|run, folder| {
        let (path, other) = (folder.join("f"), folder.join("other"));
        fs::write(&path, "a\n").unwrap();
        fs::create_dir(&other).unwrap();
        let swap = folder.join("swap");
        let script = r#"
            cd "$(dirname "$0")"
            : >"other/$(basename "$1")" && chmod 600 "other/$(basename "$1")"
            mv "$(dirname "$1")" aside && ln -s other "$(dirname "$1")""#;
        fs::write(&swap, script).unwrap();
        let validate = format!("sh {} %s", swap.display());
        let args = json!({"path": path, "line": "b", "mode": "0666", "validate": validate});
        let did = run("lineinfile", args, DO);
        assert_eq!(did["changed"], true, "{did}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
        let planted = fs::read_dir(&other).unwrap().next().unwrap().unwrap();
        let mode = planted.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode, planted.metadata().unwrap().len()), (0o600, 0));
    });
}

#[test]
fn a_link_stays_a_link() {
    everywhere(|run, folder| {
        fs::write(folder.join("real"), "a\n").unwrap();
        symlink("real", folder.join("link")).unwrap();
        let args = json!({"path": folder.join("link"), "regexp": "a", "replace": "b"});
        assert_eq!(run("replace", args, DO)["changed"], true);
        assert_eq!(fs::read_to_string(folder.join("real")).unwrap(), "b\n");
        assert!(folder.join("link").is_symlink());
    });
}

#[test]
fn a_link_that_is_not_followed_is_replaced() {
    everywhere(|run, folder| {
        let (real, link) = (folder.join("real"), folder.join("link"));
        fs::write(&real, "[s]\na = 1\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("real", &link).unwrap();
        let args = json!({"path": link, "section": "s", "option": "a", "value": "2"});
        assert_eq!(run("ini_file", args, DO)["changed"], true);
        assert_eq!(fs::read_to_string(&real).unwrap(), "[s]\na = 1\n");
        assert!(!link.is_symlink());
        assert_eq!(
            fs::metadata(&link).unwrap().permissions().mode() & 0o7777,
            0o600
        );
    });
}

#[test]
fn an_account_gets_no_file_of_others_by_a_link() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv";
    everywhere(|run, folder| {
        let (real, link) = (folder.join("real"), folder.join("link"));
        fs::write(&real, "secret\n").unwrap();
        symlink("real", &link).unwrap();
        let args = json!({"user": "daemon", "key": KEY, "path": link, "manage_dir": false});
        let refused = run("authorized_key", args, DO);
        assert_eq!(refused["failed"], true, "{refused}");
        assert_eq!(fs::read_to_string(&real).unwrap(), "secret\n");
        assert!(link.is_symlink());
    });
}

#[test]
fn what_can_not_be_edited_is_said() {
    everywhere(|run, folder| {
        let said = |module: &str, args| run(module, args, DO)["msg"].as_str().unwrap().to_owned();
        let path = folder.join("none");
        assert!(
            said("lineinfile", json!({"path": path, "line": "x"})).ends_with("does not exist !")
        );
        assert!(
            said("replace", json!({"path": folder, "regexp": "x"})).ends_with("is a directory !")
        );
        fs::write(&path, "x").unwrap();
        assert!(
            said("replace", json!({"path": path, "regexp": "("}))
                .contains("Unable to process replace")
        );
        fs::write(&path, b"\xff").unwrap();
        let wide = json!({"path": path, "regexp": "x", "encoding": "utf-16"});
        assert!(said("replace", wide).contains("is no utf-16"));
    });
}

#[test]
fn blocks_and_options_are_set_once() {
    everywhere(|run, folder| {
        let path = folder.join("deep/er/f");
        let block = json!({"path": path, "block": "a\nb", "create": true});
        assert_eq!(run("blockinfile", block.clone(), DO)["msg"], "File created");
        assert_eq!(run("blockinfile", block, DO)["changed"], false);
        let option = json!({"path": path, "section": "s", "option": "o", "value": "v"});
        let set = run("community.general.ini_file", option.clone(), DO);
        assert_eq!(
            (&set["msg"], &set["path"]),
            (&json!("section and option added"), &json!(path))
        );
        assert_eq!(run("ini_file", option, DO)["changed"], false);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "# BEGIN ANSIBLE MANAGED BLOCK\na\nb\n# END ANSIBLE MANAGED BLOCK\n[s]\no = v\n"
        );
    });
}
