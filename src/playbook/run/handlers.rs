//! A play's handlers: which ones a notification means. They run in the order in which they are
//! defined. Of those with one name the one counts that was brought last: by the role that was brought
//! last, that is, while within one list the first one counts.

use std::collections::HashMap;
use std::sync::Arc;

use super::worker::Scope;
use crate::playbook::{Handler, Written};

/// A handler with what its role was included with.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) handler: Arc<Handler>,
    pub(super) scope: Option<Arc<Scope>>,
    name: Option<String>,
    /// Which list it stands in: that of the play, or of one use of a role.
    list: u32,
}

/// The handlers of a play, those of included roles last. They are known by their place.
#[derive(Debug, Default)]
pub(super) struct Handlers {
    entries: Vec<Entry>,
    /// What was asked for before.
    found: HashMap<String, Arc<[u32]>>,
}

impl Handlers {
    /// A handler more. One that is there already (its role is included again) takes the older one's
    /// place: a loop of includes must not grow the list.
    pub(super) fn add(&mut self, handler: &Arc<Handler>, scope: Option<&Arc<Scope>>) {
        self.found.clear();
        let role = |handler: &Handler| handler.task.role.as_ref().map(Arc::as_ptr);
        let list = match self.entries.last() {
            Some(last) if role(&last.handler) == role(handler) => last.list,
            Some(last) => last.list + 1,
            None => 0,
        };
        let entry = Entry {
            list,
            name: handler
                .task
                .name()
                .and_then(Written::constant)
                .map(str::to_owned),
            handler: handler.clone(),
            scope: scope.cloned(),
        };
        let same = |other: &&mut Entry| same(&other.handler, handler);
        match self.entries.iter_mut().find(same) {
            // Of what the play brings itself each one counts.
            Some(old) if scope.is_some() => *old = entry,
            _ => self.entries.push(entry),
        }
    }

    /// A handler by its place.
    pub(super) fn get(&self, place: u32) -> Option<&Entry> {
        self.entries.get(place as usize)
    }

    /// The handlers that a notification means. `render` gives a handler's name where it is a
    /// template; while it can't, the handler has none.
    pub(super) fn find(
        &mut self,
        notification: &str,
        render: impl Fn(&Entry) -> Option<String>,
    ) -> Arc<[u32]> {
        if let Some(found) = self.found.get(notification) {
            return found.clone();
        }
        let mut open = false;
        for entry in &mut self.entries {
            if entry.name.is_none() && entry.handler.task.name().is_some() {
                entry.name = render(entry);
                open |= entry.name.is_none();
            }
        }
        let found: Arc<[u32]> = self.look(notification).into();
        if !open {
            self.found.insert(notification.to_owned(), found.clone());
        }
        found
    }

    fn look(&self, notification: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let mut by_name = false;
        let mut names: Vec<&str> = Vec::new();
        let mut entries: Vec<(usize, &Entry)> = self.entries.iter().enumerate().collect();
        entries.sort_by_key(|(place, entry)| (std::cmp::Reverse(entry.list), *place));
        for (place, entry) in entries {
            let name = entry.name.as_deref();
            let named =
                !by_name && name.is_some_and(|name| entry.handler.answers(name, notification));
            by_name |= named;
            let listens = entry.handler.listens(notification)
                && name.is_none_or(|name| !names.contains(&name));
            if listens {
                names.extend(name);
            }
            if named || listens {
                found.push(u32::try_from(place).unwrap_or(u32::MAX));
            }
        }
        found.sort_unstable();
        found
    }
}

fn same(one: &Handler, other: &Handler) -> bool {
    let role = |handler: &Handler| handler.task.role.as_ref().map(|used| used.role.id);
    one.task.place() == other.task.place() && role(one) == role(other)
}
