//! How a run goes on, on standard error.

use super::*;

fn run(look: Look, hosts: &[&str]) -> Show {
    let options = Options {
        progress: true,
        ..options(Form::Fold)
    };
    Show::new(options, look, header("run", Some("uname -s"), hosts))
}

#[test]
fn without_a_terminal_a_plain_line_comes_every_thirty_seconds_and_says_for_whom_it_waits() {
    let mut show = run(Look::default(), &["web01", "web02", "db17", "数据库"]);
    show.start(0).start(1).start(2).start(3);
    show.after(20_000).waiting(&[(0, 20, 20)]);
    show.done(0, result(""));
    show.after(15_000)
        .waiting(&[(2, 34, 34), (3, 33, 2), (1, 4, 1)]);
    show.after(20_000).waiting(&[(2, 54, 54)]);
    show.done(1, result("").exit(1));
    show.done(3, result(""));
    show.after(160_000).waiting(&[(2, 214, 180)]);
    show.done(2, result(""));
    insta::assert_snapshot!(show.end(), @"
    2 1/4 done: 1 ok, 3 running, waiting on: db17 (34 s, no output), 数据库 (33 s, last output 2 s ago)
    2 3/4 done: 2 ok, 1 failed, 1 running, waiting on: db17 (214 s, last output 180 s ago)
    1 ---------------
    1 web01,db17,数据库 (3)
    1 ---------------
    1 ---------------
    1 web02: failed, exit 1
    1 ---------------
    2 4 hosts: 3 ok, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn hosts_cancelled_before_they_began_are_not_taken_for_running_ones() {
    let mut show = run(Look::default(), &["a", "b", "c"]);
    show.start(0)
        .done(1, error(Outcome::Cancelled, ErrorKind::Gate, "gate"))
        .done(2, error(Outcome::Cancelled, ErrorKind::Gate, "gate"));
    show.after(31_000).waiting(&[(0, 31, 31)]);
    insta::assert_snapshot!(show.paper.shown(), @"2 2/3 done: 2 cancelled, 1 running, waiting on: a (31 s, no output)");
}

#[test]
fn quiet_writes_no_progress() {
    let look = Look {
        quiet: true,
        ..Look::default()
    };
    let mut show = run(look, &["a"]);
    show.start(0).after(60_000).waiting(&[(0, 60, 60)]);
    show.done(0, result(""));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a
    1 ---------------
    ");
}
