//! Statements: what prints, what sets, what loops, and templates that use others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::cache;
use super::super::error::{Cause, Fail, TemplateError, fail};
use super::super::lower::Form;
use super::super::object::{LoopState, Object};
use super::super::python;
use super::super::syntax::{Expr, ForLoop, MacroDef, Program, Stmt, Target};
use super::super::val::Val;
use super::{Closure, Context, Eval, Frames, defined, locate, undefined};

/// The blocks of a template and of those it extends, the most special first.
pub(in super::super) type Blocks = Arc<HashMap<Arc<str>, Vec<(Arc<Program>, Arc<Vec<Stmt>>)>>>;

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Continue,
    Break,
}

impl<'r> Eval<'r> {
    pub(super) fn new(cx: Context<'r>, program: Arc<Program>, frames: Frames) -> Self {
        Self {
            cx,
            program,
            frames,
            blocks: Blocks::default(),
        }
    }

    /// Works on a whole template and those it extends.
    pub(super) fn run_template(&mut self, out: &mut Vec<Val>) -> Result<(), Fail> {
        self.frames.push();
        let mut blocks = HashMap::new();
        loop {
            let program = self.program.clone();
            for (name, body) in &program.blocks {
                let chain: &mut Vec<_> = blocks.entry(name.clone()).or_default();
                chain.push((program.clone(), body.clone()));
            }
            self.blocks = Arc::new(blocks.clone());
            let extends = program.body.iter().find_map(|stmt| match stmt {
                Stmt::Extends(name) => Some(name),
                _ => None,
            });
            let Some(parent) = extends else {
                return self.body(&program.body, out).map(|_| ());
            };
            // What the child prints outside of its blocks is not printed.
            for stmt in &program.body {
                if !matches!(stmt, Stmt::Extends(_) | Stmt::Block(..)) {
                    self.stmt(stmt, &mut Vec::new())?;
                }
            }
            let name = self.text(parent)?;
            let Some(next) = self.load(&name)? else {
                return Err(self.missing(&[name], parent));
            };
            if blocks.values().any(|chain| chain.len() > 20) {
                return fail("templates extend each other without end");
            }
            self.cx.run.steps(1000)?;
            self.program = next;
        }
    }

    fn load(&self, name: &str) -> Result<Option<Arc<Program>>, Fail> {
        let found = self.cx.scope.template(name);
        let Some((_, text)) = found.map_err(super::super::error::failure)? else {
            return Ok(None);
        };
        cache::program(&text, &Form::File(self.program.options.clone()))
            .map(Some)
            .map_err(|mut error| {
                error.place = None;
                error.origin = Some(format!("template `{name}`"));
                error
            })
    }

    fn missing(&self, names: &[Arc<str>], expr: &Expr) -> Fail {
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let mut error = TemplateError::new(
            Cause::Other,
            format!("template not found: {}", names.join(", ")),
        );
        locate(&mut error, &self.program, Some(expr.span));
        Box::new(error)
    }

    pub(super) fn body(&mut self, stmts: &[Stmt], out: &mut Vec<Val>) -> Result<Flow, Fail> {
        for stmt in stmts {
            let flow = self.stmt(stmt, out)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    /// What statements print, as text.
    pub(super) fn captured(&mut self, stmts: &[Stmt]) -> Result<Val, Fail> {
        let mut out = Vec::new();
        self.body(stmts, &mut out)?;
        python::captured(&self.cx, out)
    }

    fn text(&mut self, expr: &Expr) -> Result<Arc<str>, Fail> {
        let value = defined(self.expr(expr)?)?;
        match value {
            Val::Str(text) => Ok(text),
            other => fail(format!("a name is text, not {}", other.type_name())),
        }
    }

    fn stmt(&mut self, stmt: &Stmt, out: &mut Vec<Val>) -> Result<Flow, Fail> {
        self.cx.run.steps(1)?;
        match stmt {
            Stmt::Text(text) => out.push(text.clone()),
            Stmt::Emit(expr) => self.emit(expr, out)?,
            Stmt::For(inner) => return self.for_loop(inner, out),
            Stmt::If(test, yes, no) => {
                let branch = if self.truth(test)? { yes } else { no };
                return self.body(branch, out);
            }
            Stmt::With(assignments, body) => {
                let values = assignments
                    .iter()
                    .map(|(target, value)| Ok((target, self.expr(value)?)));
                let values: Vec<_> = values.collect::<Result<_, Fail>>()?;
                return self.framed(|eval| {
                    for (target, value) in values {
                        eval.assign(target, value)?;
                    }
                    eval.body(body, out)
                });
            }
            Stmt::Set(target, value) => {
                let value = self.expr(value)?;
                self.assign(target, value)?;
            }
            Stmt::SetBlock(target, filter, body) => {
                let mut value = self.framed(|eval| eval.captured(body))?;
                if let Some(filter) = filter {
                    value = self.filtered(filter, value)?;
                }
                self.assign(target, value)?;
            }
            Stmt::FilterBlock(filter, body) => {
                let value = self.framed(|eval| eval.captured(body))?;
                let value = self.filtered(filter, value)?;
                out.push(defined(value)?);
            }
            Stmt::Group(body) => return self.body(body, out),
            Stmt::Block(name, required) => self.block(name, *required, out)?,
            Stmt::Import(from, target) => {
                let module = Val::Object(Arc::new(Object::Module(
                    self.import(from)?.into_iter().collect(),
                )));
                self.assign(target, module)?;
            }
            Stmt::FromImport(from, names) => {
                let members: HashMap<_, _> = self.import(from)?.into_iter().collect();
                for (name, alias) in names {
                    let value = members.get(name).cloned().unwrap_or_else(|| {
                        Val::undefined(format!("the imported template has no `{name}`"))
                    });
                    self.frames.set(alias.clone(), value);
                }
            }
            Stmt::Extends(_) => return fail("`extends` stands at a template's top only"),
            Stmt::Include(name, ignore) => self.include(name, *ignore, out)?,
            Stmt::Macro(def) => {
                let closure = self.closure(def);
                self.frames.set(
                    def.name.clone(),
                    Val::Object(Arc::new(Object::Macro(closure))),
                );
            }
            Stmt::CallBlock(call, def) => {
                let caller = Val::Object(Arc::new(Object::Macro(self.closure(def))));
                let value = self.call_with(call, Some(caller))?;
                out.push(defined(value)?);
            }
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Do(expr) => _ = self.expr(expr)?,
        }
        Ok(Flow::On)
    }

    fn emit(&mut self, expr: &Expr, out: &mut Vec<Val>) -> Result<(), Fail> {
        let value = self.expr(expr)?;
        if let Val::Undefined(why) = &value
            && !why.lenient
        {
            let mut error = undefined(why);
            locate(&mut error, &self.program, Some(expr.span));
            return Err(error);
        }
        // What is printed is printed as it is now, though it may change later.
        if matches!(
            value,
            Val::List(_) | Val::Dict(_) | Val::Tuple(_) | Val::Lazy(_)
        ) {
            let settled = self.cx.settle(&value)?;
            if let Some(why) = python::undefined_within(&settled) {
                let mut error = undefined(&why);
                locate(&mut error, &self.program, Some(expr.span));
                return Err(error);
            }
            out.push(python::finalized(&settled));
        } else {
            out.push(value);
        }
        Ok(())
    }

    fn closure(&self, def: &Arc<MacroDef>) -> Closure {
        self.cx.run.keep(&self.frames);
        Closure {
            def: def.clone(),
            program: self.program.clone(),
            frames: self.frames.clone(),
            blocks: self.blocks.clone(),
        }
    }

    /// Does something with a frame of its own.
    pub(super) fn framed<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        self.frames.push();
        let result = work(self);
        self.frames.pop();
        result
    }

    fn assign(&mut self, target: &Target, value: Val) -> Result<(), Fail> {
        match target {
            Target::Name(name) => self.frames.set(name.clone(), value),
            Target::Attr(name, attr) => match self.frames.get(name) {
                Some(Val::Object(object)) => match &*object {
                    Object::Namespace(members) => {
                        if value.depth() > super::NESTING_MAX {
                            return fail("the value nests too deep");
                        }
                        if let Ok(mut members) = members.lock() {
                            members.insert(attr.clone(), value);
                        }
                    }
                    _ => return fail("cannot assign attribute on non-namespace object"),
                },
                _ => return fail("cannot assign attribute on non-namespace object"),
            },
            Target::Unpack(targets) => {
                let items = self.cx.items(&defined(value)?)?;
                if items.len() != targets.len() {
                    return fail(match items.len().cmp(&targets.len()) {
                        std::cmp::Ordering::Less => format!(
                            "not enough values to unpack (expected {}, got {})",
                            targets.len(),
                            items.len()
                        ),
                        _ => format!("too many values to unpack (expected {})", targets.len()),
                    });
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item)?;
                }
            }
        }
        Ok(())
    }

    fn for_loop(&mut self, inner: &Arc<ForLoop>, out: &mut Vec<Val>) -> Result<Flow, Fail> {
        let over = self.expr(&inner.iter)?;
        let over = defined(over).map_err(|mut error| {
            locate(&mut error, &self.program, Some(inner.iter.span));
            error
        })?;
        let items = self.cx.items(&over)?;
        self.loop_over(inner, items, 1, out)?;
        Ok(Flow::On)
    }

    /// The loop over these items; `depth` counts the turns of a recursive one.
    pub(super) fn loop_over(
        &mut self,
        inner: &Arc<ForLoop>,
        items: Vec<Val>,
        depth: usize,
        out: &mut Vec<Val>,
    ) -> Result<(), Fail> {
        let items = match &inner.filter {
            None => items,
            Some(filter) => {
                let mut kept = Vec::new();
                for item in items {
                    let wanted = self.framed(|eval| {
                        eval.assign(&inner.target, item.clone())?;
                        eval.truth(filter)
                    })?;
                    if wanted {
                        kept.push(item);
                    }
                }
                kept
            }
        };
        if items.is_empty() {
            return self
                .framed(|eval| eval.body(&inner.otherwise, out))
                .map(|_| ());
        }
        let again = inner.recursive.then(|| {
            self.cx.run.keep(&self.frames);
            (inner.clone(), self.frames.clone())
        });
        let state = Arc::new(Object::Loop(LoopState {
            at: AtomicUsize::new(0),
            items: items.clone(),
            depth,
            last_changed: Mutex::new(None),
            again,
        }));
        for (at, item) in items.into_iter().enumerate() {
            self.cx.run.steps(1)?;
            if let Object::Loop(state) = &*state {
                state.at.store(at, Ordering::Relaxed);
            }
            let flow = self.framed(|eval| {
                eval.frames
                    .set(Arc::from("loop"), Val::Object(state.clone()));
                eval.assign(&inner.target, item)?;
                eval.body(&inner.body, out)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn block(&mut self, name: &Arc<str>, required: bool, out: &mut Vec<Val>) -> Result<(), Fail> {
        let special = self.blocks.get(name).map_or(0, Vec::len);
        if required && special < 2 {
            return fail(format!("Required block '{name}' not found"));
        }
        self.block_at(name, 0, out)
    }

    /// The block of that name, so many steps up from the most special one.
    pub(super) fn block_at(
        &mut self,
        name: &Arc<str>,
        up: usize,
        out: &mut Vec<Val>,
    ) -> Result<(), Fail> {
        let found = self
            .blocks
            .get(name)
            .and_then(|chain| chain.get(up))
            .cloned();
        let Some((program, body)) = found else {
            return fail(format!("there is no parent block called '{name}'."));
        };
        let before = std::mem::replace(&mut self.program, program);
        let run = self.cx.run;
        let result = run.deeper(|| {
            self.framed(|eval| {
                let above = Object::Super(name.clone(), up + 1);
                eval.frames
                    .set(Arc::from("super"), Val::Object(Arc::new(above)));
                eval.body(&body, out)
            })
        });
        self.program = before;
        result.map(|_| ())
    }

    fn import(&mut self, from: &Expr) -> Result<Vec<(Arc<str>, Val)>, Fail> {
        let name = self.text(from)?;
        let Some(program) = self.load(&name)? else {
            return Err(self.missing(&[name], from));
        };
        self.used(&name, program, &mut Vec::new())
    }

    /// Works on another template in this one's sight; gives what it has set.
    fn used(
        &mut self,
        name: &str,
        program: Arc<Program>,
        out: &mut Vec<Val>,
    ) -> Result<Vec<(Arc<str>, Val)>, Fail> {
        let mut other = Eval::new(self.cx, program, self.frames.clone());
        let run = self.cx.run;
        let result = run.deeper(|| other.run_template(out));
        result.map_err(|mut error| {
            error.place = None;
            if error.origin.is_none() {
                error.origin = Some(format!("template `{name}`"));
            }
            error
        })?;
        Ok(other.frames.exported())
    }

    fn include(&mut self, expr: &Expr, ignore: bool, out: &mut Vec<Val>) -> Result<(), Fail> {
        let named = defined(self.expr(expr)?)?;
        let names = match &named {
            Val::Str(name) => vec![name.clone()],
            other => {
                let items = self.cx.items(other)?;
                items
                    .iter()
                    .filter_map(|item| item.as_str().map(Arc::from))
                    .collect()
            }
        };
        for name in &names {
            if let Some(program) = self.load(name)? {
                return self.used(name, program, out).map(|_| ());
            }
        }
        if ignore {
            return Ok(());
        }
        Err(self.missing(&names, expr))
    }
}
