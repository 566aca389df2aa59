//! `meta` tasks that end something.

use super::Trial;

#[test]
fn a_batch_a_play_or_a_host_may_be_ended_without_handlers() {
    let done = Trial::play(
        "h1 h2 h3 h4",
        "
- hosts: all
  serial: [1, 2]
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: h}
    - {meta: end_batch, vars: {skipped: [h2, h3]}}
    - {meta: end_host, vars: {skipped: h2}}
    - {name: b, say: x}
    - {meta: end_play}
    - {name: never, say: x}
  handlers:
    - {name: h, say: x}
- hosts: h1,h2
  tasks:
    - {name: c, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1]
        a: h1(changed)
        meta: h1
        PLAY all [h2 h3]
        a: h2(changed) h3(changed)
        meta: h2(skipped)
        meta: h2(skipped) h3
        b: h2
        meta: h2
        PLAY h1,h2 [h1 h2]
        c: h1 h2
        RECAP",
    );
    assert_eq!(done.recap("h2"), "ok=3 changed=1", "meta is not counted");
    assert!(
        done.told.contains(&"b: left h1 h2 h4".to_owned()),
        "{:?}",
        done.told
    );
}
