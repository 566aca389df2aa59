//! What was run is on record and comes back as it was shown.

use crate::store::SmallDisk;
use crate::support::{Lab, each};

#[test]
fn a_run_comes_back_as_the_document_it_printed() {
    let lab = Lab::with_down(4, 1);
    let printed = lab.json(&["run", "-g", "all", r"echo 完成; printf '\377' >&2; exit 3"]);
    let run = printed["run"].as_str().unwrap();
    let mut shown = lab.json(&["history", "show", run]);
    let mut expected = printed.clone();
    for document in [&mut shown, &mut expected] {
        document.as_object_mut().unwrap().remove("recorded");
    }
    assert_eq!(shown, expected);
    let short = lab
        .run(&["history", "show", &run[run.len() - 8..]])
        .ends_with(0);
    assert!(short.stdout.contains("完成"), "{short:?}");
    for form in ["fold", "host", "live", "jsonl", "quiet"] {
        let ran = lab
            .run(&["history", "show", run, "--output", form])
            .ends_with(0);
        assert_eq!(ran.stdout.is_empty(), form == "quiet", "{form}: {ran:?}");
    }
}

#[test]
fn lists_are_filtered_by_time_host_user_and_outcome() {
    let lab = Lab::new(3);
    lab.run(&["run", "-g", "web", "true"]).ends_with(0);
    lab.run(&["run", "-g", "web01", "false"]).ends_with(2);
    lab.run(&["ping", "-g", "all"]).ends_with(0);
    let count = |args: &[&str]| {
        let args = [&["history", "list"], args].concat();
        lab.json(&args)["runs"].as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 3);
    for (list, columns) in [
        (
            &["list"][..],
            "RUN STARTED OUTCOME OK USER VERB HOSTS COMMAND",
        ),
        (
            &["host", "web01"],
            "RUN STARTED OUTCOME TOOK USER VERB COMMAND",
        ),
    ] {
        let shown = lab.run(&[&["history"], list].concat()).ends_with(0).stdout;
        let heading: Vec<&str> = shown.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(heading.join(" "), columns, "{shown}");
        assert_eq!(shown.lines().count(), 4, "{shown}");
    }
    assert_eq!(count(&["--host", "web01"]), 3);
    assert_eq!(count(&["--host", "web02"]), 2);
    assert_eq!(count(&["--status", "failed"]), 1);
    assert_eq!(count(&["--verb", "ping"]), 1);
    assert_eq!(count(&["--since", "1h"]), 3);
    assert_eq!(count(&["--until", "1h"]), 0);
    assert_eq!(count(&["--user", "nobody-here"]), 0);
    assert_eq!(count(&["-n", "2"]), 2);
    let newest = &lab.json(&["history", "list"])["runs"][0];
    assert_eq!(newest["verb"], "ping", "newest first");
    assert!(
        !newest["from"].as_str().unwrap().is_empty()
            && !newest["user"].as_str().unwrap().is_empty()
    );
    let of_host = lab.json(&["history", "host", "web01"]);
    assert_eq!(
        (&of_host["host"], of_host["runs"].as_array().unwrap().len()),
        (&"web01".into(), 3)
    );
}

#[test]
fn outputs_are_searched_and_compared() {
    let lab = Lab::new(3);
    let one = lab.json(&["run", "-g", "all", "echo kernel 5; echo same"]);
    let other = lab.json(&["run", "-g", "all", "echo kernel $([ $(echo $SSH_CONNECTION | cut -d' ' -f3) = 127.10.0.2 ] && echo 6 || echo 5); echo same"]);
    let found = lab.run(&["history", "grep", "kernel [6-9]"]).ends_with(0);
    assert_eq!(found.stdout.lines().count(), 1, "{found:?}");
    assert!(found.stdout.contains("web02"), "{found:?}");
    let diff = lab.run(&[
        "history",
        "diff",
        one["run"].as_str().unwrap(),
        other["run"].as_str().unwrap(),
    ]);
    assert!(
        diff.stdout.contains("web02")
            && diff.stdout.contains("kernel 6")
            && !diff.stdout.contains("web01"),
        "{diff:?}"
    );
    assert_eq!(each(&one, "outcome").len(), 3);
}

#[test]
fn a_run_nobody_knows_is_an_error_with_a_next_step() {
    let lab = Lab::new(1);
    let ran = lab.run(&["history", "show", "deadbeef"]).ends_with(1);
    assert!(ran.stderr.contains("deadbeef"), "{ran:?}");
}

#[test]
fn a_record_that_cant_be_kept_never_fails_a_run_and_is_never_lost_silently() {
    let lab = Lab::new(2);
    let mut command = lab
        .desk
        .command(&["run", "-g", "all", "--output", "json", "echo kept"]);
    command.env("IOMS_DATABASE", "mysql://root@127.0.0.1:1/ioms");
    let ran = crate::support::Ran::of(command).ends_with(0);
    assert!(ran.stdout.contains("\"spooled\""), "{ran:?}");
    assert!(
        ran.stderr.contains("journal") && ran.stderr.contains("127.0.0.1"),
        "{ran:?}"
    );
    // The next command that opens a database brings it in.
    let listed = lab.json(&["history", "list"]);
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    let found = lab.run(&["history", "grep", "kept"]).ends_with(0);
    assert_eq!(found.stdout.lines().count(), 2);
    // A data folder that can't be written to: a warning, and the run goes on.
    let ran = lab
        .run(&[
            "run",
            "-g",
            "all",
            "--data-dir",
            "/proc/nowhere",
            "--output",
            "json",
            "true",
        ])
        .ends_with(0);
    assert!(
        ran.stdout.contains("\"lost\"") && ran.stderr.contains("can't be recorded"),
        "{ran:?}"
    );
}

#[test]
fn a_full_data_folder_ends_no_command() {
    if ioms_fleet::left_out("a full data folder", "root") {
        return;
    }
    let lab = Lab::new(3);
    let disk = SmallDisk::new(lab.desk.dir.path().join("small"), "1m");
    let data = disk.0.display().to_string();
    let marks = tempfile::tempdir().unwrap();
    let command = format!(
        "head -c 3000000 /dev/zero | tr '\\0' x; head -c 60000 /dev/zero | tr '\\0' y >&2; mktemp {}/XXXXXX >&2",
        marks.path().display()
    );
    let args = ["--data-dir", &data, "run", "-g", "all", "--output", "json"];
    let mut run = lab.desk.command(&args);
    run.arg(command);
    run.env("IOMS_DATABASE", "mysql://root@127.0.0.1:1/ioms");
    let ran = crate::support::Ran::of(run).ends_with(0);
    assert_eq!(std::fs::read_dir(marks.path()).unwrap().count(), 3);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["summary"]["ok"], 3, "{document}");
    let cut = each(&document, "truncated");
    assert!(cut.iter().any(|host| host.ends_with("=true")), "{cut:?}");
    let said = ran.stderr.matches("not all output can be kept").count();
    assert_eq!(said, 1, "{}", ran.stderr);
    // The journal has no room for the results, and the database is away.
    assert_eq!(document["recorded"], "lost", "{}", ran.stderr);
    assert!(ran.stderr.contains("is not whole") && ran.stderr.contains(".lost"));
    assert!(ioms::store::journals(&disk.0).is_empty());
}

#[test]
fn a_large_output_is_shown_to_the_byte_in_pieces() {
    let lab = Lab::new(1);
    // Characters of three bytes lie over the borders of pieces.
    let command = "printf x; yes 完成 | head -n 60000";
    let printed = lab.json(&["run", "-g", "all", command]);
    let run = printed["run"].as_str().unwrap();
    let text = format!("x{}", "完成\n".repeat(60_000));
    assert_eq!(
        lab.json(&["history", "show", run])["hosts"][0]["stdout"],
        text
    );
    let show = |form| {
        let ran = lab.run(&["history", "show", run, "--output", form]);
        ran.ends_with(0).stdout
    };
    for form in ["host", "fold"] {
        assert!(show(form).contains(&text), "{form}");
    }
    let mut pieces = String::new();
    for line in show("jsonl").lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["event"] == "output" {
            pieces += event["text"].as_str().unwrap();
        }
    }
    assert!(pieces == text, "{} bytes", pieces.len());
}

#[test]
fn times_and_outcomes_that_cannot_be_are_refused() {
    let desk = crate::support::Desk::new();
    let refused: [&[&str]; 3] = [
        &["history", "list", "--since", "99999999d"],
        &["db", "prune", "--keep", "99999999d", "--yes"],
        &["history", "list", "--status", "fialed"],
    ];
    for args in refused {
        let ran = desk.run(args).ends_with(1);
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
    let outcome = ["history", "list", "--status", "timed_out"];
    desk.run(&outcome).ends_with(0);
}

#[test]
fn a_run_under_way_is_listed_with_its_hosts_so_far() {
    let lab = Lab::new(2);
    let mark = lab.desk.dir.path().join("first");
    let command = format!(
        "mkdir {} 2>/dev/null && echo first && exit; sleep 6; echo second",
        mark.display()
    );
    let run = lab.desk.start(&["run", "-g", "all", &command]);
    while !mark.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let ended = std::time::Instant::now();
    let document = loop {
        let listed = lab.json(&["history", "list"]);
        if let Some(row) = listed["runs"].get(0) {
            assert_eq!(
                (&row["outcome"], &row["finished"]),
                (&"running".into(), &().into())
            );
            let document = lab.json(&["history", "show", row["run"].as_str().unwrap()]);
            if document["hosts"].get(0).is_some() {
                break document;
            }
        }
        // 2 s, and what the commands themselves take.
        assert!(ended.elapsed() < std::time::Duration::from_secs(4));
    };
    let host = &document["hosts"][0];
    assert_eq!(
        (&host["outcome"], &host["stdout"]),
        (&"ok".into(), &"first\n".into())
    );
    assert_eq!(document["hosts"].as_array().unwrap().len(), 1);
    let ran = crate::support::Ran::from(run.wait_with_output().unwrap()).ends_with(0);
    assert!(ran.stdout.contains("second"), "{ran:?}");
    assert_eq!(lab.json(&["history", "list"])["runs"][0]["outcome"], "ok");
}
