//! What is copied: texts, files, folders; from here and on the host.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::json;

use super::files::{CHECK, DO, mode, settles};
use super::{everywhere, everywhere_unprivileged, in_shell};

#[test]
fn a_text_becomes_a_file_once() {
    everywhere(|run, folder| {
        let path = folder.join("it's");
        let args = json!({"content": "a é\n", "dest": path, "mode": "0600"});
        let did = settles(run, "copy", &args);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a é\n");
        assert_eq!(
            (&did["size"], &did["mode"], &did["state"]),
            (&json!(5), &json!("0600"), &json!("file"))
        );
        let data = json!({"content": {"a": [1, "x"]}, "dest": path, "backup": true});
        let did = run("copy", data, DO);
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"a": [1, "x"]}"#);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(
            fs::read_to_string(did["backup_file"].as_str().unwrap()).unwrap(),
            "a é\n"
        );
        run("copy", json!({"content": true, "dest": path}), DO);
        assert_eq!(fs::read_to_string(&path).unwrap(), "True");
        let kept = run(
            "copy",
            json!({"content": "z", "dest": path, "force": false}),
            DO,
        );
        assert_eq!(kept["changed"], false);
        let refused = run(
            "copy",
            json!({"content": "z", "dest": path, "checksum": "0"}),
            DO,
        );
        assert_eq!(refused["failed"], true);
    });
}

#[test]
fn a_diff_shows_both_contents() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        fs::write(&path, "old\n").unwrap();
        let would = run("copy", json!({"content": "new\n", "dest": path}), CHECK);
        assert_eq!(would["diff"][0]["before"], "old\n", "{would}");
        assert_eq!(would["diff"][0]["after"], "new\n");
        fs::write(&path, b"\0").unwrap();
        let would = run("copy", json!({"content": "new\n", "dest": path}), CHECK);
        assert_eq!(would["diff"][0]["dst_binary"], 1, "{would}");
        assert_eq!(fs::read(&path).unwrap(), b"\0");
    });
}

#[test]
fn a_file_of_any_size_goes_where_it_is_to_be() {
    everywhere(|run, folder| {
        let src = folder.join("big");
        fs::write(&src, "0123456789".repeat(30_000)).unwrap();
        fs::set_permissions(&src, fs::Permissions::from_mode(0o751)).unwrap();
        let into = format!("{}/a/b/", folder.display());
        settles(
            run,
            "copy",
            &json!({"src": src, "dest": into, "mode": "preserve", "directory_mode": "0700"}),
        );
        let made = folder.join("a/b/big");
        assert_eq!(fs::read(&made).unwrap(), fs::read(&src).unwrap());
        assert_eq!((mode(&made), mode(&folder.join("a"))), (0o751, 0o700));
        let none = run("copy", json!({"src": src, "dest": folder.join("no/x")}), DO);
        assert_eq!(
            none["msg"],
            format!(
                "Destination directory {} does not exist",
                folder.join("no").display()
            )
        );
        let here = json!({"src": made, "dest": folder.join("here"), "remote_src": true});
        let did = settles(run, "copy", &here);
        assert_eq!(did["md5sum"].as_str().map(str::len), Some(32), "{did}");
    });
}

#[test]
fn a_link_at_the_place_is_replaced_or_followed() {
    everywhere(|run, folder| {
        fs::write(folder.join("real"), "a").unwrap();
        symlink("real", folder.join("link")).unwrap();
        settles(
            run,
            "copy",
            &json!({"content": "b", "dest": folder.join("link"), "follow": true}),
        );
        assert_eq!(fs::read_to_string(folder.join("real")).unwrap(), "b");
        settles(
            run,
            "copy",
            &json!({"content": "b", "dest": folder.join("link")}),
        );
        assert!(!folder.join("link").is_symlink());
    });
}

#[test]
fn what_a_command_finds_wrong_is_not_copied() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        let refused = run(
            "copy",
            json!({"content": "bad", "dest": path, "validate": "! grep -q bad %s"}),
            DO,
        );
        assert_eq!(
            (&refused["exit_status"], path.exists()),
            (&json!(1), false),
            "{refused}"
        );
        symlink("none", &path).unwrap();
        let args = json!({"content": "bad", "dest": path, "validate": "! grep -q bad %s"});
        assert_eq!(run("copy", args, DO)["failed"], true);
        assert!(path.is_symlink());
    });
}

#[test]
fn a_link_to_a_folder_is_replaced_by_the_file() {
    everywhere(|run, folder| {
        fs::create_dir(folder.join("d")).unwrap();
        fs::create_dir(folder.join("in")).unwrap();
        symlink("../d", folder.join("in/src")).unwrap();
        fs::write(folder.join("src"), "a").unwrap();
        let into = format!("{}/in/", folder.display());
        let did = run("copy", json!({"src": folder.join("src"), "dest": into}), DO);
        assert_eq!(did["changed"], true, "{did}");
        assert!(!folder.join("in/src").is_symlink());
        assert_eq!(fs::read_dir(folder.join("d")).unwrap().count(), 0);
    });
}

#[test]
fn a_new_file_is_closed_until_it_has_its_mode() {
    everywhere(|run, folder| {
        for (wanted, mode_then) in [("u=rw,g=r,o=", 0o640), ("g+w", 0o664), ("0600", 0o600)] {
            let path = folder.join(wanted);
            // The command sees the file before it has its place.
            let args = json!({"content": "secret", "dest": path, "mode": wanted, "validate": "test -z \"$(find %s -perm -004)\""});
            let did = run("copy", args, DO);
            assert_eq!(did["changed"], true, "{did}");
            assert_eq!(mode(&path), mode_then);
        }
        let path = folder.join("open");
        run("copy", json!({"content": "x", "dest": path}), DO);
        assert_eq!(mode(&path), 0o644);
    });
}

#[test]
fn names_of_copied_files_are_kept_as_they_are() {
    everywhere(|run, folder| {
        let src = folder.join("src");
        fs::create_dir(&src).unwrap();
        let names = ["blank ", " before", r"a\b\n", "-x", "-"];
        for name in names {
            fs::write(src.join(name), "x").unwrap();
        }
        for remote in [false, true] {
            let dest = folder.join(if remote { "far" } else { "near" });
            let args = json!({"src": src, "dest": dest, "remote_src": remote});
            settles(run, "copy", &args);
            for name in names {
                assert!(dest.join("src").join(name).exists(), "{name}");
            }
        }
        fs::write(src.join("a\nb"), "x").unwrap();
        let args = json!({"src": src, "dest": folder.join("no"), "remote_src": true});
        assert_eq!(run("copy", args, DO)["failed"], true);
        assert!(!folder.join("no").exists());
    });
}

#[test]
fn a_folder_of_the_host_keeps_its_modes_and_links() {
    everywhere(|run, folder| {
        let (src, dest) = (folder.join("src"), folder.join("dest"));
        fs::create_dir_all(src.join("bin")).unwrap();
        fs::write(src.join("bin/run"), "1").unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&src.join("bin/run"), 0o750);
        set(&src.join("bin"), 0o711);
        symlink("bin/run", src.join("link")).unwrap();
        let args = json!({"src": format!("{}/", src.display()), "dest": dest, "remote_src": true});
        settles(run, "copy", &args);
        let modes = || (mode(&dest.join("bin/run")), mode(&dest.join("bin")));
        assert_eq!(modes(), (0o750, 0o711));
        assert!(dest.join("link").is_symlink());
        // What is the same is left alone; what is replaced has its source's again.
        set(&dest.join("bin/run"), 0o600);
        set(&dest.join("bin"), 0o700);
        assert_eq!(run("copy", args.clone(), DO)["changed"], false);
        assert_eq!(modes(), (0o600, 0o700));
        fs::write(src.join("bin/run"), "2").unwrap();
        run("copy", args, DO);
        assert_eq!(modes(), (0o750, 0o700));
        let follow = json!({"src": src, "dest": folder.join("far"), "remote_src": true, "local_follow": true, "mode": "0640"});
        settles(run, "copy", &follow);
        let link = folder.join("far/src/link");
        assert!(!link.is_symlink());
        assert_eq!(mode(&link), 0o640);
    });
}

#[test]
fn a_folder_that_denies_writing_is_copied_with_what_is_in_it() {
    everywhere_unprivileged(|run, folder| {
        let src = folder.join("src");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        fs::create_dir_all(src.join("ro/in")).unwrap();
        fs::write(src.join("ro/in/f"), "1").unwrap();
        symlink("in/f", src.join("ro/link")).unwrap();
        set(&src.join("ro/in"), 0o555);
        set(&src.join("ro"), 0o555);
        let dest = folder.join("dest");
        let args = json!({"src": format!("{}/", src.display()), "dest": dest, "remote_src": true});
        let said = json!({"src": src, "dest": folder.join("said"), "remote_src": true, "directory_mode": "u=rx,go=x"});
        let sent = json!({"src": src, "dest": folder.join("sent"), "mode": "preserve", "local_follow": false});
        for (args, made, wanted) in [
            (args, dest, 0o555),
            (said, folder.join("said/src"), 0o511),
            (sent, folder.join("sent/src"), 0o555),
        ] {
            settles(run, "copy", &args);
            assert_eq!(fs::read_to_string(made.join("ro/link")).unwrap(), "1");
            let modes = (mode(&made.join("ro")), mode(&made.join("ro/in")));
            assert_eq!(modes, (wanted, wanted), "{args}");
        }
    });
}

#[test]
fn a_folder_goes_into_the_root_folder() {
    everywhere(|run, folder| {
        // On every host there is this one.
        fs::create_dir_all(folder.join("src/tmp")).unwrap();
        let src = format!("{}/", folder.join("src").display());
        for remote in [true, false] {
            let args = json!({"src": src, "dest": "/", "remote_src": remote});
            assert_eq!(run("copy", args, CHECK)["changed"], false);
        }
    });
}

#[test]
fn a_link_of_a_folder_replaces_all_but_a_folder() {
    everywhere(|run, folder| {
        let (src, dest) = (folder.join("src"), folder.join("dest"));
        fs::create_dir_all(&src).unwrap();
        fs::create_dir_all(dest.join("l/kept")).unwrap();
        symlink("aim", src.join("l")).unwrap();
        let from = format!("{}/", src.display());
        for args in [
            json!({"src": from, "dest": dest, "remote_src": true}),
            json!({"src": from, "dest": dest, "local_follow": false}),
        ] {
            let refused = run("copy", args.clone(), DO);
            let there = dest.join("l");
            assert_eq!(
                refused["msg"],
                format!("{} is a folder", there.display()),
                "{refused}"
            );
            assert_eq!(fs::read_dir(&there).unwrap().count(), 1);
            fs::rename(&there, folder.join("aside")).unwrap();
            // A link to a folder is a link.
            symlink("../aside", &there).unwrap();
            settles(run, "copy", &args);
            assert_eq!(fs::read_link(&there).unwrap().to_str(), Some("aim"));
            assert_eq!(fs::read_dir(&dest).unwrap().count(), 1);
            fs::remove_file(&there).unwrap();
            fs::rename(folder.join("aside"), &there).unwrap();
        }
    });
}

#[test]
fn a_file_of_a_folder_is_compared_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["src", "dest", "tools"] {
        fs::create_dir(path(name)).unwrap();
    }
    for (name, content) in [
        ("src/same", "1"),
        ("src/other", "1"),
        ("src/new", "1"),
        ("dest/same", "1"),
        ("dest/other", "2"),
        (
            "tools/cmp",
            "#!/bin/sh\necho cmp >>\"$0.said\"\nexec /usr/bin/cmp \"$@\"\n",
        ),
    ] {
        fs::write(path(name), content).unwrap();
    }
    fs::set_permissions(path("tools/cmp"), fs::Permissions::from_mode(0o755)).unwrap();
    let tools = format!("PATH={}:/usr/bin:/bin", path("tools").display());
    let shell = ["env", tools.as_str(), "/bin/sh"];
    let times =
        || fs::read_to_string(path("tools/cmp.said")).map_or(0, |text| text.lines().count());
    let args = json!({"src": format!("{}/", path("src").display()), "dest": path("dest"), "remote_src": true});
    let mut new_only = args.clone();
    new_only["force"] = json!(false);
    let did = in_shell(&shell, "copy", new_only, DO);
    assert!(path("dest/new").exists(), "{did}");
    assert_eq!(
        (
            fs::read_to_string(path("dest/other")).unwrap().as_str(),
            times()
        ),
        ("2", 0)
    );
    in_shell(&shell, "copy", args, DO);
    assert_eq!(
        (
            fs::read_to_string(path("dest/other")).unwrap().as_str(),
            times()
        ),
        ("1", 3)
    );
}

#[test]
fn of_a_folder_only_what_differs_travels() {
    everywhere(|run, folder| {
        let src = folder.join("src");
        fs::create_dir_all(src.join("sub dir/empty")).unwrap();
        let long = "n".repeat(120);
        for (name, content) in [("a b", "1"), ("sub dir/it's", "22"), (long.as_str(), "")] {
            fs::write(src.join(name), content).unwrap();
        }
        symlink("a b", src.join("link")).unwrap();
        let within = json!({"src": src, "dest": folder.join("in"), "mode": "0640", "directory_mode": "0750", "local_follow": false});
        settles(run, "copy", &within);
        let made = folder.join("in/src");
        assert_eq!(fs::read_to_string(made.join("sub dir/it's")).unwrap(), "22");
        assert!(made.join(&long).exists() && made.join("sub dir/empty").is_dir());
        assert_eq!(
            fs::read_link(made.join("link")).unwrap().to_str(),
            Some("a b")
        );
        assert_eq!(
            (mode(&made.join("a b")), mode(&made.join("sub dir"))),
            (0o640, 0o750)
        );
        fs::write(made.join("more"), "kept").unwrap();
        fs::write(made.join("a b"), "other").unwrap();
        settles(run, "copy", &within);
        assert_eq!(fs::read_to_string(made.join("a b")).unwrap(), "1");
        assert!(made.join("more").exists());
        assert_eq!(fs::read_dir(&made).unwrap().count(), 5);
        let content = json!({"src": format!("{}/", src.display()), "dest": folder.join("out"), "mode": "preserve"});
        settles(run, "copy", &content);
        assert!(folder.join("out/a b").exists() && !folder.join("out/link").is_symlink());
        let remote = json!({"src": src, "dest": folder.join("far"), "remote_src": true});
        settles(run, "copy", &remote);
        assert!(folder.join("far/src/sub dir/it's").exists());
    });
}
