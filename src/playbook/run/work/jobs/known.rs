//! What a run knows of its jobs beyond what their hosts tell: which it has read to their end, and what
//! `no_log` keeps off the hosts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::value::Map;
use crate::module::Call;
use crate::target::Target;

/// What a run knows of jobs.
#[derive(Default)]
pub(in super::super) struct Jobs(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Those whose end was read: they are removed when the run ends.
    read: Vec<(Arc<Target>, Arc<str>)>,
    /// Of those with `no_log`, what their files do not hold.
    hidden: HashMap<String, Hidden>,
}

/// What is not left on a host.
#[derive(Clone)]
pub(super) struct Hidden {
    pub(super) params: Map,
    pub(super) known: Map,
    pub(super) result: Option<Map>,
}

impl Jobs {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, target: &Arc<Target>, id: &str) {
        let read = &mut self.known().read;
        if !read.iter().any(|(_, known)| **known == *id) {
            read.push((target.clone(), id.into()));
        }
    }

    pub(super) fn hide(&self, id: String, call: &Call, result: Option<Map>) {
        let hidden = Hidden {
            params: call.params.clone(),
            known: call.known.clone(),
            result,
        };
        self.known().hidden.insert(id, hidden);
    }

    pub(super) fn hidden(&self, id: &str) -> Option<Hidden> {
        self.known().hidden.get(id).cloned()
    }

    pub(super) fn take_read(&self) -> Vec<(Arc<Target>, Arc<str>)> {
        std::mem::take(&mut self.known().read)
    }
}
