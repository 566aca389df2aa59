//! Calls: functions, methods, macros; filters and tests with their arguments.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::args::{Args, Keywords};
use super::super::error::{Fail, fail};
use super::super::filters::Filter;
use super::super::names;
use super::super::object::Object;
use super::super::python;
use super::super::syntax::{Arg, Expr, ExprKind};
use super::super::tests::Test;
use super::super::val::Val;
use super::{Closure, Context, Eval, defined, locate};

impl Eval<'_> {
    pub(super) fn apply_filter(
        &mut self,
        filter: &'static Filter,
        input: Val,
        args: &[Arg],
    ) -> Result<Val, Fail> {
        let (mut positional, keywords) = self.arguments(args)?;
        positional.insert(0, input);
        self.cx.filter(filter, positional, keywords)
    }

    pub(super) fn apply_test(
        &mut self,
        test: &'static Test,
        input: Val,
        args: &[Arg],
    ) -> Result<Val, Fail> {
        let (mut positional, keywords) = self.arguments(args)?;
        positional.insert(0, input);
        self.cx.test(test, positional, keywords)
    }

    /// The filters of a block, over what it printed.
    pub(super) fn filtered(&mut self, expr: &Expr, value: Val) -> Result<Val, Fail> {
        match &expr.kind {
            ExprKind::Filter(filter, input, args) => {
                let value = match input {
                    Some(input) => self.filtered(input, value)?,
                    None => value,
                };
                self.apply_filter(filter, value, args).map_err(|mut error| {
                    locate(&mut error, &self.program, Some(expr.span));
                    error
                })
            }
            _ => fail("a block is filtered by filters only"),
        }
    }

    fn arguments(&mut self, args: &[Arg]) -> Result<(Vec<Val>, Keywords), Fail> {
        let mut positional = Vec::with_capacity(args.len() + 1);
        let mut keywords = Vec::new();
        for arg in args {
            match arg {
                Arg::Positional(expr) => positional.push(self.expr(expr)?),
                Arg::Keyword(name, expr) => keywords.push((name.clone(), self.expr(expr)?)),
                Arg::Splat(expr) => {
                    let value = self.defined(expr)?;
                    positional.extend(self.cx.items(&value)?);
                }
                Arg::KeywordSplat(expr) => {
                    let value = self.defined(expr)?;
                    for (key, value) in self.cx.entries(&value)? {
                        match key.as_str() {
                            Some(name) => keywords.push((Arc::from(name), value)),
                            None => return fail("keywords must be strings"),
                        }
                    }
                }
            }
        }
        Ok((positional, keywords))
    }

    /// A call; the block of a `{% call %}` is its `caller`.
    pub(super) fn call_with(&mut self, expr: &Expr, caller: Option<Val>) -> Result<Val, Fail> {
        let ExprKind::Call(callee, args) = &expr.kind else {
            return fail("this is no call");
        };
        let callee = self.expr(callee)?;
        if callee.is_undefined() {
            return Ok(callee);
        }
        let (positional, mut keywords) = self.arguments(args)?;
        if let Some(caller) = caller {
            keywords.push((Arc::from("caller"), caller));
        }
        self.call(&callee, positional, keywords)
    }

    fn call(
        &mut self,
        callee: &Val,
        positional: Vec<Val>,
        keywords: Keywords,
    ) -> Result<Val, Fail> {
        let Val::Object(object) = callee else {
            return fail(format!("'{}' object is not callable", callee.type_name()));
        };
        match &**object {
            Object::Macro(closure) => self.call_macro(closure, positional, keywords),
            Object::Super(name, up) => {
                let mut out = Vec::new();
                self.block_at(name, *up, &mut out)?;
                python::captured(&self.cx, out)
            }
            Object::Loop(state) => {
                let Some((inner, frames)) = &state.again else {
                    return fail(
                        "The loop must have the 'recursive' marker to be called recursively.",
                    );
                };
                let items = match positional.first() {
                    Some(over) => self.cx.items(&defined(over.clone())?)?,
                    None => return fail("a recursive loop needs what to go through"),
                };
                let mut inside = Eval {
                    cx: self.cx,
                    program: self.program.clone(),
                    frames: frames.clone(),
                    blocks: self.blocks.clone(),
                };
                let mut out = Vec::new();
                let run = self.cx.run;
                run.deeper(|| inside.loop_over(inner, items, state.depth + 1, &mut out))?;
                python::captured(&self.cx, out)
            }
            Object::Joiner { text, used } => Ok(if used.swap(true, Ordering::Relaxed) {
                text.clone()
            } else {
                Val::str("")
            }),
            Object::Function(function) => self
                .cx
                .bound(
                    function.name,
                    function.params,
                    function.tolerant,
                    positional,
                    keywords,
                )?
                .either(function.run),
            Object::Method(receiver, name) => {
                if let Some(found) = [receiver]
                    .into_iter()
                    .chain(&positional)
                    .find(|v| v.is_undefined())
                {
                    return Ok(found.clone());
                }
                python::call_method(&self.cx, receiver, name, positional, keywords)
            }
            _ => fail(format!("'{}' object is not callable", callee.type_name())),
        }
    }

    fn call_macro(
        &mut self,
        closure: &Closure,
        positional: Vec<Val>,
        keywords: Keywords,
    ) -> Result<Val, Fail> {
        let def = &closure.def;
        let mut inside = Eval {
            cx: self.cx,
            program: closure.program.clone(),
            frames: closure.frames.clone(),
            blocks: closure.blocks.clone(),
        };
        inside.frames.push();
        let mut given = positional.into_iter();
        let mut keywords: indexmap::IndexMap<Arc<str>, Val> = keywords.into_iter().collect();
        let first_default = def.params.len().saturating_sub(def.defaults.len());
        for (at, param) in def.params.iter().enumerate() {
            let value = match given.next() {
                Some(value) => value,
                None => match keywords.shift_remove(param) {
                    Some(value) => value,
                    None => match at
                        .checked_sub(first_default)
                        .and_then(|at| def.defaults.get(at))
                    {
                        Some(default) => inside.expr(default)?,
                        None => Val::undefined(format!("parameter '{param}' was not provided")),
                    },
                },
            };
            inside.frames.set(param.clone(), value);
        }
        if let Some(caller) = keywords.shift_remove("caller") {
            inside.frames.set(Arc::from("caller"), caller);
        }
        inside
            .frames
            .set(Arc::from("varargs"), Val::tuple(given.collect()));
        let rest = keywords
            .into_iter()
            .map(|(name, value)| (super::super::val::Key(Val::Str(name)), value));
        inside
            .frames
            .set(Arc::from("kwargs"), Val::dict(rest.collect()));
        let run = self.cx.run;
        let out = run.deeper(|| inside.captured(&def.body));
        out.map_err(|mut error| {
            if !Arc::ptr_eq(&closure.program, &self.program) {
                error.place = None;
            }
            error
        })
    }
}

/// Arguments in their places, or the undefined one that decides the result.
pub(in super::super) enum Bound<'r> {
    Ready(Args<'r>),
    Undefined(Val),
}

impl<'r> Bound<'r> {
    pub(in super::super) fn either(
        self,
        run: fn(&Args<'r>) -> Result<Val, Fail>,
    ) -> Result<Val, Fail> {
        match self {
            Self::Ready(args) => run(&args),
            Self::Undefined(value) => Ok(value),
        }
    }
}

impl<'r> Context<'r> {
    /// A filter's result. What is undefined passes through, so that `default` may follow.
    pub(in super::super) fn filter(
        &self,
        filter: &'static Filter,
        mut positional: Vec<Val>,
        mut keywords: Keywords,
    ) -> Result<Val, Fail> {
        if filter.settles {
            self.settle_all(&mut positional, &mut keywords)?;
        }
        self.bound(
            filter.name,
            filter.params,
            filter.tolerant,
            positional,
            keywords,
        )?
        .either(filter.run)
        .map_err(|error| named(error, "filter", filter.name))
    }

    /// A test's result.
    pub(in super::super) fn test(
        &self,
        test: &'static Test,
        mut positional: Vec<Val>,
        mut keywords: Keywords,
    ) -> Result<Val, Fail> {
        if !test.tolerant {
            self.settle_all(&mut positional, &mut keywords)?;
        }
        let bound = self.bound(test.name, test.params, test.tolerant, positional, keywords)?;
        match bound {
            Bound::Ready(args) => (test.run)(&args)
                .map(Val::Bool)
                .map_err(|error| named(error, "test", test.name)),
            Bound::Undefined(value) => Ok(value),
        }
    }

    fn settle_all(&self, positional: &mut [Val], keywords: &mut Keywords) -> Result<(), Fail> {
        for value in positional {
            *value = self.settle(value)?;
        }
        for (_, value) in keywords {
            *value = self.settle(value)?;
        }
        Ok(())
    }

    pub(in super::super) fn bound(
        self,
        name: &'static str,
        params: &'static str,
        tolerant: bool,
        positional: Vec<Val>,
        keywords: Keywords,
    ) -> Result<Bound<'r>, Fail> {
        if !tolerant {
            let named = keywords.iter().map(|(_, value)| value);
            if let Some(found) = positional.iter().chain(named).find(|v| v.is_undefined()) {
                return Ok(Bound::Undefined(found.clone()));
            }
        }
        Args::bind(self, name, params, positional, keywords).map(Bound::Ready)
    }

    /// A filter by name, as `map('upper')` calls it.
    pub(in super::super) fn filter_named(
        &self,
        name: &str,
        positional: Vec<Val>,
        keywords: Keywords,
    ) -> Result<Val, Fail> {
        match names::filter(name) {
            Some(filter) => self.filter(filter, positional, keywords),
            None => fail(format!("No filter named '{name}'.")),
        }
    }

    /// A test by name, as `select('match', ...)` calls it.
    pub(in super::super) fn test_named(
        &self,
        name: &str,
        positional: Vec<Val>,
    ) -> Result<bool, Fail> {
        match names::test(name) {
            Some(test) => {
                let result = self.test(test, positional, Vec::new())?;
                Ok(python::truth(&defined(result)?))
            }
            None => fail(format!("No test named '{name}'.")),
        }
    }

    /// Keys and values of a mapping, values as they are.
    pub(in super::super) fn entries(&self, value: &Val) -> Result<Vec<(Val, Val)>, Fail> {
        match value {
            Val::Dict(dict) => {
                let entries: Vec<(Val, Val)> = dict
                    .read()
                    .iter()
                    .map(|(key, value)| (key.0.clone(), value.clone()))
                    .collect();
                self.run.steps(entries.len() as u64)?;
                entries
                    .into_iter()
                    .map(|(key, value)| Ok((key, self.force(&value)?)))
                    .collect()
            }
            Val::Lazy(map) => {
                let mut entries = Vec::new();
                for key in map.keys() {
                    self.run.steps(1)?;
                    if let Some(value) = self.lazy_member(map, &key)? {
                        entries.push((Val::Str(key), value));
                    }
                }
                Ok(entries)
            }
            other => fail(format!("a mapping is needed, not {}", other.type_name())),
        }
    }
}

/// Says which plugin failed, as Ansible does.
fn named(mut error: Fail, kind: &str, name: &str) -> Fail {
    use super::super::error::Cause;
    if error.cause == Cause::Other && !error.message.contains(" plugin '") {
        error.message = format!(
            "The {kind} plugin 'ansible.builtin.{name}' failed: {}",
            error.message
        );
    }
    error
}
