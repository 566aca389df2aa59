//! What a play asks at a terminal: its words are Ansible's, its keys too.

use std::time::Duration;

use super::{pair, playbook};
use crate::support::{Desk, Ran};
use crate::terminal::{SIGTERM, at_a_terminal};

const SOON: Duration = Duration::from_millis(50);

const CTRL_C: &str = "\x03";

const CHOICE: &str = "Press 'C' to continue the play or 'A' to abort";

fn asked(desk: &Desk, tasks: &str, more: &[&str], dialogue: &[(&str, &str)]) -> Ran {
    let site = playbook(desk, tasks);
    let args = [&["play", site.to_str().unwrap()], more].concat();
    let mut ran = at_a_terminal(&desk.command(&args), dialogue, SOON);
    ran.stdout = ran.stdout.replace("\r\n", "\n");
    ran
}

#[test]
fn step_asks_before_each_task() {
    let desk = pair();
    let tasks = "- {name: one, debug: {msg: did one}}\n- {name: two, debug: {msg: did two}}\n\
                 - {name: three, debug: {msg: did three}}\n- {name: four, debug: {msg: did four}}\n";
    let ran = asked(
        &desk,
        tasks,
        &["--step"],
        &[
            ("Perform task: TASK: one (N)o/(y)es/(c)ontinue: ", "y\n"),
            ("Perform task: TASK: two (N)o/(y)es/(c)ontinue: ", "\n"),
            ("Perform task: TASK: three (N)o/(y)es/(c)ontinue: ", "c\n"),
        ],
    )
    .ends_with(0);
    let said = |text: &str| ran.stdout.matches(text).count();
    assert_eq!(
        (
            said("did one"),
            said("did two"),
            said("did three"),
            said("did four")
        ),
        (2, 0, 2, 2),
        "{}",
        ran.stdout
    );
    assert_eq!(said("Perform task: "), 3, "{}", ran.stdout);
}

#[test]
fn ctrl_c_at_a_step_ends_the_run() {
    let desk = pair();
    let tasks = "- {name: one, debug: {msg: did one}}\n- {name: two, debug: {msg: did two}}\n";
    let dialogue = [("TASK: one (N)o/(y)es/(c)ontinue: ", CTRL_C)];
    let ran = asked(&desk, tasks, &["--step"], &dialogue).ends_with(130);
    assert!(!ran.stdout.contains("did"), "{}", ran.stdout);
}

#[test]
fn what_stops_a_run_ends_a_question_that_nobody_answers() {
    let desk = pair();
    let tasks = "- {name: one, debug: {msg: did one}}\n";
    let step = "TASK: one (N)o/(y)es/(c)ontinue: ";
    let ran = asked(&desk, tasks, &["--step"], &[(step, SIGTERM)]).ends_with(143);
    assert!(!ran.stdout.contains("did"), "{}", ran.stdout);
    let soon = &["--step", "--deadline", "1s"];
    let ran = asked(&desk, tasks, soon, &[(step, "")]).ends_with(7);
    assert!(!ran.stdout.contains("did"), "{}", ran.stdout);

    let text = "- hosts: web01\n  gather_facts: false\n  vars_prompt: [{name: word, prompt: Word}]\n\
                \x20 tasks: [{debug: {msg: did one}}]\n";
    let site = desk.file("site.yml", text);
    let play = |more: &[&str], answer: &str| {
        let command = desk.command(&[&["play", site.to_str().unwrap()], more].concat());
        at_a_terminal(&command, &[("Word: ", answer)], SOON)
    };
    for (more, answer, status) in [
        (&[][..], SIGTERM, 143),
        (&["--deadline", "1s"], "half a wor", 7),
    ] {
        let ran = play(more, answer).ends_with(status);
        assert!(!ran.stdout.contains("did"), "{}", ran.stdout);
    }
}

#[test]
fn prompts_are_answered_confirmed_and_have_defaults() {
    let desk = pair();
    let text = "- hosts: web01\n  gather_facts: false\n  vars: {who: the site}\n  vars_prompt:\n\
        \x20   - {name: secret, prompt: 'Password of {{ who }}', confirm: true}\n\
        \x20   - {name: colour, prompt: Colour, default: blue, private: false}\n\
        \x20   - {name: bare, private: false}\n\
        \x20 tasks: [{debug: {msg: '{{ secret | length }} {{ colour }} {{ bare }}'}}]\n";
    let site = desk.file("site.yml", text);
    let command = desk.command(&["play", site.to_str().unwrap()]);
    let dialogue = [
        ("Password of the site: ", "hidden1\n"),
        ("confirm Password of the site: ", "other\n"),
        ("***** VALUES ENTERED DO NOT MATCH ****", ""),
        ("Password of the site: ", "hidden2\n"),
        ("confirm Password of the site: ", "hidden2\n"),
        ("Colour [blue]: ", "\n"),
        ("bare: ", "ab\x7f中\n"),
    ];
    let ran = at_a_terminal(&command, &dialogue, SOON).ends_with(0);
    assert!(
        ran.stdout.contains(r#""msg": "7 blue a中""#),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("hidden"), "{}", ran.stdout);
    let command = desk.command(&["play", site.to_str().unwrap()]);
    let ran = at_a_terminal(&command, &[("Password of the site: ", CTRL_C)], SOON);
    assert_eq!(ran.status, 130, "{}", ran.stdout);
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(0);
    assert!(
        ran.stderr
            .contains("Not prompting as we are not in interactive mode"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_pause_takes_a_line() {
    let desk = pair();
    let tasks = "- {name: sure, pause: {prompt: Are you sure}, register: it}\n\
                 - {name: hidden, pause: {prompt: The word, echo: false}, register: word}\n\
                 - debug: {msg: '{{ it.user_input }} {{ word.user_input | length }}'}\n";
    let dialogue = [
        ("[sure]\r\nAre you sure:", "quite\n"),
        ("[hidden]\r\nThe word (output is hidden):", "never-seen\n"),
    ];
    let ran = asked(&desk, tasks, &[], &dialogue).ends_with(0);
    assert!(
        ran.stdout.contains(r#""msg": "quite 10""#),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("never-seen"), "{}", ran.stdout);
    let order = [
        "TASK [sure]",
        "Are you sure:",
        "ok: [web01]",
        "TASK [hidden]",
    ];
    let places = order.map(|text| ran.stdout.find(text).unwrap());
    assert!(places.is_sorted(), "{}", ran.stdout);
}

#[test]
fn a_pause_is_continued_or_aborted_after_ctrl_c() {
    let desk = pair();
    let tasks = "- {name: long, pause: {seconds: 300}}\n- debug: {msg: went on}\n";
    let early = "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)";
    let on = [
        ("Pausing for 300 seconds", ""),
        (early, CTRL_C),
        (CHOICE, "c"),
    ];
    let ran = asked(&desk, tasks, &[], &on).ends_with(0);
    assert!(ran.stdout.contains("went on"), "{}", ran.stdout);
    let off = [(early, CTRL_C), (CHOICE, "A")];
    let ran = asked(&desk, tasks, &[], &off).ends_with(2);
    assert!(
        ran.stdout.contains("user requested abort!"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("went on"), "{}", ran.stdout);
    let tasks = "- pause:\n- debug: {msg: went on}\n";
    let question = "Press enter to continue, Ctrl+C to interrupt:";
    let ran = asked(&desk, tasks, &[], &[(question, "\n")]).ends_with(0);
    assert!(ran.stdout.contains("went on"), "{}", ran.stdout);
    let off = [(question, CTRL_C), (CHOICE, "a")];
    asked(&desk, tasks, &[], &off).ends_with(2);
}
