//! What is looked at, rendered and joined.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value as Json, json};

use super::everywhere;
use super::files::{CHECK, DO, settles};

#[test]
fn a_file_is_seen_as_it_is() {
    everywhere(|run, folder| {
        let path = folder.join("it's a\nfile");
        fs::write(&path, "abc").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4751)).unwrap();
        let stat = run("stat", json!({"path": path}), DO)["stat"].clone();
        for (name, wanted) in [
            ("exists", json!(true)),
            ("isreg", json!(true)),
            ("isuid", json!(true)),
            ("mode", json!("4751")),
            ("size", json!(3)),
            ("xoth", json!(true)),
            ("woth", json!(false)),
            ("path", json!(path)),
            (
                "checksum",
                json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
            ),
        ] {
            assert_eq!(stat[name], wanted, "{name} of {stat}");
        }
        assert!(stat["mtime"].as_f64().unwrap() > 1e9);
        assert_eq!(
            run("stat", json!({"path": folder.join("no")}), DO)["stat"],
            json!({"exists": false})
        );
        symlink("no", folder.join("l")).unwrap();
        let link = run("stat", json!({"path": folder.join("l")}), CHECK)["stat"].clone();
        assert_eq!(
            (&link["islnk"], &link["lnk_target"]),
            (&json!(true), &json!("no")),
            "{link}"
        );
        assert_eq!(
            run(
                "stat",
                json!({"path": folder.join("l"), "follow": true}),
                DO
            )["stat"]["exists"],
            false
        );
    });
}

#[test]
fn files_are_found_by_name_age_size_and_content() {
    everywhere(|run, folder| {
        fs::create_dir_all(folder.join("sub/deep")).unwrap();
        for (name, content) in [
            ("a.log", "first\nsecond\n"),
            ("b.txt", ""),
            (".h.log", "x"),
            ("sub/c d.log", "2nd"),
            ("sub/deep/e.log", ""),
        ] {
            fs::write(folder.join(name), content).unwrap();
        }
        let found = |more: Json| -> Vec<String> {
            let mut args = json!({"paths": folder});
            args.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let result = run("find", args, DO);
            let files = result["files"]
                .as_array()
                .unwrap_or_else(|| panic!("{result}"));
            assert_eq!(result["matched"], files.len());
            let mut names: Vec<String> = files
                .iter()
                .map(|file| {
                    file["path"]
                        .as_str()
                        .unwrap()
                        .strip_prefix(folder.to_str().unwrap())
                        .unwrap()
                        .to_owned()
                })
                .collect();
            names.sort();
            names
        };
        assert_eq!(found(json!({})), ["/a.log", "/b.txt"]);
        assert_eq!(
            found(json!({"recurse": true, "patterns": "*.log"})),
            ["/a.log", "/sub/c d.log", "/sub/deep/e.log"]
        );
        assert_eq!(
            found(json!({"recurse": true, "depth": 2, "patterns": "*.log"})),
            ["/a.log", "/sub/c d.log"]
        );
        assert_eq!(
            found(
                json!({"patterns": [r"^(?!a).*\.(log|txt)$"], "use_regex": true, "hidden": true})
            ),
            ["/.h.log", "/b.txt"]
        );
        assert_eq!(
            found(json!({"excludes": "*.txt"})),
            found(json!({"patterns": "*", "excludes": "*.txt"}))
        );
        let none = run("find", json!({"paths": [folder.join("none"), folder]}), DO);
        let why = format!("'{0}' is not a directory", folder.join("none").display());
        assert_eq!(
            none["skipped_paths"][folder.join("none").to_str().unwrap()],
            why
        );
        assert_eq!(
            found(json!({"patterns": "*", "excludes": "*.txt"})),
            ["/a.log"]
        );
        assert_eq!(
            found(json!({"file_type": "directory", "recurse": true})),
            ["/sub", "/sub/deep"]
        );
        assert_eq!(found(json!({"size": "1"})), ["/a.log"]);
        assert_eq!(found(json!({"age": "1d"})), Vec::<String>::new());
        assert_eq!(
            found(json!({"age": "-1d", "recurse": true, "contains": r"\d?(second|nd)"})),
            ["/a.log", "/sub/c d.log"]
        );
        let sums = run(
            "find",
            json!({"paths": folder, "patterns": "b.*", "get_checksum": true}),
            DO,
        );
        assert_eq!(
            sums["files"][0]["checksum"], "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "{sums}"
        );
        assert_eq!(
            run("find", json!({"paths": "/no/such"}), DO)["msg"],
            "Not all paths examined, check warnings for details"
        );
    });
}

#[test]
fn a_name_with_a_newline_passes_for_no_other_file() {
    everywhere(|run, folder| {
        // What stat would say of a file `root/forged` of root's, as the end of a folder's name.
        let forged = folder.join("x\n81a4 3 0 0 7 64 1 1.5 2 3 8 4096 0 0 root/root/root/forged");
        fs::create_dir_all(forged.parent().unwrap()).unwrap();
        let sum = folder.join("y\nda39a3ee5e6b4b0d3255bfef95601890afd80709  plain");
        for (path, content) in [
            (&forged, "forged"),
            (&sum, "y"),
            (&folder.join("back\\slash"), "b"),
            (&folder.join("plain"), "first\n"),
        ] {
            fs::write(path, content).unwrap();
        }
        let args = json!({"paths": folder, "recurse": true, "get_checksum": true});
        let result = run("find", args, DO);
        let files = result["files"].as_array().unwrap();
        let sums: BTreeMap<&str, &str> = files
            .iter()
            .map(|file| (file["path"].as_str(), file["checksum"].as_str()))
            .map(|(path, sum)| (path.unwrap(), sum.unwrap()))
            .collect();
        let real = [
            (
                folder.join("back\\slash"),
                "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98",
            ),
            (
                folder.join("plain"),
                "271ac93c44ac198d92e706c6d6f1d84aefcfa337",
            ),
            (forged.clone(), "b8db33aac0c054847700220f8f641e3ef936145d"),
            (sum.clone(), "95cb0bfd2977c761298d9624e4b4d4c72a39974a"),
        ];
        let real = real
            .iter()
            .map(|(path, sum)| (path.to_str().unwrap(), *sum))
            .collect();
        assert_eq!(sums, real);
        let args = json!({"paths": folder, "recurse": true, "contains": "forged"});
        let result = run("find", args, DO);
        assert_eq!(result["matched"], 1);
        assert_eq!(result["files"][0]["path"], json!(forged));
    });
}

#[test]
fn content_comes_back_as_base64() {
    everywhere(|run, folder| {
        let path = folder.join("f");
        fs::write(&path, b"\0\xff\n").unwrap();
        let did = run("slurp", json!({"src": path}), DO);
        assert_eq!(
            (&did["content"], &did["encoding"]),
            (&json!("AP8K"), &json!("base64"))
        );
        assert_eq!(
            run("slurp", json!({"src": folder.join("no")}), DO)["failed"],
            true
        );
    });
}

#[test]
fn temporary_files_are_their_owners() {
    everywhere(|run, folder| {
        let did = run(
            "tempfile",
            json!({"path": folder, "state": "directory", "suffix": ".x"}),
            DO,
        );
        let path = did["path"].as_str().unwrap();
        assert!(
            path.contains("/ansible.") && path.trim_end_matches(".x") != path,
            "{did}"
        );
        assert_eq!(
            (&did["mode"], &did["state"]),
            (&json!("0700"), &json!("directory"))
        );
    });
}

#[test]
fn a_template_is_rendered_and_placed() {
    everywhere(|run, folder| {
        let src = folder.join("t.j2");
        fs::write(&src, "is {{ name }}\n").unwrap();
        let args = json!({"src": src, "dest": folder.join("out"), "mode": "0600"});
        let did = settles(run, "template", &args);
        assert_eq!(
            fs::read_to_string(folder.join("out")).unwrap(),
            "is rendered\n"
        );
        assert_eq!(did["mode"], "0600");
        let lines = json!({"src": src, "dest": folder.join("dos"), "newline_sequence": "\\r\\n"});
        settles(run, "template", &lines);
        assert_eq!(
            fs::read_to_string(folder.join("dos")).unwrap(),
            "is rendered\r\n"
        );
        let latin = json!({"src": src, "dest": folder.join("latin"), "output_encoding": "latin-1"});
        settles(run, "template", &latin);
    });
}

#[test]
fn fragments_are_joined_in_order() {
    everywhere(|run, folder| {
        let parts = folder.join("parts");
        fs::create_dir(&parts).unwrap();
        for (name, content) in [
            ("10-b", "b"),
            ("05 a", "a\n"),
            ("20-c.bak", "c"),
            (".h", "h"),
        ] {
            fs::write(parts.join(name), content).unwrap();
        }
        for remote in [true, false] {
            let dest = folder.join(if remote { "there" } else { "here" });
            let args = json!({"src": parts, "dest": dest, "remote_src": remote, "regexp": r"^\d+(?!.*bak)", "delimiter": "#\\t--"});
            let did = settles(run, "assemble", &args);
            assert_eq!(fs::read_to_string(&dest).unwrap(), "a\n#\t--\nb", "{did}");
        }
    });
}
