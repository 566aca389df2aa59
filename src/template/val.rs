//! Values while a template is worked on: Python's, with what Ansible adds (undefined, omit) and
//! members that are rendered when they are touched.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use indexmap::{Equivalent, IndexMap};

use super::error::Fail;
use super::object::Object;
use super::scope::{LazyMap, Scope};
use crate::base::value::Value;

/// A value.
#[derive(Clone)]
pub(super) enum Val {
    /// Nothing of that name; an error once it is used.
    Undefined(Arc<Undef>),
    None,
    /// The parameter is to be left out.
    Omit,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    List(Arc<List>),
    Tuple(Arc<[Val]>),
    Dict(Arc<Dict>),
    /// A mapping of the scope's, looked into as needed.
    Lazy(Arc<dyn LazyMap>),
    /// A value not rendered yet; never seen by filters, which get settled values.
    Thunk(Arc<Thunk>),
    Object(Arc<Object>),
}

/// Why there is nothing.
#[derive(Debug)]
pub(super) struct Undef {
    /// `'foo' is undefined`.
    pub(super) message: String,
    /// Whether it prints as nothing: an inline `if` without `else`.
    pub(super) lenient: bool,
    /// Where a variable's own template names it.
    pub(super) origin: Option<Box<(String, String)>>,
}

/// A value as written, to be rendered in its scope.
pub(super) struct Thunk {
    pub(super) value: Value,
    pub(super) scope: Arc<dyn Scope>,
    pub(super) origin: Arc<str>,
    pub(super) done: OnceLock<Result<Val, Fail>>,
}

/// A list, shared and changeable as Python's.
pub(super) struct List {
    items: RwLock<Vec<Val>>,
    depth: AtomicU32,
}

/// A mapping, shared and changeable as Python's.
pub(super) struct Dict {
    entries: RwLock<IndexMap<Key, Val>>,
    depth: AtomicU32,
}

/// What may be a key of a mapping.
#[derive(Clone)]
pub(super) struct Key(pub(super) Val);

impl Val {
    pub(super) fn str(text: impl AsRef<str>) -> Self {
        Self::Str(Arc::from(text.as_ref()))
    }

    pub(super) fn list(items: Vec<Val>) -> Self {
        Self::List(Arc::new(List::new(items)))
    }

    pub(super) fn tuple(items: Vec<Val>) -> Self {
        Self::Tuple(Arc::from(items))
    }

    pub(super) fn dict(entries: IndexMap<Key, Val>) -> Self {
        Self::Dict(Arc::new(Dict::new(entries)))
    }

    /// A mapping with text for keys.
    pub(super) fn record<'a>(entries: impl IntoIterator<Item = (&'a str, Val)>) -> Self {
        Self::dict(
            entries
                .into_iter()
                .map(|(key, value)| (Key::from(key), value))
                .collect(),
        )
    }

    pub(super) fn undefined(message: impl Into<String>) -> Self {
        Self::Undefined(Arc::new(Undef {
            message: message.into(),
            lenient: false,
            origin: None,
        }))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Python's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Omit => "Omit",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) | Self::Lazy(_) => "dict",
            Self::Thunk(_) => "template",
            Self::Object(object) => object.type_name(),
        }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self, Self::Dict(_) | Self::Lazy(_))
    }

    /// How many lists and mappings lie in each other.
    pub(super) fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth.load(Ordering::Relaxed),
            Self::Dict(dict) => dict.depth.load(Ordering::Relaxed),
            Self::Tuple(items) => depth_of(items.iter()),
            _ => 0,
        }
    }

    pub(super) fn is_sequence(&self) -> bool {
        matches!(self, Self::List(_) | Self::Tuple(_))
    }
}

fn depth_of<'a>(members: impl Iterator<Item = &'a Val>) -> u32 {
    1 + members.map(Val::depth).max().unwrap_or(0)
}

impl From<bool> for Val {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Str(Arc::from(text))
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<usize> for Val {
    fn from(number: usize) -> Self {
        Self::Int(i128::try_from(number).unwrap_or(i128::MAX))
    }
}

impl From<i64> for Val {
    fn from(number: i64) -> Self {
        Self::Int(i128::from(number))
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::python::repr(self))
    }
}

impl List {
    pub(super) fn new(items: Vec<Val>) -> Self {
        Self {
            depth: AtomicU32::new(depth_of(items.iter())),
            items: RwLock::new(items),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<Val>> {
        self.items.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Vec<Val>> {
        self.items.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a value was put in; what goes deeper than this is refused by who puts it in.
    pub(super) fn deepen(&self, by: &Val) {
        self.depth.fetch_max(by.depth() + 1, Ordering::Relaxed);
    }
}

impl Dict {
    pub(super) fn new(entries: IndexMap<Key, Val>) -> Self {
        Self {
            depth: AtomicU32::new(depth_of(entries.values())),
            entries: RwLock::new(entries),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, IndexMap<Key, Val>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, IndexMap<Key, Val>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// As of a list.
    pub(super) fn deepen(&self, by: &Val) {
        self.depth.fetch_max(by.depth() + 1, Ordering::Relaxed);
    }

    /// A member; a number also finds the key that YAML kept as its text.
    pub(super) fn get(&self, key: &Val) -> Option<Val> {
        let entries = self.read();
        match key {
            Val::Str(text) => entries.get::<str>(text).cloned(),
            Val::Int(number) => entries
                .get(&Key(key.clone()))
                .or_else(|| entries.get::<str>(&number.to_string()))
                .cloned(),
            other => entries.get(&Key(other.clone())).cloned(),
        }
    }

    pub(super) fn get_str(&self, key: &str) -> Option<Val> {
        self.read().get::<str>(key).cloned()
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(Val::str(text))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            // As a bare `str` does, so that one can be looked up by it.
            Val::Str(text) => str::hash(text, state),
            Val::Bool(yes) => i128::from(*yes).hash(state),
            Val::Int(number) => number.hash(state),
            Val::Float(number) => {
                // Equal numbers are the same key, whatever their kind.
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "only a hash: keys are compared too"
                )]
                (*number as i128).hash(state);
            }
            Val::Tuple(items) => items.len().hash(state),
            _ => 0_u8.hash(state),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        super::python::equal(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(&key.0, Val::Str(text) if &**text == self)
    }
}
