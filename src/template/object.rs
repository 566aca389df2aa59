//! Values that are neither data nor text: macros, methods, the loop, moments in time.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use indexmap::IndexMap;
use jiff::{SignedDuration, civil, tz};

use super::eval::{Closure, Frames};
use super::functions::Function;
use super::syntax::ForLoop;
use super::val::Val;

/// One such value.
pub(super) enum Object {
    /// `namespace(...)`: its members may be set within loops.
    Namespace(Mutex<IndexMap<Arc<str>, Val>>),
    /// What `{% import %}` gives.
    Module(IndexMap<Arc<str>, Val>),
    /// `loop`.
    Loop(LoopState),
    /// `cycler(...)`.
    Cycler { items: Vec<Val>, at: AtomicUsize },
    /// `joiner(...)`.
    Joiner { text: Val, used: AtomicBool },
    /// A method of a value: `x.upper`.
    Method(Val, Arc<str>),
    /// A function of ours.
    Function(&'static Function),
    /// A macro, or the block of a `{% call %}`.
    Macro(Closure),
    /// `super` of a block: the block's name and how far up.
    Super(Arc<str>, usize),
    /// `self` of a template.
    Blocks,
    /// A date with a time, and its zone where it has one.
    Moment(civil::DateTime, Option<tz::Offset>),
    /// What lies between two.
    Span(SignedDuration),
}

/// Where a loop stands.
pub(super) struct LoopState {
    pub(super) at: AtomicUsize,
    pub(super) items: Vec<Val>,
    pub(super) depth: usize,
    pub(super) last_changed: Mutex<Option<Vec<Val>>>,
    /// The loop itself, where it is `recursive`.
    pub(super) again: Option<(Arc<ForLoop>, Frames)>,
}

impl Object {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Namespace(_) => "Namespace",
            Self::Module(_) => "TemplateModule",
            Self::Loop(_) => "LoopContext",
            Self::Cycler { .. } => "Cycler",
            Self::Joiner { .. } => "Joiner",
            Self::Method(..) => "builtin_function_or_method",
            Self::Function(_) | Self::Super(..) => "function",
            Self::Macro(_) => "Macro",
            Self::Blocks => "TemplateReference",
            Self::Moment(..) => "datetime",
            Self::Span(_) => "timedelta",
        }
    }
}
