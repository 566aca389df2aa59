//! `iomsctl play` and `iomsctl do`: what is shown, what the exit status says, what is on record.

mod ad_hoc;
mod background;
mod choosing;
mod denied;
mod examples;
mod facts;
mod fetching;
mod forms;
mod hosts;
mod records;
mod resume;
mod statuses;
mod terminal;
mod waiting;

use std::path::PathBuf;

use crate::support::Desk;

/// A desk whose two hosts are this machine.
fn pair() -> Desk {
    Desk::with(
        "all:\n  vars: {ansible_connection: local}\n  children: {web: {hosts: {web01: , web02: }}}\n",
    )
}

/// A playbook of one play over all hosts without facts, with these tasks.
fn playbook(desk: &Desk, tasks: &str) -> PathBuf {
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    desk.file(
        "site.yml",
        format!("- name: the site\n  hosts: all\n  gather_facts: false\n  tasks:\n{indented}"),
    )
}

/// Output without what differs from run to run.
fn settled(text: &str, desk: &Desk) -> String {
    let folder = desk.home().parent().unwrap().display().to_string();
    let text = text.replace(&folder, "FOLDER");
    let times = regex::Regex::new(
        r#""(start|end|delta)": "[^"]*"|\d{4}-\d\d-\d\dT[0-9:.]+Z|\(run [0-9a-f-]+\)|in [0-9.]+ ?m?s"#,
    )
    .unwrap();
    times.replace_all(&text, "TIME").into_owned()
}
