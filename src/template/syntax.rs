//! The syntax tree that is worked on: minijinja's, owned, so that a template is compiled once and
//! shared, with names of filters and tests already resolved.

use std::sync::Arc;

use super::filters::Filter;
use super::tests::Test;
use super::val::Val;

/// A range of bytes of the source.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A compiled template.
pub(super) struct Program {
    pub(super) source: Arc<str>,
    pub(super) body: Vec<Stmt>,
    pub(super) blocks: Vec<(Arc<str>, Arc<Vec<Stmt>>)>,
    /// How files that it includes are read.
    pub(super) options: super::render::TextOptions,
}

pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) span: Span,
}

pub(super) type BoxExpr = Box<Expr>;

pub(super) enum ExprKind {
    Const(Val),
    /// A text that is a template itself: an old habit, in conditions and of lookups.
    Embedded(Arc<str>),
    Name(Arc<str>),
    Attr(BoxExpr, Arc<str>),
    Item(BoxExpr, BoxExpr),
    Slice(BoxExpr, [Option<BoxExpr>; 3]),
    Not(BoxExpr),
    Neg(BoxExpr),
    And(BoxExpr, BoxExpr),
    Or(BoxExpr, BoxExpr),
    Binary(Op, BoxExpr, BoxExpr),
    Compare(BoxExpr, Vec<(Comparison, Expr)>),
    /// `then if test else other`.
    If {
        test: BoxExpr,
        then: BoxExpr,
        other: Option<BoxExpr>,
    },
    /// No input: the filter of a block.
    Filter(&'static Filter, Option<BoxExpr>, Vec<Arg>),
    Test(&'static Test, BoxExpr, Vec<Arg>),
    Call(BoxExpr, Vec<Arg>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
}

pub(super) enum Arg {
    Positional(Expr),
    Keyword(Arc<str>, Expr),
    Splat(Expr),
    KeywordSplat(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// What is assigned to.
pub(super) enum Target {
    Name(Arc<str>),
    Attr(Arc<str>, Arc<str>),
    Unpack(Vec<Target>),
}

pub(super) struct MacroDef {
    pub(super) name: Arc<str>,
    pub(super) params: Vec<Arc<str>>,
    pub(super) defaults: Vec<Expr>,
    pub(super) body: Vec<Stmt>,
}

pub(super) struct ForLoop {
    pub(super) target: Target,
    pub(super) iter: Expr,
    pub(super) filter: Option<Expr>,
    pub(super) recursive: bool,
    pub(super) body: Vec<Stmt>,
    pub(super) otherwise: Vec<Stmt>,
}

pub(super) enum Stmt {
    Text(Val),
    Emit(Expr),
    For(Arc<ForLoop>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Set(Target, Expr),
    SetBlock(Target, Option<Expr>, Vec<Stmt>),
    FilterBlock(Expr, Vec<Stmt>),
    /// What only groups: `autoescape`.
    Group(Vec<Stmt>),
    Block(Arc<str>, bool),
    Import(Expr, Target),
    FromImport(Expr, Vec<(Arc<str>, Arc<str>)>),
    Extends(Expr),
    Include(Expr, bool),
    Macro(Arc<MacroDef>),
    CallBlock(Expr, Arc<MacroDef>),
    Continue,
    Break,
    Do(Expr),
}
