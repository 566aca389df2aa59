//! Where a host stands in a play, and where it goes next: a state machine that knows no host, no
//! result and no clock. What happened is told to it; it answers with the next task.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::program::{Node, Nodes, Parts};
use super::worker::Scope;
use crate::playbook::{RoleUse, Task};

/// What is to be done next.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    /// A task; or one that a handler included.
    Task {
        /// It.
        task: Arc<Task>,
        /// Whether it runs as a handler.
        handler: bool,
    },
    /// The handlers are to be run, without a word.
    Flush,
    /// A handler, by its place among the play's.
    Handler(u32),
}

/// What was included: one file or role for some hosts.
#[derive(Debug)]
pub(super) struct Group {
    /// Unique in the batch, growing.
    pub(super) number: u32,
    pub(super) nodes: Nodes,
    pub(super) scope: Arc<Scope>,
    /// Included by a handler.
    pub(super) handler: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Block,
    Rescue,
    Always,
}

#[derive(Debug, Clone)]
enum Frame {
    List {
        nodes: Nodes,
        role: Option<Arc<RoleUse>>,
    },
    Block {
        parts: Arc<Parts>,
        part: Part,
        /// Goes on outwards when `always` is done.
        failed: bool,
    },
    Included {
        groups: Arc<[Arc<Group>]>,
        group: usize,
    },
    Handlers,
    /// What is done before the place below it, once.
    Before(Nodes),
}

/// A frame and how far it is: what is done now, or holds the frames above.
#[derive(Debug, Clone)]
struct Level {
    frame: Frame,
    at: u32,
}

/// How a host's way ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All done.
    Through,
    /// Failed, and nothing rescued it.
    Failed,
    /// Told to.
    Told,
}

/// A host's place.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    levels: Vec<Level>,
    end: Option<End>,
    /// Notified handlers, by their place among the play's.
    notified: BTreeSet<u32>,
    /// Roles of which a task has run here; those that have run to their end.
    roles_begun: BTreeSet<u64>,
    roles_done: BTreeSet<u64>,
    path: Vec<u32>,
}

impl Cursor {
    /// At the first of these.
    pub(super) fn new(nodes: Nodes) -> Self {
        let mut cursor = Self {
            levels: vec![Level::new(Frame::List { nodes, role: None })],
            end: None,
            notified: BTreeSet::new(),
            roles_begun: BTreeSet::new(),
            roles_done: BTreeSet::new(),
            path: Vec::new(),
        };
        cursor.settle();
        cursor
    }

    /// How it ended, once it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Its place in the order in which a play is written, includes at their tasks, handlers at their
    /// flush. Equal for hosts that are to do the same.
    pub(super) fn path(&self) -> &[u32] {
        &self.path
    }

    /// What is to be done.
    pub(super) fn leaf(&self) -> Option<Leaf> {
        if self.end.is_some() {
            return None;
        }
        let level = self.levels.last()?;
        if matches!(level.frame, Frame::Handlers) {
            return Some(Leaf::Handler(level.at));
        }
        match level.node()? {
            Node::Task(task) => Some(Leaf::Task {
                task: task.clone(),
                handler: self.levels.iter().any(Level::is_handlers_include),
            }),
            Node::Flush => Some(Leaf::Flush),
            Node::Block(_) | Node::Role(..) => None,
        }
    }

    /// What the innermost include came with.
    pub(super) fn scope(&self) -> Option<&Arc<Scope>> {
        let mut levels = self.levels.iter().rev();
        levels.find_map(|level| match &level.frame {
            Frame::Included { groups, group } => groups.get(*group).map(|group| &group.scope),
            _ => None,
        })
    }

    /// Whether a failure here ends up in a `rescue`.
    pub(super) fn rescues(&self) -> bool {
        let mut levels = self.levels.iter();
        levels.any(|level| match &level.frame {
            Frame::Block { parts, part, .. } => *part == Part::Block && !parts.rescue.is_empty(),
            _ => false,
        })
    }

    /// A handler is to run at the next flush, or later in the one that is under way.
    pub(super) fn notify(&mut self, handler: u32) {
        self.notified.insert(handler);
    }

    /// The task has begun: a handler is no longer notified.
    pub(super) fn take(&mut self) {
        if let Some(Level {
            frame: Frame::Handlers,
            at,
        }) = self.levels.last()
        {
            self.notified.remove(at);
        }
    }

    /// A task of this role was not skipped.
    pub(super) fn role_begun(&mut self, role: u64) {
        self.roles_begun.insert(role);
    }

    /// The task is done.
    pub(super) fn advance(&mut self) {
        self.step();
        self.settle();
    }

    /// The task is done and brought these in.
    pub(super) fn include(&mut self, groups: Vec<Arc<Group>>) {
        self.push(Frame::Included {
            groups: groups.into(),
            group: 0,
        });
        self.settle();
    }

    /// The notified handlers run now.
    pub(super) fn flush(&mut self) {
        self.push(Frame::Handlers);
        self.settle();
    }

    /// These are done first, then what is to be done now.
    pub(super) fn before(&mut self, nodes: Nodes) {
        self.push(Frame::Before(nodes));
        self.settle();
    }

    /// Fails for good, whatever would rescue it.
    pub(super) fn abandon(&mut self) {
        if self.end.is_none() {
            self.finish(End::Failed);
        }
    }

    /// The task failed: on to the next `rescue` or `always` around it.
    pub(super) fn fail(&mut self) {
        self.unwind();
        self.settle();
    }

    /// Nothing more is done in the role that it stands in.
    pub(super) fn end_role(&mut self) {
        while let Some(level) = self.levels.pop() {
            if let Frame::List {
                role: Some(used), ..
            } = &level.frame
            {
                self.role_done(used.role.id);
                break;
            }
        }
        self.advance();
    }

    /// Nothing more is done in the play.
    pub(super) fn stop(&mut self) {
        if self.end.is_none() {
            self.finish(End::Told);
        }
    }

    fn push(&mut self, frame: Frame) {
        self.levels.push(Level::new(frame));
    }

    fn step(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.at += 1;
        }
    }

    fn finish(&mut self, end: End) {
        self.end = Some(end);
        self.levels.clear();
        self.notified.clear();
    }

    fn role_done(&mut self, role: u64) {
        // A role of which every task was skipped has not run.
        if self.roles_begun.contains(&role) {
            self.roles_done.insert(role);
        }
    }

    /// Leaves what fails, up to something that takes it up.
    fn unwind(&mut self) {
        while let Some(level) = self.levels.last_mut() {
            if let Frame::Block {
                parts,
                part,
                failed,
            } = &mut level.frame
            {
                let to = match part {
                    Part::Block if !parts.rescue.is_empty() => Some(Part::Rescue),
                    Part::Block | Part::Rescue if !parts.always.is_empty() => Some(Part::Always),
                    _ => None,
                };
                if let Some(to) = to {
                    *failed = to == Part::Always;
                    *part = to;
                    level.at = 0;
                    return;
                }
            }
            self.levels.pop();
        }
        self.finish(End::Failed);
    }

    /// Goes on to what can be done, in and out of whatever lies between.
    fn settle(&mut self) {
        while self.end.is_none() {
            let Some(level) = self.levels.last_mut() else {
                self.finish(End::Through);
                break;
            };
            if matches!(level.frame, Frame::Handlers) {
                match self.notified.range(level.at..).next() {
                    Some(next) => {
                        level.at = *next;
                        break;
                    }
                    None => self.leave(),
                }
                continue;
            }
            match level.node() {
                Some(Node::Task(_) | Node::Flush) => break,
                Some(Node::Block(parts)) => {
                    let parts = parts.clone();
                    self.push(Frame::Block {
                        parts,
                        part: Part::Block,
                        failed: false,
                    });
                }
                Some(Node::Role(used, nodes)) => {
                    if self.roles_done.contains(&used.role.id) && !used.allow_duplicates {
                        level.at += 1;
                    } else {
                        let (role, nodes) = (Some(used.clone()), nodes.clone());
                        self.push(Frame::List { nodes, role });
                    }
                }
                None => self.end_of_list(),
            }
        }
        self.find_path();
    }

    /// A list is at its end: its frame has another one, or is left.
    fn end_of_list(&mut self) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        match &mut level.frame {
            Frame::Block {
                part: part @ (Part::Block | Part::Rescue),
                ..
            } => {
                *part = Part::Always;
                level.at = 0;
            }
            Frame::Block { failed: true, .. } => {
                self.levels.pop();
                self.unwind();
            }
            Frame::Included { groups, group } if *group + 1 < groups.len() => {
                *group += 1;
                level.at = 0;
            }
            Frame::List {
                role: Some(used), ..
            } => {
                let role = used.role.id;
                self.role_done(role);
                self.leave();
            }
            Frame::Before(_) => {
                self.levels.pop();
            }
            _ => self.leave(),
        }
    }

    fn leave(&mut self) {
        self.levels.pop();
        self.step();
    }

    fn find_path(&mut self) {
        self.path.clear();
        for level in &self.levels {
            match &level.frame {
                Frame::Block { part, .. } => self.path.push(*part as u32),
                Frame::Included { groups, group } => {
                    let number = groups.get(*group).map_or(0, |group| group.number);
                    self.path.push(number);
                }
                Frame::List { .. } | Frame::Handlers | Frame::Before(_) => {}
            }
            self.path.push(level.at);
        }
    }
}

impl Level {
    fn new(frame: Frame) -> Self {
        Self { frame, at: 0 }
    }

    fn nodes(&self) -> Option<&Nodes> {
        match &self.frame {
            Frame::List { nodes, .. } | Frame::Before(nodes) => Some(nodes),
            Frame::Block { parts, part, .. } => Some(match part {
                Part::Block => &parts.block,
                Part::Rescue => &parts.rescue,
                Part::Always => &parts.always,
            }),
            Frame::Included { groups, group } => groups.get(*group).map(|group| &group.nodes),
            Frame::Handlers => None,
        }
    }

    fn node(&self) -> Option<&Node> {
        self.nodes()?.get(self.at as usize)
    }

    fn is_handlers_include(&self) -> bool {
        matches!(&self.frame, Frame::Included { groups, .. } if groups.iter().any(|group| group.handler))
    }
}
