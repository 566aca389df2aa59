//! Working on a template: the tree is walked, with Python's meaning, within bounds.

mod call;
mod expr;
mod scope;
mod stmt;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) use scope::{Closure, Frames};
pub(super) use stmt::Blocks;

use super::cache;
use super::convert;
use super::error::{Cause, Fail, TemplateError, TextPlace, fail};
use super::lower::Form;
use super::python;
use super::scope::{LazyItem, LazyMap, Scope};
use super::syntax::{Program, Span};
use super::val::{Key, Thunk, Undef, Val};

/// Steps a template may take, with those of the variables it names.
const STEPS: u64 = 4_000_000;
/// Bytes that it may make.
const MEMORY: u64 = 256 << 20;
/// How deep variables may lead to variables.
const VARIABLES_MAX: usize = 20;
/// How deep macros, includes and expressions may nest.
const DEPTH_MAX: usize = 220;
/// How deep lists may lie in lists.
pub(super) const NESTING_MAX: u32 = 100;

type Known = HashMap<(usize, Arc<str>), (Arc<dyn Scope>, Val)>;

/// One rendering: what is left of its bounds, and what it has found out.
pub(super) struct Run {
    steps: Cell<u64>,
    memory: Cell<u64>,
    secret: Cell<bool>,
    depth: Cell<usize>,
    variables: Cell<usize>,
    /// Variables by scope, which is kept so that its address stays its own.
    known: RefCell<Known>,
    kept: RefCell<Vec<Frames>>,
}

impl Drop for Run {
    fn drop(&mut self) {
        for frames in self.kept.take() {
            frames.clear();
        }
    }
}

/// What filters, tests, functions and lookups work with.
#[derive(Clone, Copy)]
pub(super) struct Context<'r> {
    pub(super) run: &'r Run,
    pub(super) scope: &'r Arc<dyn Scope>,
}

/// The state of one template that is worked on.
pub(super) struct Eval<'r> {
    pub(super) cx: Context<'r>,
    program: Arc<Program>,
    frames: Frames,
    blocks: Blocks,
}

impl Run {
    pub(super) fn new() -> Self {
        Self {
            steps: Cell::new(STEPS),
            memory: Cell::new(MEMORY),
            secret: Cell::new(false),
            depth: Cell::new(0),
            variables: Cell::new(0),
            known: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secret.get()
    }

    pub(super) fn mark_secret(&self) {
        self.secret.set(true);
    }

    /// Takes steps.
    pub(super) fn steps(&self, count: u64) -> Result<(), Fail> {
        match self.steps.get().checked_sub(count) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => fail("the template takes too many steps"),
        }
    }

    /// Takes memory, before it is used.
    pub(super) fn memory(&self, bytes: usize) -> Result<(), Fail> {
        match self.memory.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.memory.set(left);
                Ok(())
            }
            None => fail("the template makes too large a value"),
        }
    }

    /// Remembers frames that a macro holds on to, to forget them at the end.
    fn keep(&self, frames: &Frames) {
        self.kept.borrow_mut().push(frames.clone());
    }

    /// Does something one level deeper.
    pub(super) fn deeper<T>(&self, work: impl FnOnce() -> Result<T, Fail>) -> Result<T, Fail> {
        let depth = self.depth.get();
        if depth >= DEPTH_MAX {
            return fail("the template nests too deep");
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }
}

impl Context<'_> {
    /// The members of what can be gone through, each rendered but not its own members.
    pub(super) fn items(&self, value: &Val) -> Result<Vec<Val>, Fail> {
        let items = python::items(value)?;
        self.run.steps(items.len() as u64)?;
        items.iter().map(|item| self.force(item)).collect()
    }

    /// Renders a text in this scope.
    pub(super) fn template(&self, text: &Arc<str>, form: &Form) -> Result<Val, Fail> {
        self.template_with(text, form, Vec::new())
    }

    /// The same with these names set.
    pub(super) fn template_with(
        &self,
        text: &Arc<str>,
        form: &Form,
        names: Vec<(Arc<str>, Val)>,
    ) -> Result<Val, Fail> {
        let program = cache::program(text, form)?;
        let mut frames = Frames::default();
        if !names.is_empty() {
            frames.push();
            names
                .into_iter()
                .for_each(|(name, value)| frames.set(name, value));
        }
        let mut eval = Eval::new(*self, program.clone(), frames);
        let mut out = Vec::new();
        let value = eval
            .run_template(&mut out)
            .and_then(|()| python::concatenate(self, out, form, text));
        value.map_err(|mut error| {
            locate(&mut error, &program, None);
            error
        })
    }

    /// A variable; `None` when nobody set it.
    pub(super) fn variable(&self, name: &Arc<str>) -> Result<Option<Val>, Fail> {
        let at = (Arc::as_ptr(self.scope).cast::<()>() as usize, name.clone());
        if let Some((_, known)) = self.run.known.borrow().get(&at) {
            return Ok(Some(known.clone()));
        }
        let value = if let Some(map) = self.scope.lazy(name) {
            Val::Lazy(map)
        } else {
            let found = self.scope.lookup(name).map_err(super::error::failure)?;
            let Some(found) = found else { return Ok(None) };
            if found.secret {
                self.run.mark_secret();
            }
            let origin = format!("variable `{name}`, {}", found.origin);
            let value = convert::to_val(&found.value, self.scope, &Arc::from(origin));
            self.force(&value)?
        };
        let kept = (self.scope.clone(), value.clone());
        self.run.known.borrow_mut().insert(at, kept);
        Ok(Some(value))
    }

    /// A value that is not to be rendered any more, though its members may be.
    pub(super) fn force(&self, value: &Val) -> Result<Val, Fail> {
        match value {
            Val::Thunk(thunk) => {
                if let Some(done) = thunk.done.get() {
                    return done.clone();
                }
                let depth = self.run.variables.get();
                if depth >= VARIABLES_MAX {
                    return fail("variables refer to each other without end");
                }
                self.run.variables.set(depth + 1);
                let result = self.run.deeper(|| self.render_thunk(thunk));
                self.run.variables.set(depth);
                let _ = thunk.done.set(result.clone());
                result
            }
            other => Ok(other.clone()),
        }
    }

    fn render_thunk(&self, thunk: &Thunk) -> Result<Val, Fail> {
        use crate::base::value::Value;
        match &thunk.value {
            Value::Vault(text) => {
                self.run.mark_secret();
                let opened = thunk.scope.open(text).map_err(super::error::failure)?;
                Ok(Val::str(opened.expose()))
            }
            Value::String(text) => {
                let inner = Context {
                    run: self.run,
                    scope: &thunk.scope,
                };
                let origin = || Some(thunk.origin.to_string());
                match inner.template(text, &Form::Value) {
                    Err(error) if error.cause == Cause::Undefined => {
                        Ok(Val::Undefined(Arc::new(Undef {
                            message: error.message.clone(),
                            lenient: false,
                            origin: Some(Box::new((
                                error.expression.clone(),
                                error
                                    .origin
                                    .clone()
                                    .unwrap_or_else(|| thunk.origin.to_string()),
                            ))),
                        })))
                    }
                    Err(mut error) => {
                        error.place = None;
                        if error.origin.is_none() {
                            error.origin = origin();
                        }
                        Err(error)
                    }
                    Ok(value) => Ok(value),
                }
            }
            other => Ok(convert::to_val(other, &thunk.scope, &thunk.origin)),
        }
    }

    /// The value with all its members rendered. What is undefined among them stays so.
    pub(super) fn settle(&self, value: &Val) -> Result<Val, Fail> {
        self.settled(value, 0)
    }

    fn settled(&self, value: &Val, depth: u32) -> Result<Val, Fail> {
        if depth > NESTING_MAX * 2 {
            return fail("the value nests too deep");
        }
        match value {
            Val::Thunk(_) => {
                let forced = self.force(value)?;
                self.settled(&forced, depth + 1)
            }
            Val::List(list) => {
                let count = list.read().len();
                for at in 0..count {
                    let Some(item) = list.read().get(at).filter(|item| holds_more(item)).cloned()
                    else {
                        continue;
                    };
                    let settled = self.settled(&item, depth + 1)?;
                    if let (Val::Thunk(_) | Val::Lazy(_), Some(slot)) =
                        (&item, list.write().get_mut(at))
                    {
                        *slot = settled;
                    }
                }
                Ok(value.clone())
            }
            Val::Dict(dict) => {
                let count = dict.read().len();
                for at in 0..count {
                    let entry = dict.read().get_index(at).map(|(_, item)| item.clone());
                    let Some(item) = entry.filter(holds_more) else {
                        continue;
                    };
                    let settled = self.settled(&item, depth + 1)?;
                    if let (Val::Thunk(_) | Val::Lazy(_), Some((_, slot))) =
                        (&item, dict.write().get_index_mut(at))
                    {
                        *slot = settled;
                    }
                }
                Ok(value.clone())
            }
            Val::Tuple(items) if items.iter().any(holds_more) => Ok(Val::tuple(
                items
                    .iter()
                    .map(|item| self.settled(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            )),
            Val::Lazy(map) => self.all_of(map, depth),
            other => Ok(other.clone()),
        }
    }

    fn all_of(&self, map: &Arc<dyn LazyMap>, depth: u32) -> Result<Val, Fail> {
        let mut entries = indexmap::IndexMap::new();
        for key in map.keys() {
            self.run.steps(1)?;
            if let Some(item) = self.lazy_member(map, &key)? {
                entries.insert(Key(Val::Str(key)), self.settled(&item, depth + 1)?);
            }
        }
        Ok(Val::dict(entries))
    }

    /// A member of a mapping of the scope's.
    pub(super) fn lazy_member(
        &self,
        map: &Arc<dyn LazyMap>,
        key: &str,
    ) -> Result<Option<Val>, Fail> {
        let item = map.get(key).map_err(super::error::failure)?;
        Ok(match item {
            None => None,
            Some(LazyItem::Map(inner)) => Some(Val::Lazy(inner)),
            Some(LazyItem::Variable(found, scope)) => {
                if found.secret {
                    self.run.mark_secret();
                }
                let origin = Arc::from(format!("variable `{key}`, {}", found.origin));
                Some(self.force(&convert::to_val(&found.value, &scope, &origin))?)
            }
        })
    }
}

/// Whether there may be something to render in a value.
fn holds_more(value: &Val) -> bool {
    matches!(
        value,
        Val::Thunk(_) | Val::List(_) | Val::Dict(_) | Val::Tuple(_) | Val::Lazy(_)
    )
}

/// Says where in a text an error is; the innermost expression has the word.
fn locate(error: &mut TemplateError, program: &Program, span: Option<Span>) {
    let (Some(span), None) = (span, &error.place) else {
        return;
    };
    let source = &program.source;
    let start = source.floor_char_boundary((span.start as usize).min(source.len()));
    let end = source.floor_char_boundary((span.end as usize).min(source.len()));
    error.place = Some(TextPlace::of(source, start, end));
    if error.expression.is_empty() {
        source
            .get(start..end)
            .unwrap_or_default()
            .trim()
            .clone_into(&mut error.expression);
    }
}

/// The error of using what isn't there.
pub(super) fn undefined(why: &Undef) -> Fail {
    let mut error = TemplateError::new(Cause::Undefined, why.message.clone());
    if let Some(origin) = &why.origin {
        error.expression.clone_from(&origin.0);
        error.origin = Some(origin.1.clone());
    }
    Box::new(error)
}

/// The value, which must be there.
pub(super) fn defined(value: Val) -> Result<Val, Fail> {
    match value {
        Val::Undefined(why) => Err(undefined(&why)),
        other => Ok(other),
    }
}
