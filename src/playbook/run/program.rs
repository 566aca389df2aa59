//! A play's steps as they run: what the tags leave, with what is implicit among them. Built once a
//! batch or an include, shared by its hosts.

use std::sync::Arc;

use crate::base::value::Value;
use crate::playbook::{Action, Args, Keyword, Play, RoleUse, Section, Step, Task};

/// A list of nodes.
pub(super) type Nodes = Arc<[Node]>;

/// One thing in a list.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A task.
    Task(Arc<Task>),
    /// Notified handlers run here, without a word.
    Flush,
    /// A block.
    Block(Arc<Parts>),
    /// A role's tasks.
    Role(Arc<RoleUse>, Nodes),
}

/// A block's lists.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) block: Nodes,
    pub(super) rescue: Nodes,
    pub(super) always: Nodes,
}

/// Which tasks run.
pub(super) type Keep<'a> = &'a (dyn Fn(&Arc<Task>) -> bool + Sync);

/// What of the steps runs.
pub(super) fn nodes(steps: &[Step], keep: Keep<'_>) -> Vec<Node> {
    steps.iter().filter_map(|step| node(step, keep)).collect()
}

fn node(step: &Step, keep: Keep<'_>) -> Option<Node> {
    let list = |steps: &[Step]| -> Nodes { nodes(steps, keep).into() };
    match step {
        Step::Task(task) => keep(task).then(|| Node::Task(task.clone())),
        Step::Role(used, steps) => {
            let tasks = list(steps);
            (!tasks.is_empty()).then(|| Node::Role(used.clone(), tasks))
        }
        Step::Block(block) => {
            let parts = Parts {
                block: list(&block.block),
                rescue: list(&block.rescue),
                always: list(&block.always),
            };
            let any = [&parts.block, &parts.rescue, &parts.always]
                .iter()
                .any(|part| !part.is_empty());
            any.then(|| Node::Block(Arc::new(parts)))
        }
    }
}

/// The whole play: facts, sections, and the flushes between them. With `force_handlers` a section
/// that failed on a host is flushed there all the same.
pub(super) fn of_play(play: &Play, facts: bool, force_handlers: bool, keep: Keep<'_>) -> Nodes {
    let mut all = Vec::new();
    all.extend(
        facts
            .then(|| Arc::new(gathering(play)))
            .filter(|task| keep(task))
            .map(Node::Task),
    );
    let of = |wanted: &[Section]| -> Vec<Node> {
        let sections = play.sections.iter();
        sections
            .filter(|(section, _)| wanted.contains(section))
            .flat_map(|(_, steps)| nodes(steps, keep))
            .collect()
    };
    for part in [
        of(&[Section::PreTasks]),
        of(&[Section::Roles, Section::Tasks]),
        of(&[Section::PostTasks]),
    ] {
        if force_handlers {
            all.push(Node::Block(Arc::new(Parts {
                block: part.into(),
                rescue: Arc::new([]),
                always: Arc::new([Node::Flush]),
            })));
        } else {
            all.extend(part);
            all.push(Node::Flush);
        }
    }
    all.into()
}

/// The task that gathers facts. Unless the play has tags it runs whichever are asked for.
fn gathering(play: &Play) -> Task {
    let text = |text: &str| play.written.with_value(Value::string(text));
    let outer = Arc::new(play.keywords.of_play_for_tasks());
    let mut keywords = (*outer).clone();
    keywords.set(Keyword::Name, text("Gathering Facts"));
    if keywords.items(Keyword::Tags).is_empty() {
        keywords.set(Keyword::Tags, text("always"));
    }
    let arguments = [
        Keyword::GatherSubset,
        Keyword::GatherTimeout,
        Keyword::FactPath,
    ];
    let named = arguments
        .into_iter()
        .filter_map(|keyword| {
            let value = play.keywords.get(keyword)?;
            Some((keyword.name().into(), value.clone()))
        })
        .collect();
    Task {
        keywords,
        outer,
        written: play.written.clone(),
        action: Action {
            module: GATHER_FACTS.into(),
            written: GATHER_FACTS.into(),
            place: play.written.clone(),
            args: Args {
                named,
                ..Args::default()
            },
            local: false,
        },
        r#loop: None,
        role: None,
        files: Arc::new([play.written.source.path.clone()]),
        folder: play.folder.clone(),
    }
}

/// The module of the task that gathers facts.
pub(super) const GATHER_FACTS: &str = "gather_facts";
