//! Modules of the system, as far as they can be tried on this machine: in every shell, in folders of
//! their own. What changes a system is tried on the test bed (tests/it/modules_system.rs).

use serde_json::{Value as Json, json};

use super::{Mode, apply, everywhere};

/// Check mode says so, then it is so, then it stays so.
#[track_caller]
fn once(run: &dyn Fn(&str, Json, Mode) -> Json, module: &str, args: &Json) -> Json {
    let check = Mode {
        check: true,
        diff: true,
    };
    let foretold = run(module, args.clone(), check);
    assert_eq!(foretold["changed"], true, "{module}: {foretold}");
    let done = run(module, args.clone(), Mode::default());
    assert_eq!(
        (&done["changed"], &done["failed"]),
        (&json!(true), &Json::Null),
        "{module}: {done}"
    );
    let again = run(module, args.clone(), Mode::default());
    assert_eq!(again["changed"], false, "{module}: {again}");
    foretold
}

#[test]
fn facts_are_gathered_in_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fact"), "{\"n\": 1}").unwrap();
    std::fs::write(folder.path().join("b.fact"), "[s]\nK=v\n").unwrap();
    let args = json!({
        "fact_path": folder.path(),
        "gather_subset": ["!all", "!min", "platform", "distribution", "local", "pkg_mgr"],
    });
    let facts = apply("setup", &args);
    let facts = &facts["ansible_facts"];
    assert_eq!(facts["ansible_system"], "Linux");
    assert_eq!(
        facts["ansible_local"],
        json!({"a": {"n": 1}, "b": {"s": {"k": "v"}}})
    );
    assert!(facts["ansible_os_family"].is_string() && facts["ansible_env"].is_null());
    let wrong = apply("setup", &json!({"gather_subset": ["nonsense"]}));
    assert!(wrong["msg"].as_str().unwrap().starts_with("Bad subset"));
}

#[test]
fn entries_of_databases_are_facts() {
    let root = apply("getent", &json!({"database": "passwd", "key": "root"}));
    assert_eq!(root["ansible_facts"]["getent_passwd"]["root"][1], "0");
    let none = apply(
        "getent",
        &json!({"database": "passwd", "key": "no-such-user"}),
    );
    assert_eq!(none["failed"], true);
}

#[test]
fn files_and_ports_are_waited_for() {
    everywhere(|run, folder| {
        let file = folder.join("log file");
        std::fs::write(&file, "begin\nready in 5 ms\n").unwrap();
        let args = json!({"path": file, "search_regex": "^ready in (?P<ms>\\d+)"});
        let found = run("wait_for", args, Mode::default());
        assert_eq!(found["match_groupdict"], json!({"ms": "5"}), "{found}");
        let args = json!({"path": folder.join("none"), "timeout": 1, "msg": "not there"});
        assert_eq!(run("wait_for", args, Mode::default())["msg"], "not there");
    });
}

#[test]
fn settings_are_kept_in_their_files() {
    everywhere(|run, folder| {
        let file = folder.join("ours.conf");
        let args = json!({
            "name": "vm.swappiness", "value": 61, "sysctl_file": file, "reload": false,
        });
        let foretold = once(run, "sysctl", &args);
        assert_eq!(foretold["diff"]["after"], "vm.swappiness=61\n");
        let args = json!({
            "name": "ours", "description": "Ours", "baseurl": "https://a/", "reposdir": folder,
        });
        once(run, "yum_repository", &args);
        let args = json!({"name": "ours", "reposdir": folder, "state": "absent"});
        once(run, "yum_repository", &args);
        assert!(!folder.join("ours.repo").exists());
    });
}

#[test]
fn keys_are_known_and_forgotten() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv";
    everywhere(|run, folder| {
        let file = folder.join("known hosts");
        std::fs::write(&file, "# kept\n").unwrap();
        let mut args = json!({"name": "web01", "key": format!("web01 {KEY}"), "path": file});
        once(run, "known_hosts", &args);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("# kept\nweb01 {KEY}\n"));
        args["state"] = json!("absent");
        once(run, "known_hosts", &args);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "# kept\n");
        let args = json!({"user": "root", "key": KEY, "path": folder.join("keys/authorized_keys")});
        once(run, "authorized_key", &args);
    });
}
