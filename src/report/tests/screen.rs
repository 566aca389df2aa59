//! Colours, and what the two ends of the screen are.

use std::ffi::OsStr;

use super::*;

const COLOR: End = End {
    terminal: true,
    color: true,
};

#[test]
fn a_terminal_has_colours_unless_no_color_is_set_or_the_flag_decides() {
    let color = |terminal, flag, variable: Option<&str>| {
        End::new(terminal, flag, variable.map(OsStr::new)).color
    };
    assert!(color(true, None, None));
    assert!(color(true, None, Some("")));
    assert!(!color(true, None, Some("1")));
    assert!(!color(false, None, None));
    assert!(color(false, Some(true), Some("1")));
    assert!(!color(true, Some(false), None));
}

#[test]
fn colours_mark_how_hosts_came_out() {
    let look = Look {
        out: COLOR,
        err: COLOR,
        ..Look::default()
    };
    let mut show = Show::run(Form::Fold, look, &["a1", "a2", "a3", "a4", "a5"]);
    show.host(0, result("x\n"))
        .host(1, result("").exit(1))
        .host(2, error(Outcome::Unreachable, ErrorKind::Dns, "no address"))
        .host(3, error(Outcome::TimedOut, ErrorKind::Timeout, "over 5m"))
        .done(4, error(Outcome::Cancelled, ErrorKind::Gate, "gate"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 ␛[1m␛[32ma1␛[0m
    1 ---------------
    1 x
    1 ---------------
    1 ␛[1m␛[31ma2: failed, exit 1␛[0m
    1 ---------------
    1 ---------------
    1 ␛[1m␛[35ma3: unreachable, dns␛[0m
    1 ---------------
    1 no address
    1 hint: check the name, or set ansible_host to an address
    1 ---------------
    1 ␛[1m␛[33ma4: timed out␛[0m
    1 ---------------
    1 over 5m
    1 hint: --timeout gives it more time; 0 means no limit
    1 ---------------
    1 ␛[1m␛[36ma5: cancelled, gate␛[0m
    1 ---------------
    1 gate
    1 hint: see why the hosts before it failed, then go on with --rerun failed
    2 5 hosts: 1 ok, 1 cancelled, 1 unreachable, 1 timed out, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn each_end_has_the_colours_and_the_care_of_its_own() {
    for (out, err) in [(COLOR, End::default()), (End::default(), COLOR)] {
        let look = Look {
            out,
            err,
            ..Look::default()
        };
        let mut show = Show::run(Form::Live, look, &["a", "b"]);
        show.host(0, result("\x1b[2J\n").err("\x1b]0;x\x07\n").exit(1));
        show.end();
        if out.terminal {
            insta::assert_snapshot!(show.paper.shown(), @r"
            1 a: \x1b[2J
            2 a: ␛]0;x␇
            2 a: failed, exit 1
            2 2 hosts: 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
            ");
        } else {
            insta::assert_snapshot!(show.paper.shown(), @r"
            1 a: ␛[2J
            2 a: \x1b]0;x\x07
            2 ␛[1m␛[31ma: failed, exit 1␛[0m
            2 2 hosts: 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
            ");
        }
    }
}

#[test]
fn nothing_depends_on_colour_alone() {
    let shown = |color| {
        let end = End {
            terminal: true,
            color,
        };
        let look = Look {
            out: end,
            err: end,
            ..Look::default()
        };
        let mut show = Show::run(Form::Fold, look, &["a1", "a2"]);
        show.host(0, result("x\n")).host(1, result("x\n").exit(2));
        show.end()
    };
    let plain = regex::Regex::new("␛\\[[0-9;]*m").unwrap();
    assert_eq!(plain.replace_all(&shown(true), ""), shown(false));
}

#[test]
fn quiet_as_a_form_shows_notes_only() {
    let mut show = Show::run(Form::Quiet, Look::default(), &["a"]);
    show.say(Event::Notice("host key checks are off\x1b[2J".into()))
        .host(0, result("x\n").err("y\n").exit(1));
    insta::assert_snapshot!(show.end(), @r"2 note: host key checks are off\x1b[2J");
}

#[test]
fn a_reader_who_has_gone_is_no_error_and_files_are_written_all_the_same() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for (outdir, well) in [
        (folder.path().join("out"), true),
        ("/dev/null/out".into(), false),
    ] {
        let options = Options {
            outdir: Some(outdir),
            ..options(Form::Jsonl)
        };
        let screen = Screen::new(Box::new(Closed), Box::new(Closed), Look::default());
        let mut show = Show {
            report: Report::new(screen, options),
            paper: Paper::default(),
            summary: Summary::new(1),
            now: at(0),
        };
        let header = header("run", Some("x"), &["a"]);
        show.say(Event::RunStarted(Arc::new(header)));
        show.host(0, result("x\n"));
        assert_eq!(show.try_end(None, Recorded::Stored).is_ok(), well);
    }
    let kept = std::fs::read(folder.path().join("out/a.stdout")).unwrap();
    assert_eq!(kept, b"x\n");
}
