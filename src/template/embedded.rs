//! Texts within expressions that are templates themselves: an old habit. Knows only what is written in a
//! source, never a value.

use std::sync::Arc;

use super::syntax::{Expr, ExprKind};
use super::val::Val;

/// A text that looks like a template, as one.
pub(super) fn embedded(kind: ExprKind) -> ExprKind {
    match kind {
        ExprKind::Const(Val::Str(text))
            if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) =>
        {
            ExprKind::Embedded(Arc::from(&*text))
        }
        other => other,
    }
}

/// Texts of the source that may come out of an expression as they are, also within lists and mappings.
/// Never a value: only what is written here is trusted.
pub(super) fn embed(expr: &mut Expr) {
    match &mut expr.kind {
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter_mut().for_each(embed),
        ExprKind::Dict(pairs) => pairs.iter_mut().for_each(|(_, value)| embed(value)),
        ExprKind::If { then, other, .. } => {
            embed(then);
            other.iter_mut().for_each(|other| embed(other));
        }
        // What stands on the left is judged as it is written.
        ExprKind::And(_, right) | ExprKind::Or(_, right) => embed(right),
        kind @ ExprKind::Const(_) => {
            *kind = embedded(std::mem::replace(kind, ExprKind::Const(Val::None)));
        }
        _ => {}
    }
}
