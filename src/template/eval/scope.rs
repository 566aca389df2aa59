//! The names that a template itself sets: frames of variables, and what a macro sees of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::super::syntax::{MacroDef, Program};
use super::super::val::Val;

/// Nested variables, the innermost last; shared with the macros that were made among them.
#[derive(Clone, Default)]
pub(in super::super) struct Frames(Vec<Frame>);

type Frame = Arc<RwLock<HashMap<Arc<str>, Val>>>;

/// A macro with what it sees.
pub(in super::super) struct Closure {
    pub(super) def: Arc<MacroDef>,
    pub(super) program: Arc<Program>,
    pub(super) frames: Frames,
    pub(super) blocks: super::Blocks,
}

impl Frames {
    pub(super) fn push(&mut self) {
        self.0.push(Frame::default());
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn get(&self, name: &str) -> Option<Val> {
        self.0.iter().rev().find_map(|frame| {
            frame
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(name)
                .cloned()
        })
    }

    pub(super) fn set(&self, name: Arc<str>, value: Val) {
        if let Some(frame) = self.0.last() {
            frame
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name, value);
        }
    }

    /// Forgets everything: macros hold the frames that hold them.
    pub(super) fn clear(&self) {
        for frame in &self.0 {
            let forgotten =
                std::mem::take(&mut *frame.write().unwrap_or_else(PoisonError::into_inner));
            drop(forgotten);
        }
    }

    /// What the innermost frame holds: what an import gives.
    pub(super) fn exported(&self) -> Vec<(Arc<str>, Val)> {
        let Some(frame) = self.0.last() else {
            return Vec::new();
        };
        let frame = frame.read().unwrap_or_else(PoisonError::into_inner);
        frame
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl Closure {
    /// The macro's name.
    pub(in super::super) fn name(&self) -> Arc<str> {
        self.def.name.clone()
    }
}
