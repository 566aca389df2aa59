//! `--output host`: a block a host.

use super::*;

#[test]
fn each_host_is_a_block_as_it_finishes() {
    let mut show = Show::run(Form::Host, Look::default(), &["web01", "web02", "web03"]);
    show.host(1, result("Linux"))
        .host(0, result("x\n").err("y").exit(2))
        .host(
            2,
            error(
                Outcome::Unreachable,
                ErrorKind::ConnectTimeout,
                "no answer from 10.0.0.3:22 within 10s",
            ),
        );
    insta::assert_snapshot!(show.end(), @"
    1 web02: ok (41ms)
    1 Linux
    1 web01: failed, exit 2 (41ms)
    1 x
    1 stderr:
    1 y
    1 web03: unreachable, connect_timeout (41ms)
    1 no answer from 10.0.0.3:22 within 10s
    1 hint: check that the host is up and no firewall drops the port; --connect-timeout waits longer
    2 3 hosts: 1 ok, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn a_ping_says_how_long_the_ways_took() {
    let header = header("ping", None, &["web01"]);
    let mut show = Show::new(options(Form::Host), Look::default(), header);
    show.host(0, result("").ping(1_200, 30_050, 33_000));
    insta::assert_snapshot!(show.end(), @"
    1 web01: ok (33ms)
    1 connect 1.2 ms, login 30.1 ms
    ");
}
