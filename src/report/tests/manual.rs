//! docs/output.md is true: its examples are what the forms print, and its tables hold what the code
//! knows. `IOMS_BLESS=1` writes the examples anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::event::Route;
use crate::report::exit_status;

const HOSTS: [&str; 6] = ["web01", "web02", "web03", "web04", "web05", "db1"];

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.md")
}

/// The run of the page: three hosts agree, one differs, one is not reached, one fails.
fn run(options: Options) -> Show {
    let hosts = header("run", Some("nginx -v"), &HOSTS);
    let hosts = RunHeader {
        pattern: "web:db".into(),
        ..hosts
    };
    let mut show = Show::new(options, Look::default(), hosts);
    for (host, version) in [(0, "1.22.1"), (1, "1.22.1"), (2, "1.22.1"), (3, "1.18.0")] {
        show.host(host, result(format!("nginx {version}\nopenssl 3.0\n")));
    }
    show.done(
        4,
        error(
            Outcome::Unreachable,
            ErrorKind::Refused,
            "connection to 10.0.0.5:22 refused",
        ),
    );
    show.host(5, result("").err("sh: 1: nginx: not found\n").exit(127));
    show
}

/// What a terminal shows: both ends.
fn both(mut show: Show) -> String {
    let shown = show.end();
    let lines = shown.lines().map(|line| line.get(2..).unwrap_or_default());
    let lines: Vec<&str> = lines.map(|line| line.trim_end_matches('¬')).collect();
    lines.join(
        "
",
    ) + "
"
}

/// One of the page's events each, with what is behind the beginning cut away.
fn jsonl() -> String {
    let mut show = Show::new(
        options(Form::Jsonl),
        Look::default(),
        header("run", Some("type log.txt"), &["win1"]),
    );
    let gbk = crate::base::text::encoding("cp936").unwrap();
    show.start(0)
        .after(12)
        .out(0, "ok\r\n")
        .output(0, Stream::Stdout, b"\xd6\xd0\xce\xc4", gbk)
        .output(0, Stream::Stderr, b"\xff\x00", gbk)
        .after(30)
        .done(
            0,
            result(b"ok\r\n\xd6\xd0\xce\xc4")
                .err(b"\xff\x00")
                .speaks("cp936"),
        );
    show.end();
    show.paper.out()
}

fn one(host: HostResult) -> String {
    let mut show = Show::run(Form::Json, Look::default(), &["win1"]);
    show.start(0).done(0, host);
    show.end();
    let out = show.paper.out();
    let host = out.lines().last().unwrap();
    format!("{}\n", host.trim().trim_end_matches("]}"))
}

fn examples() -> BTreeMap<&'static str, String> {
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("report.xml");
    let fold_diff = Options {
        fold_diff: true,
        ..options(Form::Fold)
    };
    let mut files = run(Options {
        junit: Some(junit.clone()),
        outdir: Some(folder.path().join("out")),
        ..options(Form::Quiet)
    });
    files.end();
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap() + "\n")
        .filter(|name| name.starts_with("db1") || name.starts_with("web01"))
        .collect();
    names.sort();
    let mut ping = Show::new(
        options(Form::Human),
        Look::default(),
        header("ping", None, &HOSTS[..2]),
    );
    ping.host(0, result("").ping(1_200, 30_050, 33_000))
        .host(1, result("").ping(900, 10_000, 12_345));
    let mut json = run(options(Form::Json));
    json.end();
    let mut progress = Show::new(
        Options {
            progress: true,
            ..options(Form::Fold)
        },
        Look::default(),
        header("run", Some("x"), &["web01", "web02", "db17"]),
    );
    progress.start(0).start(1).start(2);
    progress.done(0, result("")).done(1, result("").exit(1));
    progress.after(214_000).waiting(&[(2, 214, 180)]);
    let progress = progress.paper.shown();
    let mut moving = Show::new(
        Options {
            progress: true,
            ..options(Form::Fold)
        },
        Look::default(),
        header("upload", Some("app.tar /srv/"), &["web01", "web02", "db17"]),
    );
    moving.start(0).start(1).start(2).done(0, result(""));
    for mib in [1300, 1410] {
        let (moved, expected) = (mib << 20, 6450 << 20);
        moving.say(Event::Moved(Moved { moved, expected }));
        moving.after(1000);
    }
    moving.after(30_000).waiting(&[(1, 4, 4)]);
    let moving = moving.paper.shown();
    let mut cut = result("0123456789\n").err("\u{feff}中").speaks("cp936");
    cut.stdout.total = 3 << 20;
    cut.stderr = Captured::inline(&b"\xff\x00"[..]);
    BTreeMap::from([
        ("fold", both(run(options(Form::Fold)))),
        ("fold-diff", both(run(fold_diff))),
        ("live", both(run(options(Form::Live)))),
        ("host", both(run(options(Form::Host)))),
        ("ping", both(ping)),
        ("progress", progress.replace("2 2/3", "2/3")),
        ("progress-files", moving.replace("2 1/3", "1/3")),
        ("json", json.paper.out()),
        ("bytes", one(cut)),
        ("jsonl", jsonl()),
        ("junit", std::fs::read_to_string(junit).unwrap()),
        ("outdir", names.concat()),
    ])
}

/// The page with these examples in their places, and the names of those it has.
fn with_examples(page: &str, examples: &BTreeMap<&str, String>) -> (String, Vec<String>) {
    let (mut text, mut names) = (String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- example: ") {
        let (name, block) = after.split_once(" -->\n").unwrap();
        let (fence, block) = block.split_once('\n').unwrap();
        let (_, tail) = block.split_once("```\n").unwrap();
        let example = examples
            .get(name)
            .unwrap_or_else(|| panic!("no example {name}"));
        let _ = writeln!(
            text,
            "{before}<!-- example: {name} -->\n{fence}\n{example}```"
        );
        names.push(name.to_owned());
        rest = tail;
    }
    (text + rest, names)
}

#[test]
fn the_examples_are_what_the_forms_print() {
    let there = std::fs::read_to_string(page()).unwrap();
    let examples = examples();
    let (text, mut names) = with_examples(&there, &examples);
    if std::env::var_os("IOMS_BLESS").is_some() {
        std::fs::write(page(), &text).unwrap();
    } else {
        assert!(
            there == text,
            "docs/output.md is not true: run the test with IOMS_BLESS=1\n{text}"
        );
    }
    names.sort();
    assert_eq!(names, examples.keys().copied().collect::<Vec<_>>());
}

#[test]
fn the_tables_hold_every_exit_status_outcome_and_field() {
    let page = std::fs::read_to_string(page()).unwrap();
    let row = |status: u8| page.contains(&format!("\n| {status} |"));
    for stopped in [
        None,
        Some(Stopped::Gate),
        Some(Stopped::Deadline),
        Some(Stopped::Interrupted),
        Some(Stopped::Terminated),
        Some(Stopped::Denied),
    ] {
        for outcome in Outcome::ALL {
            let mut summary = Summary::new(1);
            summary.add(outcome);
            let end = RunEnd {
                finished: at(0),
                summary,
                stopped,
            };
            assert!(row(exit_status(&end)));
            assert!(page.contains(&format!("`{}`", outcome.name())));
        }
    }
    for line in jsonl().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = event["event"].as_str().unwrap();
        assert!(page.contains(&format!("\n| `{name}` |")), "{name}");
        for field in event.as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{field}`")), "{name}: {field}");
        }
    }
    let every = FileRecord {
        md5: Some(String::new()),
        sha256: Some(String::new()),
        via: Some(Route::Relay),
        files: Some(2),
        changed: true,
        ..file(FileAction::Sent)
    };
    for field in serde_json::to_value(every)
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
    let document: serde_json::Value = serde_json::from_str(&examples()["bytes"]).unwrap();
    for field in document.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
}

#[test]
fn the_closed_list_of_error_kinds_is_the_pages() {
    let page = std::fs::read_to_string(page()).unwrap();
    let (_, list) = page.split_once("`kind` is one of").unwrap();
    let (list, _) = list.split_once(".\n").unwrap();
    let names: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    for name in &names {
        let kind: ErrorKind = serde_json::from_value((*name).into()).unwrap();
        assert_eq!(kind.name(), *name);
    }
    // As many as the catalogue has entries.
    let catalogue = include_str!("../../event/catalogue.rs");
    assert_eq!(names.len(), catalogue.matches("ErrorKind::").count());
}
