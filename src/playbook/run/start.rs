//! `--start-at-task`: where it is. Includes of run time and handlers are not looked into.

use std::sync::Arc;

use super::cursor::{Cursor, Leaf};
use super::program::{GATHER_FACTS, Node, Nodes};
use crate::base::glob;
use crate::playbook::{Play, Task, Written};

/// Whether a play has the task.
pub(super) fn is_in(play: &Play, name: &str) -> bool {
    play.tasks().into_iter().any(|task| is_it(task, name))
}

/// At the task, facts to be gathered before; at the end where the way does not lead there (it
/// stands in a `rescue`, or its tags are not chosen).
pub(super) fn at(nodes: Nodes, name: &str) -> Cursor {
    let facts = match nodes.first() {
        Some(first @ Node::Task(task)) if &*task.action.module == GATHER_FACTS => {
            Some(first.clone())
        }
        _ => None,
    };
    let mut cursor = Cursor::new(nodes);
    loop {
        match cursor.leaf() {
            Some(Leaf::Task { task, .. }) if is_it(&task, name) => break,
            Some(_) => cursor.advance(),
            None => return cursor,
        }
    }
    if let Some(facts) = facts {
        cursor.before(Arc::new([facts]));
    }
    cursor
}

fn is_it(task: &Task, name: &str) -> bool {
    let own = task.name().and_then(Written::text).unwrap_or_default();
    let full = task.title();
    [own, &full]
        .into_iter()
        .any(|title| title == name || glob::matches(name, title))
}
