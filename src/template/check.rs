//! Looking at templates without running them: mistakes in them, and the variables they name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::TextPlace;
use super::lower::{Form, Problem, lower};
use super::render::TextOptions;
use super::syntax::{Arg, Expr, ExprKind, MacroDef, Program, Span, Stmt, Target};
use crate::base::value::Value;

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// A value with `{{ }}`.
    Value,
    /// A condition: a bare expression.
    Condition,
}

/// What is wrong with a text: syntax, unknown filters, tests and lookups.
pub fn check(text: &str, meant: Meant) -> Vec<Problem> {
    let form = match meant {
        Meant::Condition if text.trim_start().starts_with("{{") => Form::Value,
        Meant::Condition => Form::Expression,
        Meant::Value if Value::string(text).is_template() => Form::Value,
        Meant::Value => return Vec::new(),
    };
    problems(text, &form)
}

/// The same of a file.
pub fn check_text(text: &str, options: &TextOptions) -> Vec<Problem> {
    problems(text, &Form::File(options.clone()))
}

fn problems(text: &str, form: &Form) -> Vec<Problem> {
    match lower(&Arc::from(text), form) {
        Ok(lowered) => {
            let mut found = lowered.problems;
            for (embedded, place) in Walk::over(&lowered.program).embedded {
                let below = problems(&embedded, &Form::Value).into_iter();
                found.extend(below.map(|problem| Problem {
                    place: TextPlace::of(text, place.start as usize, place.end as usize),
                    deferred: true,
                    ..problem
                }));
            }
            found
        }
        Err(error) => vec![Problem {
            place: error
                .place
                .unwrap_or_else(|| TextPlace::of(text, 0, text.len())),
            message: error.message,
            suggestion: None,
            deferred: false,
        }],
    }
}

/// What a text uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Variables, by the first part of their names; also functions.
    pub names: BTreeSet<Arc<str>>,
    /// Lookups with constant names.
    pub lookups: BTreeSet<Arc<str>>,
    /// Whether it can name variables that can't be known before: by `vars`, `hostvars`,
    /// `lookup('vars', ...)`, other templates, or variables that are templates themselves.
    pub indirect: bool,
}

/// The variables that a text names; nothing where it can't be parsed.
pub fn names_used(text: &str, meant: Meant) -> Uses {
    let form = match meant {
        Meant::Condition if !text.trim_start().starts_with("{{") => Form::Expression,
        _ if !Value::string(text).is_template() => return Uses::default(),
        _ => Form::Value,
    };
    used(text, &form)
}

/// The same of a file.
pub fn names_used_by_text(text: &str, options: &TextOptions) -> Uses {
    used(text, &Form::File(options.clone()))
}

fn used(text: &str, form: &Form) -> Uses {
    let Ok(lowered) = lower(&Arc::from(text), form) else {
        return Uses::default();
    };
    let mut walk = Walk::over(&lowered.program);
    for (text, _) in &walk.embedded {
        let below = used(text, &Form::Value);
        walk.uses.names.extend(below.names);
        walk.uses.lookups.extend(below.lookups);
        walk.uses.indirect |= below.indirect;
    }
    walk.uses.indirect |= walk.uses.names.contains("vars") || walk.uses.names.contains("hostvars");
    walk.uses.indirect |= lowered.names.iter().any(|name| {
        matches!(
            name.rsplit('.').next(),
            Some("vars" | "template" | "varnames")
        )
    });
    walk.uses.lookups.extend(lowered.names);
    walk.uses
}

#[derive(Default)]
struct Walk {
    uses: Uses,
    /// What the template itself sets; a name set anywhere counts, which errs towards too few only
    /// where a variable is shadowed.
    set: Vec<BTreeSet<Arc<str>>>,
    /// Texts within it that are templates themselves, and where they stand.
    embedded: Vec<(Arc<str>, Span)>,
}

impl Walk {
    fn over(program: &Program) -> Self {
        let mut walk = Self::default();
        walk.body(&program.body);
        for (_, body) in &program.blocks {
            walk.body(body);
        }
        walk
    }

    fn within(&mut self, work: impl FnOnce(&mut Self)) {
        self.set.push(BTreeSet::new());
        work(self);
        self.set.pop();
    }

    fn assign(&mut self, target: &Target) {
        match target {
            Target::Name(name) => {
                if self.set.is_empty() {
                    self.set.push(BTreeSet::new());
                }
                if let Some(set) = self.set.last_mut() {
                    set.insert(name.clone());
                }
            }
            Target::Attr(..) => {}
            Target::Unpack(targets) => targets.iter().for_each(|target| self.assign(target)),
        }
    }

    fn body(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Text(_) | Stmt::Continue | Stmt::Break | Stmt::Block(..) => {}
            Stmt::Emit(expr) | Stmt::Do(expr) => self.expr(expr),
            Stmt::For(inner) => {
                self.expr(&inner.iter);
                self.within(|walk| {
                    walk.assign(&inner.target);
                    walk.assign(&Target::Name(Arc::from("loop")));
                    inner.filter.iter().for_each(|filter| walk.expr(filter));
                    walk.body(&inner.body);
                });
                self.within(|walk| walk.body(&inner.otherwise));
            }
            Stmt::If(test, yes, no) => {
                self.expr(test);
                self.body(yes);
                self.body(no);
            }
            Stmt::With(assignments, body) => {
                assignments.iter().for_each(|(_, value)| self.expr(value));
                self.within(|walk| {
                    assignments
                        .iter()
                        .for_each(|(target, _)| walk.assign(target));
                    walk.body(body);
                });
            }
            Stmt::Set(target, value) => {
                self.expr(value);
                self.assign(target);
            }
            Stmt::SetBlock(target, filter, body) => {
                filter.iter().for_each(|filter| self.expr(filter));
                self.within(|walk| walk.body(body));
                self.assign(target);
            }
            Stmt::FilterBlock(filter, body) => {
                self.expr(filter);
                self.within(|walk| walk.body(body));
            }
            Stmt::Group(body) => self.body(body),
            Stmt::Import(from, target) => {
                self.other(from);
                self.assign(target);
            }
            Stmt::FromImport(from, names) => {
                self.other(from);
                for (_, alias) in names {
                    self.assign(&Target::Name(alias.clone()));
                }
            }
            Stmt::Extends(from) | Stmt::Include(from, _) => self.other(from),
            Stmt::Macro(def) => {
                self.assign(&Target::Name(def.name.clone()));
                self.definition(def);
            }
            Stmt::CallBlock(call, def) => {
                self.expr(call);
                self.definition(def);
            }
        }
    }

    fn other(&mut self, from: &Expr) {
        self.uses.indirect = true;
        self.expr(from);
    }

    fn definition(&mut self, def: &MacroDef) {
        self.within(|walk| {
            def.defaults.iter().for_each(|default| walk.expr(default));
            for param in def
                .params
                .iter()
                .map(|param| &**param)
                .chain(["caller", "varargs", "kwargs"])
            {
                walk.assign(&Target::Name(Arc::from(param)));
            }
            walk.body(&def.body);
        });
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Const(_) => {}
            ExprKind::Embedded(text) => self.embedded.push((text.clone(), expr.span)),
            ExprKind::Name(name) => {
                if !self.set.iter().any(|set| set.contains(name)) {
                    self.uses.names.insert(name.clone());
                }
            }
            ExprKind::Attr(inner, _) | ExprKind::Not(inner) | ExprKind::Neg(inner) => {
                self.expr(inner);
            }
            ExprKind::Item(one, other)
            | ExprKind::And(one, other)
            | ExprKind::Or(one, other)
            | ExprKind::Binary(_, one, other) => {
                self.expr(one);
                self.expr(other);
            }
            ExprKind::Slice(inner, bounds) => {
                self.expr(inner);
                bounds.iter().flatten().for_each(|bound| self.expr(bound));
            }
            ExprKind::Compare(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, expr)| self.expr(expr));
            }
            ExprKind::If { test, then, other } => {
                self.expr(test);
                self.expr(then);
                other.iter().for_each(|other| self.expr(other));
            }
            ExprKind::Filter(_, input, args) => {
                input.iter().for_each(|input| self.expr(input));
                self.args(args);
            }
            ExprKind::Test(_, input, args) | ExprKind::Call(input, args) => {
                self.expr(input);
                self.args(args);
            }
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                items.iter().for_each(|item| self.expr(item));
            }
            ExprKind::Dict(pairs) => pairs.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(expr)
                | Arg::Keyword(_, expr)
                | Arg::Splat(expr)
                | Arg::KeywordSplat(expr) => self.expr(expr),
            }
        }
    }
}
