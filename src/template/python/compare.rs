//! Equality and order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::error::{Fail, fail};
use super::super::object::Object;
use super::super::syntax::Comparison;
use super::super::val::Val;
use super::numbers::Number;
use super::{as_number, items};

/// Python's `==`, over settled values.
pub(in super::super) fn equal(left: &Val, right: &Val) -> bool {
    if let (Some(left), Some(right)) = (as_number(left), as_number(right)) {
        return numbers(left, right) == Some(Ordering::Equal);
    }
    match (left, right) {
        (Val::None, Val::None) | (Val::Omit, Val::Omit) => true,
        (Val::Str(left), Val::Str(right)) => left == right,
        (Val::List(left), Val::List(right)) => {
            Arc::ptr_eq(left, right) || all_equal(&left.read(), &right.read())
        }
        (Val::Tuple(left), Val::Tuple(right)) => all_equal(left, right),
        (Val::Dict(left), Val::Dict(right)) => {
            if Arc::ptr_eq(left, right) {
                return true;
            }
            let (left, right) = (left.read(), right.read());
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        (Val::Lazy(left), Val::Lazy(right)) => Arc::ptr_eq(left, right),
        (Val::Object(left), Val::Object(right)) => {
            Arc::ptr_eq(left, right)
                || match (&**left, &**right) {
                    (Object::Moment(left, a), Object::Moment(right, b)) => left == right && a == b,
                    (Object::Span(left), Object::Span(right)) => left == right,
                    _ => false,
                }
        }
        _ => false,
    }
}

fn all_equal(left: &[Val], right: &[Val]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| equal(left, right))
}

fn numbers(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
        (left, right) => left.as_float().partial_cmp(&right.as_float()),
    }
}

/// Python's order; `None` where the kinds have none.
pub(in super::super) fn ordering(left: &Val, right: &Val) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (as_number(left), as_number(right)) {
        return numbers(left, right);
    }
    match (left, right) {
        (Val::Str(left), Val::Str(right)) => Some(left.cmp(right)),
        (Val::List(left), Val::List(right)) => in_order(&left.read(), &right.read()),
        (Val::Tuple(left), Val::Tuple(right)) => in_order(left, right),
        (Val::Object(left), Val::Object(right)) => match (&**left, &**right) {
            (Object::Moment(left, _), Object::Moment(right, _)) => Some(left.cmp(right)),
            (Object::Span(left), Object::Span(right)) => Some(left.cmp(right)),
            _ => None,
        },
        _ => None,
    }
}

fn in_order(left: &[Val], right: &[Val]) -> Option<Ordering> {
    for (left, right) in left.iter().zip(right) {
        if !equal(left, right) {
            return ordering(left, right);
        }
    }
    Some(left.len().cmp(&right.len()))
}

/// `left op right`.
pub(in super::super) fn compare(kind: Comparison, left: &Val, right: &Val) -> Result<bool, Fail> {
    let wanted: fn(Ordering) -> bool = match kind {
        Comparison::Eq => return Ok(equal(left, right)),
        Comparison::Ne => return Ok(!equal(left, right)),
        Comparison::In => return contains(right, left),
        Comparison::NotIn => return contains(right, left).map(|found| !found),
        Comparison::Lt => Ordering::is_lt,
        Comparison::Le => Ordering::is_le,
        Comparison::Gt => Ordering::is_gt,
        Comparison::Ge => Ordering::is_ge,
    };
    let sign = match kind {
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        _ => ">=",
    };
    match ordering(left, right) {
        Some(ordering) => Ok(wanted(ordering)),
        None if both_numbers(left, right) => Ok(false),
        None => not_supported(sign, left, right),
    }
}

fn both_numbers(left: &Val, right: &Val) -> bool {
    as_number(left).is_some() && as_number(right).is_some()
}

fn not_supported<T>(sign: &str, left: &Val, right: &Val) -> Result<T, Fail> {
    fail(format!(
        "'{sign}' not supported between instances of '{}' and '{}'",
        left.type_name(),
        right.type_name()
    ))
}

fn contains(whole: &Val, part: &Val) -> Result<bool, Fail> {
    match (whole, part) {
        (Val::Str(whole), Val::Str(part)) => Ok(whole.contains(&**part)),
        (Val::Str(_), other) => fail(format!(
            "'in <string>' requires string as left operand, not {}",
            other.type_name()
        )),
        (Val::Dict(dict), key) => Ok(dict.get(key).is_some()),
        (Val::Lazy(map), Val::Str(key)) => Ok(map
            .get(key)
            .map_err(super::super::error::failure)?
            .is_some()),
        (Val::List(_) | Val::Tuple(_), _) => Ok(items(whole)?.iter().any(|item| equal(item, part))),
        _ => fail(format!(
            "argument of type '{}' is not iterable",
            whole.type_name()
        )),
    }
}

/// Sorts by keys as Python does: stable, and an error where two can't be compared.
pub(in super::super) fn sort_by_key(keyed: &mut [(Val, Val)], reverse: bool) -> Result<(), Fail> {
    let mut wrong = None;
    keyed.sort_by(|(left, _), (right, _)| {
        let found = ordering(left, right).unwrap_or_else(|| {
            if !both_numbers(left, right) && wrong.is_none() {
                wrong = Some(not_supported::<()>("<", left, right));
            }
            Ordering::Equal
        });
        if reverse { found.reverse() } else { found }
    });
    wrong.unwrap_or(Ok(()))
}
