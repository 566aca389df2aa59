//! Statements and expressions of minijinja's tree, made ours: names resolved, strings read.

use std::sync::Arc;

use minijinja::machinery::ast;
use minijinja::value::ValueKind;

use super::embedded::{embed, embedded};
use super::error::{Cause, Fail, TemplateError};
use super::literals;
use super::lower::Unknown;
use super::names;
use super::syntax::{Arg, Comparison, Expr, ExprKind, ForLoop, MacroDef, Op, Span, Stmt, Target};
use super::val::Val;

/// The work on one template.
pub(super) struct Lowering<'s> {
    source: &'s str,
    mark: Option<char>,
    /// Whether backslashes in the strings of `{{ }}` stay as written: in values, not in files.
    verbatim: bool,
    /// Within `{{ }}`.
    printing: bool,
    /// Whether texts that look like templates are rendered: in conditions.
    pub(super) embedded: bool,
    /// What line ends become, where that is not `\n`.
    pub(super) newline: Option<Arc<str>>,
    pub(super) blocks: Vec<(Arc<str>, Arc<Vec<Stmt>>)>,
    pub(super) problems: Vec<Unknown>,
    pub(super) names: Vec<Arc<str>>,
}

impl<'s> Lowering<'s> {
    pub(super) fn new(source: &'s str, mark: Option<char>, verbatim: bool) -> Self {
        Self {
            source,
            mark,
            verbatim,
            printing: false,
            embedded: false,
            newline: None,
            blocks: Vec::new(),
            problems: Vec::new(),
            names: Vec::new(),
        }
    }

    pub(super) fn body(&mut self, stmts: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>, Fail> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> Result<Stmt, Fail> {
        Ok(match stmt {
            ast::Stmt::Template(inner) => Stmt::Group(self.body(&inner.children)?),
            ast::Stmt::EmitRaw(raw) => Stmt::Text(self.text(raw.raw)),
            ast::Stmt::EmitExpr(emit) => self.emit(&emit.expr)?,
            ast::Stmt::ForLoop(inner) => Stmt::For(Arc::new(ForLoop {
                target: self.target(&inner.target)?,
                iter: self.expr(&inner.iter)?,
                filter: self.maybe(inner.filter_expr.as_ref())?,
                recursive: inner.recursive,
                body: self.body(&inner.body)?,
                otherwise: self.body(&inner.else_body)?,
            })),
            ast::Stmt::IfCond(inner) => Stmt::If(
                self.expr(&inner.expr)?,
                self.body(&inner.true_body)?,
                self.body(&inner.false_body)?,
            ),
            ast::Stmt::WithBlock(inner) => Stmt::With(
                inner
                    .assignments
                    .iter()
                    .map(|(target, value)| Ok((self.target(target)?, self.expr(value)?)))
                    .collect::<Result<_, Fail>>()?,
                self.body(&inner.body)?,
            ),
            ast::Stmt::Set(inner) => {
                Stmt::Set(self.target(&inner.target)?, self.expr(&inner.expr)?)
            }
            ast::Stmt::SetBlock(inner) => Stmt::SetBlock(
                self.target(&inner.target)?,
                self.maybe(inner.filter.as_ref())?,
                self.body(&inner.body)?,
            ),
            ast::Stmt::AutoEscape(inner) => Stmt::Group(self.body(&inner.body)?),
            ast::Stmt::FilterBlock(inner) => {
                Stmt::FilterBlock(self.expr(&inner.filter)?, self.body(&inner.body)?)
            }
            ast::Stmt::Block(inner) => {
                let name: Arc<str> = Arc::from(inner.name);
                let body = Arc::new(self.body(&inner.body)?);
                self.blocks.push((name.clone(), body));
                Stmt::Block(name, inner.required)
            }
            ast::Stmt::Import(inner) => {
                Stmt::Import(self.expr(&inner.expr)?, self.target(&inner.name)?)
            }
            ast::Stmt::FromImport(inner) => {
                let from = self.expr(&inner.expr)?;
                let names = inner.names.iter().filter_map(|(name, alias)| {
                    let name = variable(name)?;
                    let alias = alias.as_ref().and_then(variable);
                    Some((name.clone(), alias.unwrap_or(name)))
                });
                Stmt::FromImport(from, names.collect())
            }
            ast::Stmt::Extends(inner) => Stmt::Extends(self.expr(&inner.name)?),
            ast::Stmt::Include(inner) => {
                Stmt::Include(self.expr(&inner.name)?, inner.ignore_missing)
            }
            ast::Stmt::Macro(inner) => Stmt::Macro(self.macro_def(inner)?),
            ast::Stmt::CallBlock(inner) => {
                let call = self.call(&inner.call, inner.call.span())?;
                Stmt::CallBlock(call, self.macro_def(&inner.macro_decl)?)
            }
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::Do(inner) => Stmt::Do(self.call(&inner.call, inner.call.span())?),
        })
    }

    pub(super) fn emit(&mut self, expr: &ast::Expr<'_>) -> Result<Stmt, Fail> {
        self.printing = true;
        let expr = self.expr(expr);
        self.printing = false;
        expr.map(Stmt::Emit)
    }

    fn text(&self, raw: &str) -> Val {
        match self.mark {
            Some(mark) => Val::from(self.lines(raw.replace(mark, "\\"))),
            None => Val::from(self.lines(raw.to_owned())),
        }
    }

    /// A text's line ends as they are to be.
    pub(super) fn lines(&self, text: String) -> String {
        match &self.newline {
            Some(newline) => text.replace('\n', newline),
            None => text,
        }
    }

    fn macro_def(&mut self, inner: &ast::Macro<'_>) -> Result<Arc<MacroDef>, Fail> {
        Ok(Arc::new(MacroDef {
            name: Arc::from(inner.name),
            params: inner.args.iter().filter_map(variable).collect(),
            defaults: self.exprs(&inner.defaults)?,
            body: self.body(&inner.body)?,
        }))
    }

    fn target(&mut self, expr: &ast::Expr<'_>) -> Result<Target, Fail> {
        Ok(match expr {
            ast::Expr::Var(var) => Target::Name(Arc::from(var.id)),
            ast::Expr::GetAttr(attr) => match variable(&attr.expr) {
                Some(name) => Target::Attr(name, Arc::from(attr.name)),
                None => return Err(self.error(expr, "this can't be assigned to")),
            },
            ast::Expr::List(list) => Target::Unpack(self.targets(&list.items)?),
            ast::Expr::Tuple(tuple) => Target::Unpack(self.targets(&tuple.items)?),
            _ => return Err(self.error(expr, "this can't be assigned to")),
        })
    }

    fn targets(&mut self, items: &[ast::Expr<'_>]) -> Result<Vec<Target>, Fail> {
        items.iter().map(|item| self.target(item)).collect()
    }

    fn error(&self, expr: &ast::Expr<'_>, message: &str) -> Fail {
        let span = Self::span(expr.span());
        let mut error = TemplateError::new(
            Cause::Syntax,
            format!("Syntax error in template: {message}"),
        );
        error.place = Some(super::error::TextPlace::of(
            self.source,
            span.start as usize,
            span.end as usize,
        ));
        Box::new(error)
    }

    fn exprs(&mut self, items: &[ast::Expr<'_>]) -> Result<Vec<Expr>, Fail> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn maybe(&mut self, expr: Option<&ast::Expr<'_>>) -> Result<Option<Expr>, Fail> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Result<Box<Expr>, Fail> {
        self.expr(expr).map(Box::new)
    }

    fn maybe_boxed(&mut self, expr: Option<&ast::Expr<'_>>) -> Result<Option<Box<Expr>>, Fail> {
        Ok(self.maybe(expr)?.map(Box::new))
    }

    fn span(span: minijinja::machinery::Span) -> Span {
        Span {
            start: span.start_offset,
            end: span.end_offset,
        }
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Result<Expr, Fail> {
        let kind = match expr {
            ast::Expr::Var(var) => ExprKind::Name(Arc::from(var.id)),
            ast::Expr::Const(constant) => {
                let kind = ExprKind::Const(self.constant(constant, expr.span()));
                if self.embedded { embedded(kind) } else { kind }
            }
            ast::Expr::Slice(slice) => ExprKind::Slice(
                self.boxed(&slice.expr)?,
                [
                    self.maybe_boxed(slice.start.as_ref())?,
                    self.maybe_boxed(slice.stop.as_ref())?,
                    self.maybe_boxed(slice.step.as_ref())?,
                ],
            ),
            ast::Expr::UnaryOp(unary) => {
                let inner = self.boxed(&unary.expr)?;
                match unary.op {
                    ast::UnaryOpKind::Not => ExprKind::Not(inner),
                    ast::UnaryOpKind::Neg => ExprKind::Neg(inner),
                }
            }
            ast::Expr::BinOp(binary) => {
                let left = self.boxed(&binary.left)?;
                let right = self.boxed(&binary.right)?;
                binary_kind(binary.op, left, right)
            }
            ast::Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr)?;
                let rest = compare.ops.iter();
                let rest = rest.map(|op| Ok((comparison(op.op), self.expr(&op.expr)?)));
                ExprKind::Compare(first, rest.collect::<Result<_, Fail>>()?)
            }
            ast::Expr::IfExpr(inner) => ExprKind::If {
                test: self.boxed(&inner.test_expr)?,
                then: self.boxed(&inner.true_expr)?,
                other: self.maybe_boxed(inner.false_expr.as_ref())?,
            },
            ast::Expr::Filter(filter) => {
                let input = self.maybe_boxed(filter.expr.as_ref())?;
                let args = self.args(&filter.args)?;
                let found = names::filter(filter.name);
                if found.is_none() {
                    self.unknown("filter", filter.name, expr.span(), names::filters());
                }
                self.applied(filter.name, &args);
                ExprKind::Filter(found.unwrap_or_else(names::no_filter), input, args)
            }
            ast::Expr::Test(test) => {
                let input = self.boxed(&test.expr)?;
                let args = self.args(&test.args)?;
                let found = names::test(test.name);
                if found.is_none() {
                    self.unknown("test", test.name, expr.span(), names::tests());
                }
                ExprKind::Test(found.unwrap_or_else(names::no_test), input, args)
            }
            ast::Expr::GetAttr(attr) => {
                ExprKind::Attr(self.boxed(&attr.expr)?, Arc::from(attr.name))
            }
            ast::Expr::GetItem(item) => {
                ExprKind::Item(self.boxed(&item.expr)?, self.boxed(&item.subscript_expr)?)
            }
            ast::Expr::Call(call) => return self.call(call, expr.span()),
            ast::Expr::List(list) => ExprKind::List(self.exprs(&list.items)?),
            ast::Expr::Tuple(tuple) => ExprKind::Tuple(self.exprs(&tuple.items)?),
            ast::Expr::Map(map) => {
                let pairs = map.keys.iter().zip(&map.values);
                let pairs = pairs.map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)));
                ExprKind::Dict(pairs.collect::<Result<_, Fail>>()?)
            }
        };
        Ok(spanning(kind, Self::span(expr.span())))
    }

    fn call(
        &mut self,
        call: &ast::Call<'_>,
        span: minijinja::machinery::Span,
    ) -> Result<Expr, Fail> {
        let callee = self.boxed(&call.expr)?;
        let mut args = self.args(&call.args)?;
        if let (ExprKind::Name(name), [Arg::Positional(first), terms @ ..]) =
            (&callee.kind, args.as_mut_slice())
            && matches!(&**name, "lookup" | "query" | "q")
        {
            for term in terms {
                if let Arg::Positional(term) | Arg::Splat(term) = term {
                    embed(term);
                }
            }
            if let ExprKind::Const(Val::Str(plugin)) = &first.kind {
                if names::lookup(plugin).is_none() {
                    self.problem("lookup", plugin, first.span, names::lookups(), true);
                }
                self.names.push(plugin.clone());
            }
        }
        Ok(spanning(ExprKind::Call(callee, args), Self::span(span)))
    }

    /// `map('upper')` and `select('match', ...)` name a filter or a test, too.
    fn applied(&mut self, filter: &str, args: &[Arg]) {
        let Some(Arg::Positional(first)) = args.first() else {
            return;
        };
        let second = args.get(1);
        match filter.rsplit('.').next().unwrap_or(filter) {
            "map" => self.named(first, "filter"),
            "select" | "reject" => self.named(first, "test"),
            "selectattr" | "rejectattr" => {
                if let Some(Arg::Positional(second)) = second {
                    self.named(second, "test");
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, expr: &Expr, kind: &str) {
        let ExprKind::Const(Val::Str(name)) = &expr.kind else {
            return;
        };
        if kind == "filter" && names::filter(name).is_none() {
            self.problem(kind, name, expr.span, names::filters(), true);
        } else if kind == "test" && names::test(name).is_none() {
            self.problem(kind, name, expr.span, names::tests(), true);
        }
    }

    fn unknown(
        &mut self,
        kind: &str,
        name: &str,
        span: minijinja::machinery::Span,
        known: Vec<&'static str>,
    ) {
        let span = Self::span(span);
        self.problem(kind, name, span, known, false);
    }

    fn problem(
        &mut self,
        kind: &str,
        name: &str,
        span: Span,
        known: Vec<&'static str>,
        deferred: bool,
    ) {
        self.problems.push(Unknown {
            span,
            message: match kind {
                "lookup" => format!("The lookup plugin '{name}' was not found."),
                _ => format!("No {kind} named '{name}'."),
            },
            suggestion: names::closest(name, known),
            deferred,
        });
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> Result<Vec<Arg>, Fail> {
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    ast::CallArg::Pos(expr) => Arg::Positional(self.expr(expr)?),
                    ast::CallArg::Kwarg(name, expr) => {
                        Arg::Keyword(Arc::from(*name), self.expr(expr)?)
                    }
                    ast::CallArg::PosSplat(expr) => Arg::Splat(self.expr(expr)?),
                    ast::CallArg::KwargSplat(expr) => Arg::KeywordSplat(self.expr(expr)?),
                })
            })
            .collect()
    }

    fn constant(&self, constant: &ast::Const, span: minijinja::machinery::Span) -> Val {
        let value = &constant.value;
        match value.kind() {
            ValueKind::String => {
                let verbatim = self.printing && self.verbatim;
                let written = self
                    .source
                    .get(span.start_offset as usize..span.end_offset as usize)
                    .filter(|_| self.mark.is_some())
                    .and_then(|written| {
                        literals::strings(&self.lines(written.to_owned()), verbatim)
                    });
                Val::from(
                    written.unwrap_or_else(|| {
                        self.lines(value.as_str().unwrap_or_default().to_owned())
                    }),
                )
            }
            ValueKind::Bool => Val::Bool(value.is_true()),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone())
                .map_or_else(|_| Val::from(value.to_string()), Val::Int),
            ValueKind::Number => f64::try_from(value.clone()).map_or(Val::None, Val::Float),
            _ => Val::None,
        }
    }
}

/// An expression's place holds those of its parts: minijinja's begin late for `a.b` and `a | b`.
fn spanning(kind: ExprKind, mut span: Span) -> Expr {
    let first = match &kind {
        ExprKind::Attr(inner, _)
        | ExprKind::Item(inner, _)
        | ExprKind::Slice(inner, _)
        | ExprKind::Binary(_, inner, _)
        | ExprKind::And(inner, _)
        | ExprKind::Or(inner, _)
        | ExprKind::Compare(inner, _)
        | ExprKind::Filter(_, Some(inner), _)
        | ExprKind::Test(_, inner, _)
        | ExprKind::Call(inner, _)
        | ExprKind::If { then: inner, .. } => Some(inner.span.start),
        _ => None,
    };
    if let Some(first) = first {
        span.start = match &kind {
            // These begin with their first part, and minijinja's place for them is the token before.
            ExprKind::Compare(..) | ExprKind::If { .. } | ExprKind::Binary(..) => first,
            _ => span.start.min(first),
        };
    }
    Expr { kind, span }
}

fn variable(expr: &ast::Expr<'_>) -> Option<Arc<str>> {
    match expr {
        ast::Expr::Var(var) => Some(Arc::from(var.id)),
        _ => None,
    }
}

fn binary_kind(op: ast::BinOpKind, left: Box<Expr>, right: Box<Expr>) -> ExprKind {
    let compare = |kind, left, right: Box<Expr>| ExprKind::Compare(left, vec![(kind, *right)]);
    let op = match op {
        ast::BinOpKind::ScAnd => return ExprKind::And(left, right),
        ast::BinOpKind::ScOr => return ExprKind::Or(left, right),
        ast::BinOpKind::Eq => return compare(Comparison::Eq, left, right),
        ast::BinOpKind::Ne => return compare(Comparison::Ne, left, right),
        ast::BinOpKind::Lt => return compare(Comparison::Lt, left, right),
        ast::BinOpKind::Lte => return compare(Comparison::Le, left, right),
        ast::BinOpKind::Gt => return compare(Comparison::Gt, left, right),
        ast::BinOpKind::Gte => return compare(Comparison::Ge, left, right),
        ast::BinOpKind::In => return compare(Comparison::In, left, right),
        ast::BinOpKind::Add => Op::Add,
        ast::BinOpKind::Sub => Op::Sub,
        ast::BinOpKind::Mul => Op::Mul,
        ast::BinOpKind::Div => Op::Div,
        ast::BinOpKind::FloorDiv => Op::FloorDiv,
        ast::BinOpKind::Rem => Op::Rem,
        ast::BinOpKind::Pow => Op::Pow,
        ast::BinOpKind::Concat => Op::Concat,
    };
    ExprKind::Binary(op, left, right)
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Eq,
        ast::CompareOpKind::Ne => Comparison::Ne,
        ast::CompareOpKind::Lt => Comparison::Lt,
        ast::CompareOpKind::Lte => Comparison::Le,
        ast::CompareOpKind::Gt => Comparison::Gt,
        ast::CompareOpKind::Gte => Comparison::Ge,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}
