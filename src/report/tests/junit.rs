//! `--junit FILE`.

use super::*;

fn report(hosts: &[&str], run: impl FnOnce(&mut Show)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    let options = Options {
        junit: Some(file.clone()),
        ..options(Form::Quiet)
    };
    let header = header("run", Some("test -f a && echo '<b>'"), hosts);
    let mut show = Show::new(options, Look::default(), header);
    run(&mut show);
    show.end();
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn a_suite_a_run_and_a_case_a_host_in_inventory_order() {
    let report = report(&["web01", "web02", "主机3", "db1", "db2"], |show| {
        show.host(
            1,
            result("")
                .err("a is <missing> & \x1b[1mgone\x1b[0m\n")
                .exit(1),
        )
        .host(0, result("<b>\n"))
        .host(
            2,
            error(
                Outcome::Unreachable,
                ErrorKind::Refused,
                "connection to 10.0.0.3:22 refused",
            ),
        )
        .host(3, error(Outcome::TimedOut, ErrorKind::Timeout, "over 5m"))
        .done(4, error(Outcome::Cancelled, ErrorKind::Gate, "gate"));
    });
    insta::assert_snapshot!(report, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="iomsctl" tests="5" skipped="1" failures="1" errors="2">
        <testsuite name="run test -f a &amp;&amp; echo &apos;&lt;b&gt;&apos;" tests="5" skipped="1" errors="2" failures="1">
            <testcase name="web01" classname="iomsctl.run" time="0.042">
                <system-out>&lt;b&gt;
    </system-out>
            </testcase>
            <testcase name="web02" classname="iomsctl.run" time="0.042">
                <failure message="failed, exit 1" type="failed"></failure>
                <system-err>a is &lt;missing&gt; &amp; gone
    </system-err>
            </testcase>
            <testcase name="主机3" classname="iomsctl.run" time="0.042">
                <error message="unreachable, refused" type="unreachable">connection to 10.0.0.3:22 refused
    hint: check that sshd or WinRM runs there and that ansible_port is right
    </error>
            </testcase>
            <testcase name="db1" classname="iomsctl.run" time="0.042">
                <error message="timed out" type="timed_out">over 5m
    hint: --timeout gives it more time; 0 means no limit
    </error>
            </testcase>
            <testcase name="db2" classname="iomsctl.run" time="0.042">
                <skipped message="cancelled, gate"/>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
fn a_run_without_hosts_is_an_empty_suite() {
    insta::assert_snapshot!(report(&[], |_| ()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="iomsctl" tests="0" skipped="0" failures="0" errors="0">
        <testsuite name="run test -f a &amp;&amp; echo &apos;&lt;b&gt;&apos;" tests="0" skipped="0" errors="0" failures="0"/>
    </testsuites>
    "#);
}

#[test]
fn only_the_first_of_a_large_output_goes_in_and_it_says_so() {
    let report = report(&["a"], |show| {
        show.host(0, result("中".repeat(100_000)));
    });
    assert!(report.len() < 70_000);
    assert!(report.contains("中\n[cut: 64.0 KiB of 293 KiB]</system-out>"));
}

#[test]
fn a_file_that_can_not_be_written_is_an_error_that_names_the_flag() {
    let options = Options {
        junit: Some("/nonexistent/report.xml".into()),
        ..options(Form::Fold)
    };
    let header = header("run", Some("x"), &["a", "b"]);
    let mut show = Show::new(options, Look::default(), header);
    show.host(0, result("x\n")).host(1, result("x\n"));
    let error = show.try_end(None, Recorded::Stored).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("--junit /nonexistent/report.xml: ")
    );
    assert!(
        show.paper.out().contains("a,b (2)"),
        "what is shown is shown all the same"
    );
}
