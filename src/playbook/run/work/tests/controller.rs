//! Files of the controller: where they are looked for, and what templates know of themselves.

use super::*;
use crate::base::value::Map;

#[tokio::test]
async fn a_first_found_file_is_looked_for_where_its_module_hints_at() {
    let bench = Bench::new();
    bench
        .file("roles/r/vars/Debian.yml", "a: of vars\n")
        .file("roles/r/files/Debian.yml", "a: of files\n")
        .file("roles/r/templates/t.j2", "of templates")
        .file(
            "roles/r/tasks/main.yml",
            "- include_vars: \"{{ item }}\"\n  with_first_found:\n    - \"{{ nobody_set_this }}.yml\"\n    - Debian.yml\n\
             - template: {src: \"{{ item }}\", dest: \"{{ out }}\"}\n  with_first_found: [{files: [none.j2, t.j2]}]\n\
             - debug: {msg: \"{{ a }}, {{ lookup('file', out) }}\"}\n",
        );
    let out = bench.folder.path().join("out");
    let ran = bench
        .play(&format!(
            "- hosts: all\n  gather_facts: false\n  vars: {{out: {}}}\n  roles: [r]\n",
            out.display()
        ))
        .await;
    assert_eq!(ran.last()["msg"], "of vars, of templates");
}

#[tokio::test]
async fn a_bare_pattern_is_tried_in_every_folder() {
    let bench = Bench::new();
    bench.file("files/other.txt", "").file("a.conf", "");
    let ran = bench
        .tasks("  - debug: {msg: \"{{ lookup('fileglob', '*.conf') }}\"}\n")
        .await;
    let there = bench.folder.path().join("a.conf");
    assert_eq!(ran.last()["msg"], there.to_str().unwrap());
}

#[tokio::test]
async fn a_template_knows_what_it_is() {
    let bench = Bench::new();
    bench.file(
        "templates/t.j2",
        "{{ ansible_managed }}|{{ template_path }}|{{ template_fullpath == full }}|{{ template_destpath == out }}|\
         {{ template_uid is defined }}|{{ template_mtime[:2] }}|{{ template_run_date[:2] }}|{{ template_host | length > 0 }}",
    );
    let path = |name: &str| bench.folder.path().join(name).display().to_string();
    let ran = bench
        .tasks(&format!(
            "  - template: {{src: t.j2, dest: \"{{{{ out }}}}\"}}\n    vars: &v {{full: {}, out: {out}}}\n  \
             - debug: {{msg: \"{{{{ lookup('file', '{out}') }}}}\"}}\n  \
             - debug: {{msg: \"{{{{ ansible_managed }}}}\"}}\n    vars: {{ansible_managed: mine}}\n",
            path("templates/t.j2"),
            out = path("out"),
        ))
        .await;
    let said = ran.results.iter().rev().nth(1).unwrap();
    assert_eq!(
        said.3["msg"],
        "Ansible managed|t.j2|True|True|True|20|20|True"
    );
    assert_eq!(ran.last()["msg"], "mine");
}

#[tokio::test]
async fn an_error_points_to_the_expression() {
    let ran = Bench::new()
        .tasks("  - debug:\n      msg: |\n        first\n        {{ nope.x }}\n    loop: [1]\n")
        .await;
    let error = ran
        .heard
        .iter()
        .find_map(|event| match event {
            PlayEvent::ItemFinished(result) => result.error.clone(),
            _ => None,
        })
        .unwrap();
    let place = "site.yml:7:12: 'nope' is undefined in `nope.x`\n  |\n7 |         {{ nope.x }}";
    assert!(error.message.contains(place), "{}", error.message);
}

/// Facts that come once another task of the runtime was done.
struct AfterAnother;

impl EarlierFacts for AfterAnother {
    fn of(&self, hosts: &[Arc<str>]) -> Vec<(Arc<str>, Map)> {
        let (done, waits) = std::sync::mpsc::channel();
        tokio::spawn(async move { done.send(()) });
        if waits
            .recv_timeout(std::time::Duration::from_secs(20))
            .is_err()
        {
            return Vec::new();
        }
        let facts = Map::from_iter([("ansible_colour".into(), Value::Unsafe("blue".into()))]);
        hosts
            .iter()
            .map(|host| (host.clone(), facts.clone()))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_waits_for_facts_of_earlier_runs_holds_up_nobody() {
    let mut bench = Bench::new();
    bench.earlier = Some(Arc::new(AfterAnother));
    let play = tokio::spawn(async move {
        let ran = bench
            .tasks("  - debug: {msg: '{{ ansible_facts.colour }}'}\n")
            .await;
        ran.last()["msg"].clone()
    });
    assert_eq!(play.await.unwrap(), "blue");
}
