//! Arithmetic, and what is true.

use std::sync::Arc;

use super::super::error::{Fail, fail, failure};
use super::super::eval::Run;
use super::super::object::Object;
use super::super::syntax::Op;
use super::super::val::Val;
use super::numbers::Number;
use super::{as_number, percent, text};

/// Python's `bool()`.
pub(in super::super) fn truth(value: &Val) -> bool {
    match value {
        Val::Undefined(_) | Val::None => false,
        Val::Bool(yes) => *yes,
        Val::Int(number) => *number != 0,
        Val::Float(number) => *number != 0.0,
        Val::Str(text) => !text.is_empty(),
        Val::List(list) => !list.read().is_empty(),
        Val::Tuple(items) => !items.is_empty(),
        Val::Dict(dict) => !dict.read().is_empty(),
        Val::Lazy(map) => !map.is_empty(),
        Val::Object(object) => match &**object {
            Object::Span(span) => !span.is_zero(),
            _ => true,
        },
        Val::Omit | Val::Thunk(_) => true,
    }
}

/// `-value`.
pub(in super::super) fn negative(value: &Val) -> Result<Val, Fail> {
    match as_number(value) {
        Some(Number::Int(number)) => number
            .checked_neg()
            .map(Val::Int)
            .ok_or_else(|| failure("the number is too large")),
        Some(Number::Float(number)) => Ok(Val::Float(-number)),
        None => fail(format!(
            "bad operand type for unary -: '{}'",
            value.type_name()
        )),
    }
}

/// `left op right`.
pub(in super::super) fn binary(run: &Run, op: Op, left: &Val, right: &Val) -> Result<Val, Fail> {
    if op == Op::Concat {
        let (left, right) = (text(left)?, text(right)?);
        run.memory(left.len() + right.len())?;
        return Ok(Val::from(format!("{left}{right}")));
    }
    if let (Some(left), Some(right)) = (as_number(left), as_number(right)) {
        return arithmetic(op, left, right);
    }
    match (op, left, right) {
        (Op::Add, Val::Str(one), Val::Str(other)) => {
            run.memory(one.len() + other.len())?;
            Ok(Val::from(format!("{one}{other}")))
        }
        (Op::Add, Val::List(one), Val::List(other)) => {
            let (mut items, more) = (one.read().clone(), other.read().clone());
            run.memory((items.len() + more.len()) * size_of::<Val>())?;
            items.extend(more);
            Ok(Val::list(items))
        }
        (Op::Add, Val::Tuple(one), Val::Tuple(other)) => {
            run.memory((one.len() + other.len()) * size_of::<Val>())?;
            Ok(Val::tuple(one.iter().chain(&**other).cloned().collect()))
        }
        (Op::Mul, value, count) if as_count(count).is_some() => repeated(run, value, count),
        (Op::Mul, count, value) if as_count(count).is_some() => repeated(run, value, count),
        (Op::Rem, Val::Str(pattern), value) => {
            let formatted = percent(pattern, value)?;
            run.memory(formatted.len())?;
            Ok(Val::from(formatted))
        }
        (Op::Sub | Op::Add, Val::Object(_), Val::Object(_)) => super::moments::sum(op, left, right),
        (Op::Add, Val::Str(_), other) => fail(format!(
            "can only concatenate str (not \"{}\") to str",
            other.type_name()
        )),
        (Op::Add, Val::List(_), other) => fail(format!(
            "can only concatenate list (not \"{}\") to list",
            other.type_name()
        )),
        _ => fail(format!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            sign(op),
            left.type_name(),
            right.type_name()
        )),
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::Div => "/",
        Op::FloorDiv => "//",
        Op::Rem => "%",
        Op::Pow => "** or pow()",
        Op::Concat => "~",
    }
}

fn as_count(value: &Val) -> Option<usize> {
    match value {
        Val::Int(number) => Some(usize::try_from((*number).max(0)).unwrap_or(usize::MAX)),
        Val::Bool(yes) => Some(usize::from(*yes)),
        _ => None,
    }
}

fn repeated(run: &Run, value: &Val, count: &Val) -> Result<Val, Fail> {
    let count = as_count(count).unwrap_or(0);
    let many = |len: usize, each: usize| run.memory(len.saturating_mul(each).saturating_mul(count));
    match value {
        Val::Str(text) => {
            many(text.len(), 1)?;
            Ok(Val::from(text.repeat(count)))
        }
        Val::List(list) => {
            let items = list.read().clone();
            many(items.len(), size_of::<Val>())?;
            Ok(Val::list(repeat(&items, count)))
        }
        Val::Tuple(items) => {
            many(items.len(), size_of::<Val>())?;
            Ok(Val::Tuple(Arc::from(repeat(items, count))))
        }
        other => fail(format!(
            "unsupported operand type(s) for *: '{}' and 'int'",
            other.type_name()
        )),
    }
}

fn repeat(items: &[Val], count: usize) -> Vec<Val> {
    std::iter::repeat_n(items, count)
        .flatten()
        .cloned()
        .collect()
}

fn arithmetic(op: Op, left: Number, right: Number) -> Result<Val, Fail> {
    let too_large =
        || failure("the number is too large: numbers of more than 127 bits are not there");
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let by_zero = right == 0;
        let result = match op {
            Op::Add => left.checked_add(right),
            Op::Sub => left.checked_sub(right),
            Op::Mul => left.checked_mul(right),
            Op::FloorDiv if by_zero => return fail("integer division or modulo by zero"),
            Op::FloorDiv => Some(floor_div(left, right)),
            Op::Rem if by_zero => return fail("integer modulo by zero"),
            Op::Rem => Some(left - floor_div(left, right) * right),
            Op::Pow if right >= 0 => u32::try_from(right)
                .ok()
                .and_then(|by| left.checked_pow(by)),
            Op::Div if by_zero => return fail("division by zero"),
            Op::Div | Op::Pow | Op::Concat => {
                return floating(
                    op,
                    Number::Int(left).as_float(),
                    Number::Int(right).as_float(),
                );
            }
        };
        return result.map(Val::Int).ok_or_else(too_large);
    }
    floating(op, left.as_float(), right.as_float())
}

fn floor_div(left: i128, right: i128) -> i128 {
    let quotient = left.wrapping_div(right);
    let inexact = left.wrapping_rem(right) != 0;
    if inexact && (left < 0) != (right < 0) {
        quotient - 1
    } else {
        quotient
    }
}

fn floating(op: Op, left: f64, right: f64) -> Result<Val, Fail> {
    let by_zero = right == 0.0;
    Ok(Val::Float(match op {
        Op::Add => left + right,
        Op::Sub => left - right,
        Op::Mul => left * right,
        Op::Div if by_zero => return fail("float division by zero"),
        Op::Div => left / right,
        Op::FloorDiv if by_zero => return fail("float floor division by zero"),
        Op::FloorDiv => (left / right).floor(),
        Op::Rem if by_zero => return fail("float modulo"),
        Op::Rem => {
            let rest = left % right;
            if rest != 0.0 && (rest < 0.0) != (right < 0.0) {
                rest + right
            } else {
                rest
            }
        }
        Op::Pow => left.powf(right),
        Op::Concat => return fail("numbers are not concatenated"),
    }))
}
