//! What can't be gone on with says so, and what to do instead.

use super::{Going, HOLD, killed, let_go, newest, pair, resume, site};
use crate::support::Desk;

fn holding(desk: &Desk) {
    site(
        desk,
        &format!("- hosts: all\n  gather_facts: false\n  tasks:\n    - {{name: hold, {HOLD}}}\n"),
    );
}

#[test]
fn runs_that_came_to_their_end_are_refused() {
    let desk = pair();
    site(
        &desk,
        "- hosts: all\n  gather_facts: false\n  tasks: [{command: 'false'}]\n",
    );
    desk.run(&["play", "site.yml"]).ends_with(2);
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    let rerun = format!("iomsctl play --rerun failed:{}", newest(&desk));
    assert!(
        refused.contains("came to its end") && refused.contains(&rerun),
        "{refused}"
    );
    assert_eq!(
        std::fs::read_dir(desk.dir.path().join("data/plays"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_start_that_no_task_is_named_is_no_run_to_go_on_with() {
    let desk = pair();
    site(
        &desk,
        "- hosts: all\n  gather_facts: false\n  tasks: [{name: only, ping: }]\n",
    );
    let said = desk
        .run(&["play", "site.yml", "--start-at-task", "nothing"])
        .ends_with(1);
    let all = said.stdout + &said.stderr;
    assert!(all.contains("no task is named `nothing`"), "{all}");
    assert!(!all.contains("iomsctl resume"), "{all}");
    let left = std::fs::read_dir(desk.dir.path().join("data/plays"));
    assert_eq!(left.unwrap().count(), 0);
}

#[test]
fn runs_of_other_verbs_say_how_they_are_gone_on_with() {
    let desk = pair();
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(
        refused.contains("no run of playbooks on record"),
        "{refused}"
    );
    for (args, instead) in [
        (
            &["run", "-g", "web", "true"][..],
            "iomsctl run --rerun failed:",
        ),
        (&["do", "-g", "web", "ping"], "iomsctl do --rerun failed:"),
        (
            &["upload", "-g", "web01", "inventory.yml", "copy"],
            "iomsctl upload",
        ),
    ] {
        desk.run(args).ends_with(0);
        let refused = resume(&desk, &[&newest(&desk)]).ends_with(1).stderr;
        assert!(refused.contains(instead), "{refused}");
    }
    let refused = resume(&desk, &["abcdabcd"]).ends_with(1).stderr;
    assert!(refused.contains("there is no run"), "{refused}");
}

#[test]
fn a_run_that_lives_is_refused() {
    let desk = pair();
    holding(&desk);
    let going = Going::start(&desk, &["play", "site.yml"]).until("TASK [hold]");
    // It is on record within moments.
    crate::support::wait_until("it is on record", || {
        !desk.json(&["history", "list"])["runs"]
            .as_array()
            .unwrap()
            .is_empty()
    });
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("still under way"), "{refused}");
    going.kill();
    let_go(&desk);
    resume(&desk, &[]).ends_with(0);
}

#[test]
fn a_run_is_resumed_in_the_folder_where_it_was_started() {
    let desk = pair();
    holding(&desk);
    killed(&desk, &["site.yml"], "TASK [hold]");
    let_go(&desk);
    let mut command = desk.command(&["resume"]);
    command.current_dir(desk.home());
    let refused = crate::support::Ran::of(command).ends_with(1).stderr;
    assert!(
        refused.contains(&format!("cd {}", desk.dir.path().display())),
        "{refused}"
    );
    resume(&desk, &[]).ends_with(0);
}

#[test]
fn what_is_pruned_or_damaged_can_not_be_gone_on_with() {
    let desk = pair();
    holding(&desk);
    killed(&desk, &["site.yml"], "TASK [hold]");
    let run = newest(&desk);
    let path = desk.dir.path().join("data/plays").join(&run);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[60] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("can't be opened"), "{refused}");
    // Written when plays took hosts in another order: what is done once would be done again.
    let earlier = [b"iomsrsm1", &whole[8..]].concat();
    std::fs::write(&path, earlier).unwrap();
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("another version of iomsctl"), "{refused}");
    std::fs::write(&path, whole).unwrap();
    resume(&desk, &["--connection-password-file", "nowhere"]).ends_with(1);
    // A refusal leaves nothing behind.
    assert_eq!(
        std::fs::read_dir(desk.dir.path().join("data/plays"))
            .unwrap()
            .count(),
        1
    );
    desk.run(&["db", "prune", "--keep", "0s", "--yes"])
        .ends_with(0);
    assert!(!path.exists());
    let refused = resume(&desk, &[&run]).ends_with(1).stderr;
    assert!(refused.contains("nothing of run"), "{refused}");
}

#[test]
fn where_nothing_can_be_kept_the_run_goes_on_with_a_warning() {
    let desk = pair();
    desk.file("data/plays", "in the way");
    site(
        &desk,
        "- hosts: all\n  gather_facts: false\n  tasks: [{command: echo}]\n",
    );
    let ran = desk.run(&["play", "site.yml"]).ends_with(0);
    assert!(ran.stderr.contains("can't be resumed"), "{}", ran.stderr);
}
