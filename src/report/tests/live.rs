//! `--output live`, and what people see of one host.

use super::*;

#[test]
fn one_host_is_shown_as_ssh_would_at_once_and_byte_for_byte() {
    let mut show = Show::run(Form::Human, Look::default(), &["web01"]);
    show.start(0).out(0, "Password: ");
    insta::assert_snapshot!(show.paper.shown(), @"1 Password: ¬");
    show.err(0, "\x1b[31mwrong\x1b[0m\r\n").out(0, "\u{7}bye");
    show.done(0, result("Password: \u{7}bye").err("wrong\r\n"));
    show.end();
    assert_eq!(show.paper.bytes(1), b"Password: \x07bye");
    assert_eq!(show.paper.bytes(2), b"\x1b[31mwrong\x1b[0m\r\n");
}

#[test]
fn one_host_that_went_wrong_says_how_on_standard_error() {
    let mut show = Show::run(Form::Human, Look::default(), &["web01"]);
    show.host(0, result("half").err("oops\n").exit(3));
    insta::assert_snapshot!(show.end(), @"
    1 half¬
    2 oops
    2 web01: failed, exit 3
    ");
}

#[test]
fn at_a_terminal_the_words_about_a_host_begin_a_line_of_their_own() {
    let mut show = Show::run(Form::Human, TERMINAL, &["web01"]);
    show.host(0, result("half").exit(3));
    insta::assert_snapshot!(show.end(), @"
    1 half¬
    2 
    2 web01: failed, exit 3
    ");
}

#[test]
fn one_host_that_is_not_reached_says_why_and_what_to_do() {
    let mut show = Show::run(Form::Human, Look::default(), &["web01"]);
    show.host(
        0,
        error(
            Outcome::Unreachable,
            ErrorKind::HostKeyUnknown,
            "the host key of web01 (SHA256:abc) is not known",
        ),
    );
    insta::assert_snapshot!(show.end(), @"
    2 web01: unreachable, host_key_unknown
    2   the host key of web01 (SHA256:abc) is not known
    2   hint: compare and accept it with `iomsctl hostkeys scan` and `approve`, or run with --host-key accept-new
    ");
}

#[test]
fn lines_of_many_hosts_stand_behind_their_names_and_wait_for_their_end() {
    let mut show = Show::run(Form::Live, Look::default(), &["web01", "web02", "网关"]);
    show.start(0).start(1).start(2);
    show.out(0, "one\ntw")
        .out(1, "eins\n")
        .err(0, "warn")
        .out(2, "一\n二")
        .out(0, "o\n\n")
        .err(0, "ing\n")
        .done(1, result("eins\n"))
        .done(0, result("one\ntwo\n\n").err("warning\n").exit(1))
        .done(2, result("一\n二"));
    insta::assert_snapshot!(show.end(), @"
    1 web01: one
    1 web02: eins
    1 网关: 一
    1 web01: two
    1 web01: 
    2 web01: warning
    2 web01: failed, exit 1
    1 网关: 二
    2 3 hosts: 2 ok, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn with_quiet_only_hosts_speak_and_why_one_has_failed_is_said() {
    let look = Look {
        quiet: true,
        ..Look::default()
    };
    let mut show = Show::run(Form::Live, look, &["a", "b", "c"]);
    show.host(0, result("x\n"))
        .host(1, result("").err("y\n").exit(1))
        .host(
            2,
            error(Outcome::Unreachable, ErrorKind::Refused, "c:22: refused"),
        )
        .say(Event::Notice("the host key check is off".into()));
    insta::assert_snapshot!(show.end(), @"
    1 a: x
    2 b: y
    2 c: unreachable, refused
    2   c:22: refused
    2   hint: check that sshd or WinRM runs there and that ansible_port is right
    ");
}

#[test]
fn a_character_cut_between_two_pieces_is_whole_at_a_terminal() {
    let gbk = crate::base::text::encoding("cp936").unwrap();
    let mut show = Show::run(Form::Live, TERMINAL, &["win1"]);
    show.start(0);
    for piece in [&b"\xd6"[..], b"\xd0\xce", b"\xc4\r", b"\n"] {
        show.output(0, Stream::Stdout, piece, gbk);
    }
    show.done(0, result(b"\xd6\xd0\xce\xc4\r\n").speaks("cp936"));
    insta::assert_snapshot!(show.end(), @"1 win1: 中文");
}

#[test]
fn each_line_is_utf_8_or_what_the_host_speaks_also_where_that_is_learnt_on_the_way() {
    let gbk = charset("936");
    let mut show = Show::run(Form::Live, TERMINAL, &["win1"]);
    show.start(0)
        .out(0, "中文\nplain\n")
        .output(0, Stream::Stdout, b"\xd6\xd0\xce\xc4\r\n", gbk)
        .output(0, Stream::Stdout, "中文\r\n", gbk)
        .done(0, result("").speaks("936"));
    insta::assert_snapshot!(show.end(), @"
    1 win1: 中文
    1 win1: plain
    1 win1: 中文
    1 win1: 中文
    ");
}

#[test]
fn a_byte_order_mark_decides_and_is_not_shown_at_a_terminal() {
    for bytes in [
        &b"\xef\xbb\xbfok \xe4\xb8\xad\n"[..],
        b"\xff\xfeo\0k\0 \0\x2d\x4e\n\0",
        b"\xfe\xff\0o\0k\0 \x4e\x2d\0\n",
    ] {
        for cut in 0..bytes.len() {
            let (one, other) = bytes.split_at(cut);
            let mut show = Show::run(Form::Human, TERMINAL, &["win1"]);
            show.start(0)
                .output(0, Stream::Stdout, one, Charset::UTF_8)
                .output(0, Stream::Stdout, other, Charset::UTF_8)
                .done(0, result(bytes));
            show.end();
            assert_eq!(show.paper.out(), "ok 中\n", "cut at {cut}");
        }
    }
}

#[test]
fn a_line_without_end_is_shown_in_pieces_that_cut_no_character() {
    let mut show = Show::run(Form::Live, Look::default(), &["a", "b"]);
    show.start(0);
    let long = "中".repeat(30_000);
    for piece in long.as_bytes().chunks(10_000) {
        show.output(0, Stream::Stdout, piece, Charset::UTF_8);
    }
    show.done(0, result(&long));
    show.end();
    let out = show.paper.out();
    let text: String = out
        .lines()
        .map(|line| line.strip_prefix("a: ").unwrap())
        .collect();
    assert_eq!(text, long);
    assert!(out.lines().all(|line| line.len() < 80_000));
}
