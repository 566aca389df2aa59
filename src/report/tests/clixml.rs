//! PowerShell's standard error in every form: its text, without its XML.

use base64::Engine as _;

use super::documents::{document, printed};
use super::*;

fn clixml(records: &str) -> String {
    format!(
        "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">{records}</Objs>"
    )
}

/// `done` runs of progress, a warning and an error.
fn stderr(progress: usize) -> String {
    let progress =
        "<Obj S=\"progress\" RefId=\"0\"><MS><PR N=\"Record\"><AV>Copying</AV></PR></MS></Obj>"
            .repeat(progress);
    clixml(&format!(
        "{progress}<S S=\"warning\">磁盘 low</S><S S=\"Error\">no such service: 游戏_x000D__x000A_</S>"
    ))
}

fn progress() -> String {
    clixml("<Obj S=\"progress\" RefId=\"0\"><MS/></Obj>")
}

#[test]
fn errors_and_warnings_stand_as_text_and_hosts_that_say_the_same_are_folded() {
    let mut show = Show::run(Form::Fold, Look::default(), &["win1", "win2", "win3"]);
    show.host(0, result("ok\n").err(stderr(1)).exit(1))
        .host(1, result("ok\n").err(stderr(7)).exit(1))
        .host(2, result("ok\n").err(progress()));
    insta::assert_snapshot!(show.end(), @r"
    1 ---------------
    1 win3
    1 ---------------
    1 ok
    1 ---------------
    1 win[1-2] (2): failed, exit 1
    1 ---------------
    1 ok
    1 stderr:
    1 WARNING: 磁盘 low
    1 no such service: 游戏
    2 3 hosts: 1 ok, 2 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn live_and_by_hosts_it_is_the_same_text_at_a_terminal_and_in_a_pipe() {
    for look in [Look::default(), TERMINAL] {
        for form in [Form::Human, Form::Host] {
            let bytes = format!(
                "native {}\n{}",
                if look == TERMINAL { "" } else { "\x1b" },
                stderr(2)
            );
            for cut in [0, 8, 12, 15, 20, 300, bytes.len()] {
                let cut = bytes.floor_char_boundary(cut);
                let mut show = Show::run(form, look, &["win1"]);
                show.start(0)
                    .err(0, &bytes[..cut])
                    .err(0, &bytes[cut..])
                    .done(0, result("").err(&bytes));
                show.end();
                let end = if form == Form::Human { 2 } else { 1 };
                let shown = String::from_utf8(show.paper.bytes(end)).unwrap();
                let native = bytes.lines().next().unwrap();
                assert!(
                    shown.contains(&format!(
                        "{native}\nWARNING: 磁盘 low\nno such service: 游戏\n"
                    )),
                    "{shown}"
                );
                assert!(
                    !shown.contains("CLIXML") && !shown.contains("<S"),
                    "{shown}"
                );
            }
        }
    }
    let mut show = Show::run(Form::Human, TERMINAL, &["win1"]);
    show.host(0, result("").err(progress()));
    assert_eq!(show.end(), "");
}

#[test]
fn what_is_in_the_code_page_is_decoded_before_it_is_read() {
    let gbk = charset("936");
    let (bytes, _) = gbk.encode(&stderr(1));
    let mut show = Show::run(Form::Host, Look::default(), &["win1"]);
    show.host(0, result("").err(bytes).speaks("936").exit(1));
    insta::assert_snapshot!(show.end(), @r"
    1 win1: failed, exit 1 (41ms)
    1 stderr:
    1 WARNING: 磁盘 low
    1 no such service: 游戏
    ");
}

#[test]
fn documents_have_the_text_and_the_very_bytes() {
    for (bytes, text) in [
        (stderr(1), "WARNING: 磁盘 low\nno such service: 游戏\n"),
        (progress(), ""),
        ("native only\n".into(), "native only\n"),
    ] {
        let mut show = Show::run(Form::Json, Look::default(), &["win1"]);
        // On standard output XML is what somebody asked for.
        show.host(0, result(&bytes).err(&bytes));
        show.end();
        let document = document(&show);
        let host = &document["hosts"][0];
        assert_eq!(host["stderr"], text);
        assert_eq!(printed(host, "stderr"), bytes.as_bytes());
        assert_eq!(host.get("stderr_b64").is_some(), bytes != text);
        assert!(host.get("stderr_lossy").is_none());
        assert_eq!(host["stdout"].as_str().unwrap(), bytes);
    }
}

#[test]
fn events_have_the_bytes_as_they_came_and_the_result_has_the_text() {
    let bytes = stderr(1);
    let mut show = Show::run(Form::Jsonl, Look::default(), &["win1"]);
    show.host(0, result("").err(&bytes));
    show.end();
    let out = show.paper.out();
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[2]["text"].as_str().unwrap(), bytes);
    let host = &lines[3]["result"];
    assert_eq!(host["stderr"], "WARNING: 磁盘 low\nno such service: 游戏\n");
    let engine = base64::engine::general_purpose::STANDARD;
    assert_eq!(host["stderr_b64"], engine.encode(&bytes));
}

#[test]
fn files_of_outputs_keep_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        outdir: Some(folder.path().to_owned()),
        junit: Some(folder.path().join("junit.xml")),
        ..options(Form::Quiet)
    };
    let mut show = Show::new(
        options,
        Look::default(),
        header("run", Some("x"), &["a", "b"]),
    );
    show.host(0, result("").err(stderr(1)).exit(1))
        .host(1, result("").err(progress()));
    show.end();
    let kept = std::fs::read_to_string(folder.path().join("a.stderr")).unwrap();
    assert_eq!(kept, stderr(1));
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert_eq!(junit.matches("<system-err>").count(), 1);
    assert!(junit.contains("<system-err>WARNING: 磁盘 low\nno such service: 游戏\n</system-err>"));
}

#[test]
fn differences_are_those_of_the_text() {
    let options = Options {
        fold_diff: true,
        ..options(Form::Fold)
    };
    let mut show = Show::new(
        options,
        Look::default(),
        header("run", Some("x"), &["a", "b", "c"]),
    );
    show.host(0, result("1\n").err(stderr(1)))
        .host(1, result("1\n").err(stderr(2)))
        .host(2, result("2\n").err(stderr(3)));
    insta::assert_snapshot!(show.end(), @r"
    1 ---------------
    1 a,b (2)
    1 ---------------
    1 1
    1 stderr:
    1 WARNING: 磁盘 low
    1 no such service: 游戏
    1 ---------------
    1 c
    1 ---------------
    1 --- stdout of most hosts
    1 +++ stdout here
    1 @@ -1 +1 @@
    1 -1
    1 +2
    2 3 hosts: 3 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}
