//! Archives are packed and unpacked, once.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::everywhere;
use super::files::{CHECK, DO, mode, settles};

fn tree(folder: &Path) {
    fs::create_dir_all(folder.join("d/sub dir")).unwrap();
    for (name, content) in [("d/a", "1"), ("d/it's", "2"), ("d/sub dir/b", "3")] {
        fs::write(folder.join(name), content).unwrap();
    }
    std::os::unix::fs::symlink("a", folder.join("d/link")).unwrap();
}

#[test]
fn archives_of_all_kinds_are_unpacked_once() {
    everywhere(|run, folder| {
        tree(folder);
        for (name, line) in [
            ("a.tar", "tar cf a.tar d"),
            ("a.tgz", "tar czf a.tgz d"),
            ("a.tar.bz2", "tar cjf a.tar.bz2 d"),
            ("a.tar.xz", "tar cJf a.tar.xz d"),
            ("a.zip", "zip -qry a.zip d"),
        ] {
            assert!(
                Command::new("sh")
                    .args(["-c", line])
                    .current_dir(folder)
                    .status()
                    .unwrap()
                    .success()
            );
            let dest = folder.join(format!("out {name}"));
            fs::create_dir(&dest).unwrap();
            let args = json!({"src": folder.join(name), "dest": dest, "list_files": true});
            let did = settles(run, "unarchive", &args);
            assert_eq!(fs::read_to_string(dest.join("d/sub dir/b")).unwrap(), "3");
            assert_eq!(fs::read_link(dest.join("d/link")).unwrap(), Path::new("a"));
            assert!(
                did["files"].as_array().unwrap().contains(&json!("d/it's")),
                "{did}"
            );
            fs::write(dest.join("d/a"), "other").unwrap();
            settles(run, "unarchive", &args);
            let owned = json!({"src": folder.join(name), "dest": dest, "remote_src": true, "mode": "u=rwX,go=", "owner": "daemon"});
            settles(run, "unarchive", &owned);
            assert_eq!(
                (mode(&dest.join("d/a")), mode(&dest.join("d/sub dir"))),
                (0o600, 0o700)
            );
        }
    });
}

#[test]
fn what_is_not_wanted_stays_in_the_archive() {
    everywhere(|run, folder| {
        tree(folder);
        let line = "tar czf a.tgz d && zip -qry a.zip d && mkdir one two";
        assert!(
            Command::new("sh")
                .args(["-c", line])
                .current_dir(folder)
                .status()
                .unwrap()
                .success()
        );
        for name in ["a.tgz", "a.zip"] {
            let dest = folder.join(if name == "a.zip" { "one" } else { "two" });
            settles(
                run,
                "unarchive",
                &json!({"src": folder.join(name), "dest": dest, "exclude": ["d/a", "d/sub dir/*"]}),
            );
            assert!(
                dest.join("d/it's").exists()
                    && !dest.join("d/a").exists()
                    && !dest.join("d/sub dir/b").exists()
            );
            settles(
                run,
                "unarchive",
                &json!({"src": folder.join(name), "dest": dest, "include": ["d/a"]}),
            );
        }
        let made = run(
            "unarchive",
            json!({"src": folder.join("a.tgz"), "dest": folder, "creates": folder.join("d")}),
            DO,
        );
        assert_eq!(made["changed"], false);
        let none = run(
            "unarchive",
            json!({"src": folder.join("a.tgz"), "dest": folder.join("no")}),
            DO,
        );
        assert_eq!(
            none["msg"],
            format!(
                "Destination '{}' is not a directory",
                folder.join("no").display()
            )
        );
        fs::write(folder.join("bad.tgz"), "no archive at all").unwrap();
        assert_eq!(
            run(
                "unarchive",
                json!({"src": folder.join("bad.tgz"), "dest": folder}),
                DO
            )["failed"],
            true
        );
    });
}

#[test]
fn files_are_packed_once() {
    everywhere(|run, folder| {
        tree(folder);
        for format in ["gz", "bz2", "xz", "tar", "zip"] {
            let dest = folder.join(format!("made.{format}"));
            let args = json!({"path": [folder.join("d"), folder.join("none")], "dest": dest, "format": format, "exclusion_patterns": "*it's"});
            let did = settles(run, "archive", &args);
            assert_eq!(
                (&did["dest_state"], &did["missing"]),
                (&json!("incomplete"), &json!([folder.join("none")])),
                "{did}"
            );
            assert_eq!(did["archived"].as_array().unwrap().len(), 4, "{did}");
            let out = folder.join(format!("out.{format}"));
            fs::create_dir(&out).unwrap();
            let back = run(
                "unarchive",
                json!({"src": dest, "dest": out, "remote_src": true}),
                DO,
            );
            assert_eq!(
                fs::read_to_string(out.join("d/sub dir/b")).unwrap(),
                "3",
                "{back}"
            );
            assert!(!out.join("d/it's").exists());
        }
        let one = settles(run, "archive", &json!({"path": folder.join("d/a")}));
        assert_eq!(
            (&one["dest_state"], &one["dest"]),
            (&json!("compress"), &json!(folder.join("d/a.gz")))
        );
        let gone =
            json!({"path": folder.join("d/*"), "dest": folder.join("all.tgz"), "remove": true});
        assert_eq!(run("archive", gone.clone(), CHECK)["changed"], true);
        assert_eq!(run("archive", gone, DO)["changed"], true);
        assert_eq!(fs::read_dir(folder.join("d")).unwrap().count(), 0);
    });
}

fn done_in(folder: &Path, line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{line}");
}

#[test]
fn names_in_archives_lead_nowhere_else() {
    everywhere(|run, folder| {
        done_in(
            folder,
            "mkdir in out && echo x >victim && cd in && zip -q ../a.zip ../victim",
        );
        let before = mode(&folder.join("victim"));
        let args = json!({"src": folder.join("a.zip"), "dest": folder.join("out"), "mode": "0600"});
        let refused = run("unarchive", args, DO);
        assert_eq!(refused["failed"], true, "{refused}");
        assert_eq!(mode(&folder.join("victim")), before);
        // Nor do links that were there before.
        done_in(
            folder,
            "mkdir d && echo y >d/f && zip -qr b.zip d && mv d else && ln -s ../else out/d",
        );
        let before = mode(&folder.join("else/f"));
        let args = json!({"src": folder.join("b.zip"), "dest": folder.join("out"), "mode": "0600"});
        let did = run("unarchive", args, DO);
        assert_eq!(mode(&folder.join("else/f")), before, "{did}");
    });
}

#[test]
fn names_are_no_options_and_of_any_letters() {
    everywhere(|run, folder| {
        done_in(
            folder,
            "mkdir d out && cd d && touch -- '--checkpoint=1' '--checkpoint-action=exec=touch bad' é",
        );
        let dest = folder.join("a.tgz");
        let packed = run(
            "archive",
            json!({"path": folder.join("d/*"), "dest": dest}),
            DO,
        );
        assert_eq!(packed["dest_state"], "archive", "{packed}");
        assert_eq!(fs::read_dir(folder.join("d")).unwrap().count(), 3);
        let args =
            json!({"src": dest, "dest": folder.join("out"), "list_files": true, "mode": "0600"});
        let did = settles(run, "unarchive", &args);
        assert!(
            did["files"].as_array().unwrap().contains(&json!("é")),
            "{did}"
        );
        assert_eq!(mode(&folder.join("out/é")), 0o600);
    });
}

#[test]
fn a_folder_that_a_link_leads_to_is_packed() {
    everywhere(|run, folder| {
        tree(folder);
        std::os::unix::fs::symlink("d", folder.join("current")).unwrap();
        for (path, inner) in [("current", "current/sub dir/b"), ("current/", "sub dir/b")] {
            let dest = folder.join("packed.tar");
            let args = json!({"path": folder.join(path), "dest": dest, "format": "tar"});
            let did = settles(run, "archive", &args);
            assert_eq!(did["dest_state"], "archive", "{did}");
            let list = Command::new("tar").arg("tf").arg(&dest).output().unwrap();
            let list = String::from_utf8(list.stdout).unwrap();
            assert!(list.lines().any(|name| name == inner), "{list}");
            fs::remove_file(dest).unwrap();
        }
    });
}
