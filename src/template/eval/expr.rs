//! Expressions.

use std::sync::Arc;

use super::super::error::{Fail, fail};
use super::super::lower::Form;
use super::super::names;
use super::super::object::Object;
use super::super::python;
use super::super::syntax::{Comparison, Expr, ExprKind, Op};
use super::super::val::{Undef, Val};
use super::{Context, Eval, NESTING_MAX, defined, locate};

impl Eval<'_> {
    /// The value of an expression; an undefined one is a value, too.
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Val, Fail> {
        match &expr.kind {
            ExprKind::Const(value) => return Ok(value.clone()),
            ExprKind::Name(name) => {
                if let Some(value) = self.frames.get(name) {
                    return Ok(value);
                }
            }
            _ => {}
        }
        let run = self.cx.run;
        run.steps(1)?;
        run.deeper(|| self.kind(expr)).map_err(|mut error| {
            locate(&mut error, &self.program, Some(expr.span));
            error
        })
    }

    /// The value, which must be there.
    pub(super) fn defined(&mut self, expr: &Expr) -> Result<Val, Fail> {
        let value = self.expr(expr)?;
        defined(value).map_err(|mut error| {
            locate(&mut error, &self.program, Some(expr.span));
            error
        })
    }

    /// Whether it is true.
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<bool, Fail> {
        Ok(python::truth(&self.defined(expr)?))
    }

    fn kind(&mut self, expr: &Expr) -> Result<Val, Fail> {
        match &expr.kind {
            ExprKind::Const(value) => Ok(value.clone()),
            ExprKind::Embedded(text) => self.cx.template(text, &Form::Value),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Attr(inner, name) => {
                let base = self.expr(inner)?;
                self.attribute(&base, name)
            }
            ExprKind::Item(inner, key) => {
                let base = self.expr(inner)?;
                if base.is_undefined() {
                    return Ok(base);
                }
                let key = self.defined(key)?;
                self.cx.item(&base, &key)
            }
            ExprKind::Slice(inner, bounds) => {
                let base = self.expr(inner)?;
                if base.is_undefined() {
                    return Ok(base);
                }
                let mut ends = [Val::None, Val::None, Val::None];
                for (end, bound) in ends.iter_mut().zip(bounds) {
                    if let Some(bound) = bound {
                        *end = self.defined(bound)?;
                    }
                }
                python::slice(&base, &ends)
            }
            ExprKind::Not(inner) => Ok(Val::Bool(!self.truth(inner)?)),
            ExprKind::Neg(inner) => python::negative(&self.defined(inner)?),
            ExprKind::And(left, right) => {
                let left = self.defined(left)?;
                if python::truth(&left) {
                    self.expr(right)
                } else {
                    Ok(left)
                }
            }
            ExprKind::Or(left, right) => {
                let left = self.defined(left)?;
                if python::truth(&left) {
                    Ok(left)
                } else {
                    self.expr(right)
                }
            }
            ExprKind::Binary(op, left, right) => {
                let left = self.defined(left)?;
                let right = self.defined(right)?;
                self.binary(*op, &left, &right)
            }
            ExprKind::Compare(first, rest) => self.compare(first, rest),
            ExprKind::If { test, then, other } => {
                if self.truth(test)? {
                    return self.expr(then);
                }
                match other {
                    Some(other) => self.expr(other),
                    None => Ok(Val::Undefined(Arc::new(Undef {
                        message: "the inline if-expression evaluated to false and no else section was defined."
                            .to_owned(),
                        lenient: true,
                        origin: None,
                    }))),
                }
            }
            ExprKind::Filter(filter, input, args) => {
                let input = match input {
                    Some(input) => self.expr(input)?,
                    None => return fail("a filter without a value"),
                };
                self.apply_filter(filter, input, args)
            }
            ExprKind::Test(test, input, args) => {
                let input = self.expr(input)?;
                self.apply_test(test, input, args)
            }
            ExprKind::Call(..) => self.call_with(expr, None),
            ExprKind::List(items) => shallow(Val::list(self.exprs(items)?)),
            ExprKind::Tuple(items) => shallow(Val::tuple(self.exprs(items)?)),
            ExprKind::Dict(pairs) => {
                let mut entries = indexmap::IndexMap::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let key = python::key(&self.defined(key)?)?;
                    entries.insert(key, self.expr(value)?);
                }
                shallow(Val::dict(entries))
            }
        }
    }

    fn exprs(&mut self, items: &[Expr]) -> Result<Vec<Val>, Fail> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn name(&mut self, name: &Arc<str>) -> Result<Val, Fail> {
        match self.cx.variable(name) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(mut error) => {
                error.place = None;
                return Err(error);
            }
        }
        Ok(match &**name {
            "omit" => Val::Omit,
            "self" => Val::Object(Arc::new(Object::Blocks)),
            "vars" => match self.cx.scope.names().is_empty() {
                true => Val::undefined("'vars' is undefined"),
                false => Val::Lazy(Arc::new(super::super::scope::ScopeMap(
                    self.cx.scope.clone(),
                ))),
            },
            _ => match names::function(name) {
                Some(function) => Val::Object(Arc::new(Object::Function(function))),
                None => Val::undefined(format!("'{name}' is undefined")),
            },
        })
    }

    fn attribute(&mut self, base: &Val, name: &Arc<str>) -> Result<Val, Fail> {
        if base.is_undefined() {
            return Ok(base.clone());
        }
        if let Val::Object(object) = base
            && let Object::Blocks = &**object
        {
            return Ok(Val::Object(Arc::new(Object::Super(name.clone(), 0))));
        }
        self.cx.attribute(base, name)
    }

    fn binary(&self, op: Op, left: &Val, right: &Val) -> Result<Val, Fail> {
        match op {
            // Lists are put together as they are, without looking into them.
            Op::Add | Op::Mul => python::binary(self.cx.run, op, left, right),
            _ => python::binary(
                self.cx.run,
                op,
                &self.cx.settle(left)?,
                &self.cx.settle(right)?,
            ),
        }
    }

    fn compare(&mut self, first: &Expr, rest: &[(Comparison, Expr)]) -> Result<Val, Fail> {
        let mut left = self.defined(first)?;
        for (kind, right) in rest {
            let right = self.defined(right)?;
            if !self.cx.compare(*kind, &left, &right)? {
                return Ok(Val::Bool(false));
            }
            left = right;
        }
        Ok(Val::Bool(true))
    }
}

fn shallow(value: Val) -> Result<Val, Fail> {
    if value.depth() > NESTING_MAX {
        return fail("the value nests too deep");
    }
    Ok(value)
}

impl Context<'_> {
    /// `left == right` and its like.
    pub(in super::super) fn compare(
        &self,
        kind: Comparison,
        left: &Val,
        right: &Val,
    ) -> Result<bool, Fail> {
        // Whether a key is there needs no look at the members.
        if let (Comparison::In | Comparison::NotIn, Val::Dict(_) | Val::Lazy(_)) = (kind, right) {
            let found = match right {
                Val::Lazy(map) => match left.as_str() {
                    Some(key) => map
                        .get(key)
                        .map_err(super::super::error::failure)?
                        .is_some(),
                    None => false,
                },
                Val::Dict(dict) => dict.get(left).is_some(),
                _ => false,
            };
            return Ok(found == (kind == Comparison::In));
        }
        python::compare(kind, &self.settle(left)?, &self.settle(right)?)
    }

    /// `value.name`: what Python knows of it first, then a member.
    pub(in super::super) fn attribute(&self, value: &Val, name: &Arc<str>) -> Result<Val, Fail> {
        if let Some(found) = python::attribute(value, name) {
            return Ok(found);
        }
        Ok(match self.member(value, &Val::Str(name.clone()))? {
            Some(found) => found,
            None => missing(value, &Val::Str(name.clone())),
        })
    }

    /// `value[key]`: a member first, then what Python knows of it.
    pub(in super::super) fn item(&self, value: &Val, key: &Val) -> Result<Val, Fail> {
        if let Some(found) = self.member(value, key)? {
            return Ok(found);
        }
        if let Val::Str(name) = key
            && let Some(found) = python::attribute(value, name)
        {
            return Ok(found);
        }
        Ok(missing(value, key))
    }

    /// What a value holds under a key, as Python's own `value[key]`: a method is never meant.
    pub(in super::super) fn own_item(&self, value: &Val, key: &Val) -> Result<Val, Fail> {
        let found = self.member(value, key)?;
        Ok(found.unwrap_or_else(|| missing(value, key)))
    }

    fn member(&self, value: &Val, key: &Val) -> Result<Option<Val>, Fail> {
        let found = match (value, key) {
            (Val::Lazy(map), Val::Str(key)) => return self.lazy_member(map, key),
            (Val::Dict(dict), key) => {
                let found = dict.get(key);
                return self.member_of(found, |done| {
                    if let Ok(at) = python::key(key)
                        && let Some(slot) = dict.write().get_mut(&at)
                    {
                        *slot = done;
                    }
                });
            }
            (Val::List(list), Val::Int(_) | Val::Bool(_)) => {
                let items = list.read();
                let at = python::index(key, items.len());
                at.and_then(|at| items.get(at).cloned())
            }
            (Val::Tuple(items), Val::Int(_) | Val::Bool(_)) => {
                python::index(key, items.len()).and_then(|at| items.get(at).cloned())
            }
            (Val::Str(text), Val::Int(_) | Val::Bool(_)) => {
                let at = python::index(key, text.chars().count());
                at.and_then(|at| text.chars().nth(at))
                    .map(|c| Val::from(c.to_string()))
            }
            _ => None,
        };
        self.member_of(found, |_| {})
    }

    fn member_of(&self, found: Option<Val>, keep: impl FnOnce(Val)) -> Result<Option<Val>, Fail> {
        match found {
            Some(thunk @ Val::Thunk(_)) => {
                let done = self.force(&thunk).map_err(|mut error| {
                    error.place = None;
                    error
                })?;
                keep(done.clone());
                Ok(Some(done))
            }
            other => Ok(other),
        }
    }
}

/// What isn't there, as Ansible says it.
pub(in super::super) fn missing(value: &Val, key: &Val) -> Val {
    Val::undefined(format!(
        "object of type '{}' has no attribute {}",
        value.type_name(),
        python::repr(key)
    ))
}
