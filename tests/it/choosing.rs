//! Which hosts a verb works on: lists in files, earlier runs, the controller itself.

use crate::support::{Desk, each};

#[test]
fn an_empty_list_names_nobody_and_excludes_nobody() {
    let desk = Desk::local("a[1:2]");
    desk.file("none.txt", "# nobody is in maintenance\n\n");
    desk.file("one.txt", "\u{feff}a2\r\n");
    let chosen = |args: &[&str]| {
        let args = [&["run", "--output", "json"], args, &["true"]].concat();
        let ran = desk.run(&args);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let hosts = document["hosts"]
            .as_array()
            .map(|_| each(&document, "outcome"));
        (ran.status, hosts.unwrap_or_default().join(" "))
    };
    let both = (0, "a1=ok a2=ok".to_owned());
    assert_eq!(chosen(&["-g", "all", "-x", "@none.txt"]), both);
    let first = (0, "a1=ok".to_owned());
    assert_eq!(chosen(&["-g", "all", "-x", "@one.txt"]), first);
    for nobody in [["-g", "@none.txt"], ["-gall", "-l@none.txt"]] {
        assert_eq!(chosen(&nobody), (5, String::new()));
        let allowed = [&nobody[..], &["--allow-empty"]].concat();
        assert_eq!(chosen(&allowed), (0, String::new()));
        assert_eq!(
            desk.json(&[&["run"], &allowed[..], &["true"]].concat())["hosts"],
            serde_json::json!([])
        );
    }
}

#[test]
fn files_in_arguments_are_found_at_home() {
    let desk = Desk::local("a[1:2]");
    desk.file("home/hosts", "a2\n");
    desk.file("home/vars.yml", "ansible_connection: nonsense\n");
    let args = ["run", "-g", "@~/hosts", "-e", "@~/vars.yml", "true"];
    let document = desk.json(&args);
    assert_eq!(each(&document, "outcome"), ["a2=failed"]);
    let database = ["--database", "sqlite:~/runs/x.db", "db", "status"];
    desk.run(&database).ends_with(0);
    assert!(desk.home().join("runs/x.db").is_file());
    assert!(!desk.dir.path().join("~").exists());
}

#[test]
fn the_controller_itself_is_run_again_though_no_inventory_names_it() {
    let desk = Desk::local("a1");
    let first = desk.json(&["run", "localhost,a1", "false"]);
    assert_eq!(each(&first, "outcome"), ["a1=failed", "localhost=failed"]);
    let again = desk.json(&["run", "--rerun", "failed", "true"]);
    assert_eq!(each(&again, "outcome"), ["a1=ok", "localhost=ok"]);
    let ran = desk.run(&["script", "--rerun", "failed"]).ends_with(1);
    assert!(ran.stderr.contains("the record holds no script"), "{ran:?}");
}

#[test]
fn the_inventorys_document_is_of_the_chosen_hosts_and_has_the_variables_of_e() {
    let desk = Desk::with(
        "web: {hosts: {'web[1:3]': {}}}\ndb: {hosts: {db1: {port: 1, ansible_connection: local}}}\n",
    );
    let list = ["inventory", "list", "-g", "db", "-e", "port=2"];
    assert_eq!(
        desk.json(&list),
        serde_json::json!({
            "_meta": {"hostvars": {"db1": {"ansible_connection": "local", "port": "2"}}},
            "all": {"children": ["db"]},
            "db": {"hosts": ["db1"]},
        })
    );
    let picked = desk.json(&["inventory", "list", "-g", "web", "--pick", "1"]);
    assert_eq!(picked["web"]["hosts"].as_array().unwrap().len(), 1);
}
