//! Plays and `do` as people read them.

mod junit;

use serde_json::json;

use super::*;
use crate::event::{
    HostCounts, PlayEvent, PlayInfo, PlayStats, Retry, TaskInfo, TaskResult, TaskStatus,
};

fn of(verb: &str, look: Look, verbose: u8) -> Show {
    let options = Options {
        verbose,
        ..options(Form::Human)
    };
    Show::new(
        options,
        look,
        header(verb, Some("site.yml"), &["web01", "主机2"]),
    )
}

impl Show {
    fn said(&mut self, event: PlayEvent) -> &mut Self {
        self.say(Event::Play(event))
    }

    fn play(&mut self, name: &str, strategy: &str) -> &mut Self {
        self.said(PlayEvent::PlayStarted(Arc::new(PlayInfo {
            play: 0,
            name: name.into(),
            path: "site.yml:1:3".into(),
            strategy: strategy.into(),
            hosts: vec!["web01".into(), "主机2".into()],
        })))
    }

    fn task(&mut self, task: u32, name: &str, action: &str) -> &mut Self {
        self.said(PlayEvent::TaskStarted(Arc::new(TaskInfo {
            task,
            play: 0,
            name: name.into(),
            action: action.into(),
            path: format!("site.yml:{}:5", task + 5),
            handler: name == "handled",
            check: false,
        })))
    }

    fn finished(&mut self, result: TaskResult) -> &mut Self {
        self.said(PlayEvent::TaskFinished(Arc::new(result)))
    }
}

fn task(task: u32, host: &str, status: TaskStatus, result: serde_json::Value) -> TaskResult {
    TaskResult {
        task,
        host: host.into(),
        delegated: None,
        status,
        ignored: false,
        label: None,
        result: Arc::new(result.as_object().unwrap().clone()),
        error: None,
        facts: Vec::new(),
        started: at(0),
        duration: Duration::from_millis(20),
    }
}

fn item(result: TaskResult, label: &str) -> PlayEvent {
    PlayEvent::ItemFinished(Arc::new(TaskResult {
        label: Some(label.into()),
        ..result
    }))
}

/// A play in which everything happens.
fn everything(look: Look, verbose: u8) -> String {
    use TaskStatus::{Changed, Failed, Ok, Skipped, Unreachable};
    let mut show = of("play", look, verbose);
    show.play("网站 the site", "linear");
    show.task(0, "a file", "copy");
    let diff = json!({"before": "one\ntwo\n", "after": "one\nthree\n", "before_header": "/etc/a", "after_header": "/etc/a"});
    show.finished(task(
        0,
        "web01",
        Changed,
        json!({"changed": true, "dest": "/etc/a", "diff": diff}),
    ))
    .finished(TaskResult {
        delegated: Some("db1".into()),
        ..task(0, "主机2", Ok, json!({"changed": false}))
    });
    show.task(1, "each", "command");
    for (host, second) in [("web01", Failed), ("主机2", Skipped)] {
        show.said(item(
            task(1, host, Changed, json!({"changed": true, "rc": 0})),
            "a",
        ))
        .said(item(
            task(
                1,
                host,
                second,
                json!({"changed": false, "msg": "no\u{1b}[2J"}),
            ),
            "b",
        ))
        .finished(TaskResult {
            ignored: second == Failed,
            ..task(
                1,
                host,
                if second == Failed { Failed } else { Changed },
                json!({"results": []}),
            )
        });
    }
    show.task(2, "wait", "command");
    show.said(PlayEvent::Retrying(
        Arc::new(task(2, "web01", Failed, json!({"attempts": 1}))),
        Retry { made: 1, left: 2 },
    ))
    .finished(task(
        2,
        "web01",
        Failed,
        json!({"changed": false, "msg": "over", "rc": 1}),
    ))
    .finished(task(
        2,
        "主机2",
        Unreachable,
        json!({"unreachable": true, "msg": "refused"}),
    ));
    show.task(3, "said", "debug");
    show.finished(task(
        3,
        "web01",
        Ok,
        json!({"changed": false, "msg": ["中", {"a": 1}]}),
    ));
    show.task(4, "bring", "include_tasks");
    show.said(PlayEvent::Included {
        task: 4,
        what: "/srv/more.yml".into(),
        label: Some("x".into()),
        hosts: vec!["web01".into()],
    })
    .finished(task(4, "web01", Ok, json!({})));
    show.task(5, "handled", "service");
    show.finished(task(5, "web01", Skipped, json!({"skipped": true})));
    show.said(PlayEvent::NoHostsRemaining(0));
    let counts = HostCounts {
        ok: 3,
        changed: 1,
        failed: 1,
        skipped: 1,
        ignored: 1,
        ..HostCounts::default()
    };
    let lost = HostCounts {
        unreachable: 1,
        ..HostCounts::default()
    };
    show.said(PlayEvent::Stats(Arc::new(PlayStats {
        hosts: vec![("web01".into(), counts), ("主机2".into(), lost)],
        custom: Vec::new(),
    })));
    show.end()
}

#[test]
fn a_play_is_shown_as_ansible_shows_it() {
    insta::assert_snapshot!(everything(Look::default(), 0), @r#"
    1 
    1 PLAY [网站 the site] ***********************************************************
    1 
    1 TASK [a file] ******************************************************************
    1 --- before: /etc/a
    1 +++ after: /etc/a
    1 @@ -1,2 +1,2 @@
    1  one
    1 -two
    1 +three
    1 
    1 changed: [web01]
    1 ok: [主机2 -> db1]
    1 
    1 TASK [each] ********************************************************************
    1 changed: [web01] => (item=a)
    1 [ERROR]: Task failed: no\x1b[2J
    1 Origin: site.yml:6:5
    1 
    1 failed: [web01] (item=b) => {"changed": false, "msg": "no\u001b[2J"}
    1 ...ignoring
    1 changed: [主机2] => (item=a)
    1 skipping: [主机2] => (item=b) 
    1 
    1 TASK [wait] ********************************************************************
    1 FAILED - RETRYING: [web01]: wait (2 retries left).
    1 [ERROR]: Task failed: over
    1 Origin: site.yml:7:5
    1 
    1 fatal: [web01]: FAILED! => {"changed": false, "msg": "over", "rc": 1}
    1 fatal: [主机2]: UNREACHABLE! => {"msg": "refused", "unreachable": true}
    1 
    1 TASK [said] ********************************************************************
    1 ok: [web01] => {
    1     "msg": [
    1         "中",
    1         {
    1             "a": 1
    1         }
    1     ]
    1 }
    1 
    1 TASK [bring] *******************************************************************
    1 included: /srv/more.yml for web01 => (item=x)
    1 
    1 RUNNING HANDLER [handled] ******************************************************
    1 skipping: [web01]
    1 
    1 NO MORE HOSTS LEFT *************************************************************
    1 
    1 PLAY RECAP *********************************************************************
    1 web01                      : ok=3    changed=1    unreachable=0    failed=1    skipped=1    rescued=0    ignored=1   
    1 主机2                      : ok=0    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0   
    1
    "#);
}

#[test]
fn at_a_terminal_it_has_ansibles_colours() {
    let end = End {
        terminal: true,
        color: true,
    };
    let look = Look {
        out: end,
        err: end,
        ..Look::default()
    };
    insta::assert_snapshot!(everything(look, 0), @r#"
    1 
    1 PLAY [网站 the site] ***********************************************************
    1 
    1 TASK [a file] ******************************************************************
    1 ␛[31m--- before: /etc/a␛[0m
    1 ␛[32m+++ after: /etc/a␛[0m
    1 ␛[36m@@ -1,2 +1,2 @@␛[0m
    1  one
    1 ␛[31m-two␛[0m
    1 ␛[32m+three␛[0m
    1 
    1 ␛[33mchanged: [web01]␛[0m
    1 ␛[32mok: [主机2 -> db1]␛[0m
    1 
    1 TASK [each] ********************************************************************
    1 ␛[33mchanged: [web01] => (item=a)␛[0m
    1 ␛[31m[ERROR]: Task failed: no\x1b[2J␛[0m
    1 ␛[31mOrigin: site.yml:6:5␛[0m
    1 ␛[31m␛[0m
    1 ␛[31mfailed: [web01] (item=b) => {"changed": false, "msg": "no\u001b[2J"}␛[0m
    1 ␛[36m...ignoring␛[0m
    1 ␛[33mchanged: [主机2] => (item=a)␛[0m
    1 ␛[36mskipping: [主机2] => (item=b) ␛[0m
    1 
    1 TASK [wait] ********************************************************************
    1 ␛[1m␛[30mFAILED - RETRYING: [web01]: wait (2 retries left).␛[0m
    1 ␛[31m[ERROR]: Task failed: over␛[0m
    1 ␛[31mOrigin: site.yml:7:5␛[0m
    1 ␛[31m␛[0m
    1 ␛[31mfatal: [web01]: FAILED! => {"changed": false, "msg": "over", "rc": 1}␛[0m
    1 ␛[1m␛[31mfatal: [主机2]: UNREACHABLE! => {"msg": "refused", "unreachable": true}␛[0m
    1 
    1 TASK [said] ********************************************************************
    1 ␛[32mok: [web01] => {␛[0m
    1 ␛[32m    "msg": [␛[0m
    1 ␛[32m        "中",␛[0m
    1 ␛[32m        {␛[0m
    1 ␛[32m            "a": 1␛[0m
    1 ␛[32m        }␛[0m
    1 ␛[32m    ]␛[0m
    1 ␛[32m}␛[0m
    1 
    1 TASK [bring] *******************************************************************
    1 ␛[36mincluded: /srv/more.yml for web01 => (item=x)␛[0m
    1 
    1 RUNNING HANDLER [handled] ******************************************************
    1 ␛[36mskipping: [web01]␛[0m
    1 
    1 NO MORE HOSTS LEFT *************************************************************
    1 
    1 PLAY RECAP *********************************************************************
    1 ␛[31mweb01␛[0m                      : ␛[32mok=3   ␛[0m ␛[33mchanged=1   ␛[0m unreachable=0    ␛[31mfailed=1   ␛[0m ␛[36mskipped=1   ␛[0m rescued=0    ␛[33mignored=1   ␛[0m
    1 ␛[31m主机2␛[0m                      : ok=0    changed=0    ␛[1m␛[31munreachable=1   ␛[0m failed=0    skipped=0    rescued=0    ignored=0   
    1
    "#);
}

#[test]
fn results_are_told_when_asked_for() {
    let shown = everything(Look::default(), 2);
    assert!(shown.contains("task path: site.yml:5:5"), "{shown}");
    assert!(
        shown.contains(r#"changed: [web01] => {"changed": true, "dest": "/etc/a"}"#),
        "{shown}"
    );
    assert!(
        shown.contains("changed: [web01] => (item=a) => {"),
        "{shown}"
    );
}

#[test]
fn where_hosts_go_their_own_way_a_banner_comes_with_each_turn() {
    let mut show = of("play", Look::default(), 0);
    show.play("free", "free");
    show.task(0, "one", "ping").task(1, "two", "ping");
    for (number, host) in [(0, "web01"), (1, "web01"), (0, "主机2")] {
        show.finished(task(number, host, TaskStatus::Ok, json!({})));
    }
    insta::assert_snapshot!(show.end(), @r"
    1 
    1 PLAY [free] ********************************************************************
    1 
    1 TASK [one] *********************************************************************
    1 ok: [web01]
    1 
    1 TASK [two] *********************************************************************
    1 ok: [web01]
    1 
    1 TASK [one] *********************************************************************
    1 ok: [主机2]
    ");
}

#[test]
fn one_module_is_shown_a_block_a_host() {
    use TaskStatus::{Changed, Failed, Ok, Unreachable};
    let mut show = of("do", Look::default(), 0);
    show.task(0, "shell", "ansible.builtin.shell");
    show.finished(task(
        0,
        "web01",
        Changed,
        json!({"rc": 0, "stdout": "a\nb", "stderr": "odd", "changed": true}),
    ))
    .done(0, result("a\nb\n"));
    let failed = json!({"rc": 3, "stdout": "", "stderr": "", "msg": "non-zero return code"});
    show.finished(task(0, "主机2", Failed, failed))
        .done(1, result("").exit(3));
    show.task(1, "ping", "ping");
    show.finished(task(
        1,
        "web01",
        Ok,
        json!({"changed": false, "ping": "pong"}),
    ))
    .finished(task(
        1,
        "主机2",
        Unreachable,
        json!({"unreachable": true, "msg": "refused"}),
    ));
    show.done(
        1,
        error(
            Outcome::Cancelled,
            ErrorKind::Interrupted,
            "not begun: the run was stopped",
        ),
    );
    insta::assert_snapshot!(show.end(), @r#"
    1 web01 | CHANGED | rc=0 >>
    1 a
    1 b
    1 odd
    1 主机2 | FAILED | rc=3 >>
    1 non-zero return code
    1 web01 | SUCCESS => {
    1     "changed": false,
    1     "ping": "pong"
    1 }
    1 主机2 | UNREACHABLE! => {
    1     "msg": "refused",
    1     "unreachable": true
    1 }
    2 2 hosts: 1 ok, 1 cancelled, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    "#);
}

#[test]
fn an_assertion_that_is_quiet_takes_one_line_and_no_word_is_said_twice() {
    let mut show = of("play", Look::default(), 0);
    show.play("site", "linear").task(0, "holds", "assert");
    let quiet = json!({"msg": "All assertions passed", "_ansible_verbose_always": false});
    show.finished(task(0, "web01", TaskStatus::Ok, quiet));
    show.task(1, "late", "command");
    let late = json!({"msg": "Task failed: Timed out after 1 second(s)."});
    show.finished(task(1, "web01", TaskStatus::Failed, late));
    let shown = show.end();
    assert!(shown.contains("1 ok: [web01]\n"), "{shown}");
    let once = "1 [ERROR]: Task failed: Timed out after 1 second(s).\n";
    assert!(shown.contains(once), "{shown}");
}

#[test]
fn why_a_task_failed_is_said_once_for_all_hosts_with_its_place() {
    let mut show = of("play", Look::default(), 0);
    show.play("p", "linear").task(0, "cut", "command");
    let failed = || json!({"msg": "non-zero return code\nmore", "rc": 1});
    let mut placed = task(
        0,
        "db1",
        TaskStatus::Failed,
        json!({"msg": "'a' is undefined"}),
    );
    placed.error = Some(crate::event::HostError::new(
        crate::event::ErrorKind::Template,
        "site.yml:7:3: 'a' is undefined",
    ));
    show.finished(task(0, "web01", TaskStatus::Failed, failed()))
        .finished(task(0, "web02", TaskStatus::Failed, failed()))
        .finished(placed);
    let shown = show.end();
    let once = "1 [ERROR]: Task failed: non-zero return code\n1 Origin: site.yml:5:5\n1 \n1 fatal: [web01]: FAILED! => ";
    assert!(shown.contains(once), "{shown}");
    let placed = "1 fatal: [web02]: FAILED! => {\"msg\": \"non-zero return code\\nmore\", \"rc\": 1}\n\
         1 [ERROR]: site.yml:7:3: 'a' is undefined\n1 \n1 fatal: [db1]: FAILED! => ";
    assert!(shown.contains(placed), "{shown}");
}

#[test]
fn debug_shows_its_message_alone_and_nothing_of_what_is_hidden() {
    let mut show = of("play", Look::default(), 0);
    show.play("p", "linear").task(0, "say", "debug");
    show.finished(task(
        0,
        "web01",
        TaskStatus::Ok,
        json!({"msg": "hi", "changed": false, "item": 1}),
    ))
    .finished(task(
        0,
        "web02",
        TaskStatus::Ok,
        json!({"censored": "hidden", "changed": false}),
    ));
    let mut skipped = task(0, "web03", TaskStatus::Skipped, json!({"skipped": true}));
    skipped.delegated = Some("localhost".into());
    show.finished(skipped);
    let shown = show.end();
    let lines =
        "1 ok: [web01] => {\n1     \"msg\": \"hi\"\n1 }\n1 ok: [web02]\n1 skipping: [web03]\n";
    assert!(shown.contains(lines), "{shown}");
}
