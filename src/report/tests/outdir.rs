//! `--outdir DIR`.

use std::collections::BTreeMap;

use super::*;

#[test]
fn each_host_has_two_files_with_all_its_bytes_also_those_over_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        outdir: Some(folder.path().join("a/b")),
        ..options(Form::Quiet)
    };
    let hosts = ["web01", "主机", "fe80::1", "../etc", ".hidden", "gone"];
    let mut show = Show::new(options, TERMINAL, header("run", Some("x"), &hosts));
    show.start(0)
        .out(0, "one ")
        .err(0, "\x1b[2Jwarn")
        .out(0, "two");
    let mut cut = result("one");
    cut.stdout.total = 7;
    show.done(0, cut);
    show.host(1, result(b"\xd6\xd0\r\n").speaks("cp936"))
        .host(2, result("x"))
        .host(3, result("y"))
        .host(4, result("z"))
        .host(5, error(Outcome::Unreachable, ErrorKind::Dns, "no address"));
    show.end();
    let files: BTreeMap<String, String> = std::fs::read_dir(folder.path().join("a/b"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let content = std::fs::read(entry.path()).unwrap();
            (name, content.escape_ascii().to_string())
        })
        .collect();
    let lines: Vec<String> = files
        .iter()
        .map(|(name, content)| format!("{name}: {content}"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    %2E.%2Fetc.stderr: 
    %2E.%2Fetc.stdout: y
    %2Ehidden.stderr: 
    %2Ehidden.stdout: z
    fe80%3A%3A1.stderr: 
    fe80%3A%3A1.stdout: x
    gone.stderr: 
    gone.stdout: 
    web01.stderr: \x1b[2Jwarn
    web01.stdout: one two
    主机.stderr: 
    主机.stdout: \xd6\xd0\r\n
    ");
}

#[test]
fn files_of_an_earlier_run_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["long before\n", "now\n"] {
        let options = Options {
            outdir: Some(folder.path().to_owned()),
            ..options(Form::Quiet)
        };
        let mut show = Show::new(options, Look::default(), header("run", None, &["a"]));
        show.host(0, result(text));
        show.end();
    }
    let kept = std::fs::read_to_string(folder.path().join("a.stdout")).unwrap();
    assert_eq!(kept, "now\n");
}
