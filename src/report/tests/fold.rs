//! `--output fold`, what people see of several hosts.

use super::*;

fn unreachable() -> HostResult {
    error(
        Outcome::Unreachable,
        ErrorKind::Refused,
        "connection to 127.0.0.9:22 refused",
    )
}

#[test]
fn equal_results_stand_once_behind_their_folded_hosts_and_what_went_wrong_comes_last() {
    let hosts = ["web01", "web02", "web03", "web04", "db1", "web05"];
    let mut show = Show::run(Form::Human, Look::default(), &hosts);
    show.host(4, unreachable())
        .host(2, result("Linux\n"))
        .host(5, result("").err("no such file\n").exit(3))
        .host(0, result("Linux\n"))
        .host(1, result("Linux\n"))
        .host(3, result("FreeBSD\n"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 web[01-03] (3)
    1 ---------------
    1 Linux
    1 ---------------
    1 web04
    1 ---------------
    1 FreeBSD
    1 ---------------
    1 db1: unreachable, refused
    1 ---------------
    1 connection to 127.0.0.9:22 refused
    1 hint: check that sshd or WinRM runs there and that ansible_port is right
    1 ---------------
    1 web05: failed, exit 3
    1 ---------------
    1 stderr:
    1 no such file
    2 6 hosts: 4 ok, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn streams_that_differ_are_told_apart_and_an_output_without_newline_gets_one() {
    let mut show = Show::run(Form::Fold, Look::default(), &["a1", "a2", "a3", "a4"]);
    show.host(0, result("x"))
        .host(1, result("x\n"))
        .host(2, result("").err("x\n"))
        .host(3, result("x\n").err("warning: y\n"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a1
    1 ---------------
    1 x
    1 ---------------
    1 a2
    1 ---------------
    1 x
    1 ---------------
    1 a3
    1 ---------------
    1 stderr:
    1 x
    1 ---------------
    1 a4
    1 ---------------
    1 x
    1 stderr:
    1 warning: y
    2 4 hosts: 4 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn hosts_without_output_fold_to_their_names() {
    let mut show = Show::run(Form::Fold, Look::default(), &["web01", "web02"]);
    show.host(1, result("")).host(0, result(""));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 web[01-02] (2)
    1 ---------------
    2 2 hosts: 2 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn every_outcome_has_its_words() {
    let of = |outcome, exit| HostResult {
        outcome,
        exit,
        ..result("")
    };
    let killed = HostResult {
        signal: Some("KILL".into()),
        ..of(Outcome::Failed, None)
    };
    let gate = || error(Outcome::Cancelled, ErrorKind::Gate, "its turn did not come");
    let long = "the command ran longer than 5m; its process group 4711 was ended";
    let silent = "no output for 30s";
    let sudo = "sudo: the password was not accepted";
    let results = [
        of(Outcome::Changed, Some(0)),
        of(Outcome::Skipped, None),
        of(Outcome::Deferred, None),
        result("").exit(-1_073_741_819),
        killed,
        error(Outcome::TimedOut, ErrorKind::Timeout, long),
        error(Outcome::TimedOut, ErrorKind::IdleTimeout, silent),
        error(Outcome::Failed, ErrorKind::BecomeDenied, sudo),
        error(Outcome::Failed, ErrorKind::RemoteIo, "/tmp is read-only"),
        gate(),
        gate(),
        error(Outcome::Cancelled, ErrorKind::Interrupted, "stopped"),
    ];
    let hosts: Vec<String> = (1..=12).map(|number| format!("h{number:02}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let mut show = Show::run(Form::Fold, Look::default(), &hosts);
    for (host, result) in (0..).zip(results) {
        show.done(host, result);
    }
    insta::assert_snapshot!(show.end_with(Some(Stopped::Gate), Recorded::Stored), @"
    1 ---------------
    1 h01: changed
    1 ---------------
    1 ---------------
    1 h02: skipped
    1 ---------------
    1 ---------------
    1 h[10-11] (2): cancelled, gate
    1 ---------------
    1 its turn did not come
    1 hint: see why the hosts before it failed, then go on with --rerun failed
    1 ---------------
    1 h03: deferred
    1 ---------------
    1 ---------------
    1 h04: failed, exit -1073741819
    1 ---------------
    1 ---------------
    1 h05: failed, killed by KILL
    1 ---------------
    1 ---------------
    1 h06: timed out
    1 ---------------
    1 the command ran longer than 5m; its process group 4711 was ended
    1 hint: --timeout gives it more time; 0 means no limit
    1 ---------------
    1 h07: timed out, idle_timeout
    1 ---------------
    1 no output for 30s
    1 hint: --idle-timeout gives it more time between two outputs
    1 ---------------
    1 h08: failed, become_denied
    1 ---------------
    1 sudo: the password was not accepted
    1 hint: check the become password (-K) and whom the host lets become another (sudoers, on Windows administrators)
    1 ---------------
    1 h09: failed, remote_io
    1 ---------------
    1 /tmp is read-only
    1 ---------------
    1 h12: cancelled, interrupted
    1 ---------------
    1 stopped
    1 hint: go on with --rerun failed
    2 stopped: more hosts failed than --max-fail allows
    2 12 hosts: 1 skipped, 1 changed, 1 deferred, 3 cancelled, 2 timed out, 4 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn messages_that_name_their_host_do_not_keep_results_apart() {
    let mut show = Show::run(Form::Fold, Look::default(), &["a1", "a2"]);
    for host in [0, 1] {
        let message = format!("connection to 10.0.0.{host}:22 refused");
        show.host(
            host,
            error(Outcome::Unreachable, ErrorKind::Refused, &message),
        );
    }
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a[1-2] (2): unreachable, refused
    1 ---------------
    1 a1: connection to 10.0.0.0:22 refused
    1 hint: check that sshd or WinRM runs there and that ansible_port is right
    1 (and 1 other message: --output host shows all)
    2 2 hosts: 2 unreachable in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn errors_that_call_for_something_else_are_shown_apart() {
    let mut show = Show::run(Form::Fold, Look::default(), &["a1", "a2", "a3", "a4"]);
    let wrong = |message: &str, hint: Option<&'static str>| {
        let mut result = error(Outcome::Failed, ErrorKind::RemoteIo, message);
        result.error = result.error.map(|error| HostError {
            hint: hint.map(Into::into),
            ..error
        });
        result
    };
    show.host(0, wrong("no room in /tmp", Some("make room")))
        .host(1, wrong("/srv is read-only", Some("mount it")))
        .host(2, wrong("no room in /var", Some("make room")))
        .host(3, wrong("no room in /opt", Some("make room")));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a[1,3-4] (3): failed, remote_io
    1 ---------------
    1 a1: no room in /tmp
    1 hint: make room
    1 (and 2 other messages: --output host shows all)
    1 ---------------
    1 a2: failed, remote_io
    1 ---------------
    1 /srv is read-only
    1 hint: mount it
    2 4 hosts: 4 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn an_output_that_was_cut_says_so() {
    let mut show = Show::run(Form::Fold, Look::default(), &["a1", "a2"]);
    let mut cut = result("0123456789\n");
    cut.stdout.total = 3 << 20;
    show.host(0, cut).host(1, result("0123456789\n"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a1: ok, output cut
    1 ---------------
    1 0123456789
    1 [stdout cut: 11 bytes of 3.0 MiB kept; --max-output keeps more]
    1 ---------------
    1 a2
    1 ---------------
    1 0123456789
    2 2 hosts: 2 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

fn differing() -> Show {
    let hosts = ["web01", "web02", "web03", "web04", "web05", "web06"];
    let options = Options {
        fold_diff: true,
        ..options(Form::Human)
    };
    let header = header("run", Some("cat /etc/app.conf"), &hosts);
    Show::new(options, Look::default(), header)
}

#[test]
fn fold_diff_shows_the_majority_whole_and_others_as_differences() {
    let mut show = differing();
    let config = "port 80\nname a\nlimit 3\nlog on\n";
    for host in [0, 1, 2] {
        show.host(host, result(config));
    }
    show.host(3, result("port 81\nname a\nlimit 3\nlog on\n"))
        .host(4, result(config).err("deprecated\n").exit(1))
        .host(5, unreachable());
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 web[01-03] (3)
    1 ---------------
    1 port 80
    1 name a
    1 limit 3
    1 log on
    1 ---------------
    1 web04
    1 ---------------
    1 --- stdout of most hosts
    1 +++ stdout here
    1 @@ -1,3 +1,3 @@
    1 -port 80
    1 +port 81
    1  name a
    1  limit 3
    1 ---------------
    1 web05: failed, exit 1
    1 ---------------
    1 --- stderr of most hosts
    1 +++ stderr here
    1 @@ -0,0 +1 @@
    1 +deprecated
    1 ---------------
    1 web06: unreachable, refused
    1 ---------------
    1 connection to 127.0.0.9:22 refused
    1 hint: check that sshd or WinRM runs there and that ansible_port is right
    2 6 hosts: 4 ok, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn of_two_outputs_as_frequent_fold_diff_takes_the_first_shown_as_the_base() {
    let mut show = differing();
    for host in [0, 1, 2] {
        show.host(host, unreachable());
    }
    show.host(3, result("a\n")).host(4, result("b\n"));
    show.host(5, result("").exit(1));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 web04
    1 ---------------
    1 a
    1 ---------------
    1 web05
    1 ---------------
    1 --- stdout of most hosts
    1 +++ stdout here
    1 @@ -1 +1 @@
    1 -a
    1 +b
    1 ---------------
    1 web[01-03] (3): unreachable, refused
    1 ---------------
    1 connection to 127.0.0.9:22 refused
    1 hint: check that sshd or WinRM runs there and that ansible_port is right
    1 ---------------
    1 web06: failed, exit 1
    1 ---------------
    1 --- stdout of most hosts
    1 +++ stdout here
    1 @@ -1 +0,0 @@
    1 -a
    2 6 hosts: 2 ok, 3 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn fold_diff_shows_what_is_too_large_to_compare_whole() {
    let mut show = differing();
    let large = "x".repeat(300 * 1024);
    show.host(0, result("small\n"))
        .host(1, result("small\n"))
        .host(2, result(&large));
    show.end();
    assert!(show.paper.out().contains(&large));
    assert!(!show.paper.out().contains("@@"));
}

#[test]
fn fold_diff_of_large_outputs_without_a_common_line_ends_soon() {
    let mut show = differing();
    let lines = |from: u32| {
        let lines: Vec<String> = (from..from + 30_000).map(|n| n.to_string()).collect();
        lines.join("\n")
    };
    let begun = std::time::Instant::now();
    show.host(0, result(lines(0)))
        .host(1, result(lines(50_000)));
    show.end();
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn names_in_chinese_fold_like_others() {
    let mut show = Show::run(Form::Fold, TERMINAL, &["游戏服-01", "游戏服-02", "数据库"]);
    show.host(0, result("正常\n"))
        .host(1, result("正常\n"))
        .host(2, result(b"\xd5\xfd\xb3\xa3\r\n").speaks("cp936"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 游戏服-[01-02] (2)
    1 ---------------
    1 正常
    1 ---------------
    1 数据库
    1 ---------------
    1 正常
    2 3 hosts: 3 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn a_run_without_hosts_ends_with_its_summary() {
    let mut show = Show::run(Form::Human, Look::default(), &[]);
    insta::assert_snapshot!(show.end(), @"2 0 hosts: nothing done in 1.5s  (run 019ab000-0000-7000-8000-000000000001)");
}

#[test]
fn what_became_of_the_record_is_said_where_it_is_not_stored() {
    for (stopped, recorded) in [
        (Some(Stopped::Interrupted), Recorded::Spooled),
        (Some(Stopped::Terminated), Recorded::Lost),
    ] {
        let mut show = Show::run(Form::Fold, Look::default(), &["a1"]);
        show.host(0, result("x\n"));
        let shown = show.end_with(stopped, recorded);
        match recorded {
            Recorded::Lost => insta::assert_snapshot!(shown, @"
            1 ---------------
            1 a1
            1 ---------------
            1 x
            2 terminated
            2 1 host: 1 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
            2 warning: the record of this run is lost
            "),
            _ => insta::assert_snapshot!(shown, @"
            1 ---------------
            1 a1
            1 ---------------
            1 x
            2 interrupted
            2 1 host: 1 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
            2 warning: the database did not take the record in time; it is kept in the journal and replayed later (iomsctl db replay)
            "),
        }
    }
}
