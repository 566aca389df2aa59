//! `ping` for people.

use super::*;

fn ping(hosts: &[&str]) -> Show {
    let header = header("ping", None, hosts);
    Show::new(options(Form::Human), Look::default(), header)
}

#[test]
fn few_hosts_get_a_line_each_in_columns_also_with_wide_names() {
    let mut show = ping(&["web01", "游戏服-01", "db", "gone"]);
    show.host(2, result("").ping(900, 10_000, 12_345))
        .host(0, result("").ping(1_200, 30_050, 33_000))
        .host(1, result("").ping(1_100_000, 2_000, 1_103_000))
        .host(
            3,
            error(
                Outcome::Unreachable,
                ErrorKind::Dns,
                "gone: no address for this name",
            ),
        );
    insta::assert_snapshot!(show.end(), @"
    1 web01      connect     1.2 ms  login   30.1 ms  in all    33.0 ms
    1 游戏服-01  connect  1100.0 ms  login    2.0 ms  in all  1103.0 ms
    1 db         connect     0.9 ms  login   10.0 ms  in all    12.3 ms
    1 ---------------
    1 gone: unreachable, dns
    1 ---------------
    1 gone: no address for this name
    1 hint: check the name, or set ansible_host to an address
    2 4 hosts: 3 ok, 1 unreachable in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn many_hosts_fold_with_the_spread_of_their_times() {
    let names: Vec<String> = (1..=50).map(|number| format!("web{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut show = ping(&names);
    for host in 0..50 {
        let time = u64::from(host + 1) * 1000;
        show.host(host, result("").ping(time, time * 2, time * 3));
    }
    insta::assert_snapshot!(show.end(), @"
    1 web[01-50] (50)
    1   connect  fastest 1.0 ms, half within 25.0 ms, 95 % within 47.0 ms, slowest 50.0 ms
    1   login    fastest 2.0 ms, half within 50.0 ms, 95 % within 94.0 ms, slowest 100.0 ms
    1   in all   fastest 3.0 ms, half within 75.0 ms, 95 % within 141.0 ms, slowest 150.0 ms
    2 50 hosts: 50 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}
