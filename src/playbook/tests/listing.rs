//! What `--list-tasks` and its like print: compared with ansible-playbook's own words, taken down
//! from ansible-core 2.19.

use super::*;
use crate::playbook::{Listing, TagSelection};

fn folder() -> Folder {
    Folder::new(&[
        (
            "site.yml",
            "- name: first
  hosts: all
  tags: [p]
  pre_tasks:
    - say: pre
  roles:
    - {role: r1, tags: rr}
  tasks:
    - name: one
      say: hi
      tags: [t1, t2]
    - block:
        - command: ls
          notify: hh
        - import_tasks: imp.yml
          tags: imp
      rescue:
        - say: rescue
      always:
        - say: always
      tags: blk
    - include_tasks: imp.yml
      tags: inc
    - name: never
      say: n
      tags: never
    - meta: flush_handlers
  handlers:
    - {name: hh, say: hh}
- hosts: [localhost, web]
  tasks: []
",
        ),
        ("imp.yml", "- {name: in imp, say: imp}\n- shell: echo\n"),
        ("roles/r1/tasks/main.yml", "- say: r1\n"),
        ("roles/r1/meta/main.yml", "dependencies: [r3]\n"),
        ("roles/r3/tasks/main.yml", "- {name: in r3, say: x}\n"),
    ])
}

fn listed(tasks: bool, tags: bool, only: &str) -> String {
    let folder = folder();
    let selection = TagSelection::new(&[only.to_owned()], &[]);
    let hosts = |_: &crate::playbook::Play| vec!["web1".to_owned()];
    let listing = Listing {
        tasks,
        tags,
        hosts: (!tasks && !tags).then_some(&hosts),
        selection: &selection,
    };
    let place = folder.path().join("site.yml").display().to_string();
    listing
        .of(&folder.loaded())
        .replace(&place, "site.yml")
        .replace('\t', " -> ")
}

#[test]
fn tasks_are_listed_with_their_tags() {
    insta::assert_snapshot!(listed(true, false, "all"), @r"

    playbook: site.yml

      play #1 (all): first -> TAGS: [p]
        tasks:
          say -> TAGS: [p]
          r3 : in r3 -> TAGS: [p, rr]
          say -> TAGS: [p, rr]
          one -> TAGS: [p, t1, t2]
          command -> TAGS: [blk, p]
          in imp -> TAGS: [blk, imp, p]
          shell -> TAGS: [blk, imp, p]
          include_tasks -> TAGS: [inc, p]
          meta -> TAGS: [p]

      play #2 (localhost,web): localhost,web -> TAGS: []
        tasks:
    ");
}

#[test]
fn tags_and_hosts_are_listed() {
    insta::assert_snapshot!(listed(false, true, "t1,imp"), @r"

    playbook: site.yml

      play #1 (all): first -> TAGS: [p]
          TASK TAGS: [blk, imp, p, t1, t2]

      play #2 (localhost,web): localhost,web -> TAGS: []
          TASK TAGS: []
    ");
    insta::assert_snapshot!(listed(false, false, ""), @r"

    playbook: site.yml

      play #1 (all): first -> TAGS: [p]
        pattern: ['all']
        hosts (1):
          web1

      play #2 (localhost,web): localhost,web -> TAGS: []
        pattern: ['localhost', 'web']
        hosts (1):
          web1
    ");
}
