//! Plays as a report for CI: `--junit FILE`.

use super::*;

#[test]
fn a_report_for_ci_has_a_case_a_task_and_host() {
    use TaskStatus::{Changed, Failed, Ok, Skipped, Unreachable};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.xml");
    let options = Options {
        junit: Some(file.clone()),
        ..options(Form::Quiet)
    };
    let mut header = header("play", Some("site.yml"), &["web01", "主机2"]);
    header.options = json!({"expect_no_change": true});
    let mut show = Show::new(options, Look::default(), header);
    show.play("网站", "linear")
        .task(0, "一", "command")
        .task(1, "two", "command");
    show.finished(task(0, "web01", Ok, json!({})))
        .finished(task(0, "主机2", Changed, json!({"changed": true})))
        .finished(task(
            1,
            "web01",
            Skipped,
            json!({"skip_reason": "Conditional result was False"}),
        ))
        .finished(TaskResult {
            ignored: true,
            ..task(1, "web01", Failed, json!({"msg": "passed over"}))
        })
        .finished(task(1, "web01", Failed, json!({"msg": "<no>", "rc": 1})))
        .finished(task(1, "主机2", Unreachable, json!({"msg": "refused"})));
    show.end();
    insta::assert_snapshot!(std::fs::read_to_string(file).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="iomsctl" tests="6" skipped="1" failures="2" errors="1">
        <testsuite name="网站" tests="6" skipped="1" errors="1" failures="2">
            <testcase name="一" classname="网站/web01" time="0.020" file="site.yml:5:5"/>
            <testcase name="一" classname="网站/主机2" time="0.020" file="site.yml:5:5">
                <failure message="changed" type="changed">{
        &quot;changed&quot;: true
    }</failure>
            </testcase>
            <testcase name="two" classname="网站/web01" time="0.020" file="site.yml:6:5">
                <skipped message="Conditional result was False"/>
            </testcase>
            <testcase name="two" classname="网站/web01" time="0.020" file="site.yml:6:5"/>
            <testcase name="two" classname="网站/web01" time="0.020" file="site.yml:6:5">
                <failure message="&lt;no&gt;" type="failed">{
        &quot;msg&quot;: &quot;&lt;no&gt;&quot;,
        &quot;rc&quot;: 1
    }</failure>
            </testcase>
            <testcase name="two" classname="网站/主机2" time="0.020" file="site.yml:6:5">
                <error message="refused" type="unreachable">{
        &quot;msg&quot;: &quot;refused&quot;
    }</error>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}
