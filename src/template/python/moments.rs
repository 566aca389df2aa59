//! Moments in time and what lies between them: `datetime` and `timedelta`.

use std::sync::Arc;

use jiff::{SignedDuration, civil, fmt::strtime, tz};

use super::super::error::{Fail, fail, failure};
use super::super::eval::Context;
use super::super::object::Object;
use super::super::syntax::Op;
use super::super::val::Val;
use super::text;

/// A moment as a value.
pub(in super::super) fn moment(at: civil::DateTime, zone: Option<tz::Offset>) -> Val {
    Val::Object(Arc::new(Object::Moment(at, zone)))
}

/// `datetime.now()`, or `utcnow()`.
pub(in super::super) fn now(utc: bool) -> Val {
    let now = crate::base::clock::now();
    let zone = if utc {
        tz::TimeZone::UTC
    } else {
        tz::TimeZone::system()
    };
    moment(now.to_zoned(zone).datetime(), None)
}

/// `isoformat` with this between date and time.
pub(in super::super) fn moment_text(
    at: civil::DateTime,
    zone: Option<tz::Offset>,
    between: char,
) -> String {
    let fraction = at.subsec_nanosecond() / 1000;
    let fraction = if fraction > 0 {
        format!(".{fraction:06}")
    } else {
        String::new()
    };
    let zone = zone.map_or_else(String::new, |zone| {
        let seconds = zone.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    format!(
        "{:04}-{:02}-{:02}{between}{:02}:{:02}:{:02}{fraction}{zone}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `strftime`.
pub(in super::super) fn formatted(
    at: civil::DateTime,
    zone: Option<tz::Offset>,
    format: &str,
) -> Result<String, Fail> {
    let zoned = match zone {
        Some(zone) => at.to_zoned(tz::TimeZone::fixed(zone)),
        None => at.to_zoned(tz::TimeZone::system()),
    };
    let zoned = zoned.map_err(|error| failure(error.to_string()))?;
    strtime::format(format, &zoned).map_err(|error| failure(format!("strftime: {error}")))
}

pub(super) fn attribute(value: &Val, object: &Object, name: &Arc<str>) -> Option<Val> {
    let method = || {
        Some(Val::Object(Arc::new(Object::Method(
            value.clone(),
            name.clone(),
        ))))
    };
    match object {
        Object::Moment(at, _) => Some(Val::Int(match &**name {
            "year" => i128::from(at.year()),
            "month" => i128::from(at.month()),
            "day" => i128::from(at.day()),
            "hour" => i128::from(at.hour()),
            "minute" => i128::from(at.minute()),
            "second" => i128::from(at.second()),
            "microsecond" => i128::from(at.subsec_nanosecond() / 1000),
            "strftime" | "isoformat" | "timestamp" | "date" | "weekday" | "isoweekday" => {
                return method();
            }
            _ => return None,
        })),
        Object::Span(span) => Some(Val::Int(match &**name {
            "days" => i128::from(span.as_secs().div_euclid(86_400)),
            "seconds" => i128::from(span.as_secs().rem_euclid(86_400)),
            "microseconds" => i128::from(span.subsec_micros()),
            "total_seconds" => return method(),
            _ => return None,
        })),
        _ => None,
    }
}

pub(super) fn call(
    _cx: &Context<'_>,
    object: &Object,
    name: &str,
    positional: Vec<Val>,
) -> Result<Val, Fail> {
    match (object, name) {
        (Object::Span(span), "total_seconds") => Ok(Val::Float(span.as_secs_f64())),
        (Object::Moment(at, zone), "strftime") => {
            let format = positional
                .first()
                .ok_or_else(|| failure("strftime() takes an argument"))?;
            formatted(*at, *zone, &text(format)?).map(Val::from)
        }
        (Object::Moment(at, zone), "isoformat") => Ok(Val::from(moment_text(*at, *zone, 'T'))),
        (Object::Moment(at, _), "date") => Ok(Val::from(
            moment_text(*at, None, ' ')
                .chars()
                .take(10)
                .collect::<String>(),
        )),
        (Object::Moment(at, _), "weekday") => {
            Ok(Val::Int(i128::from(at.weekday().to_monday_zero_offset())))
        }
        (Object::Moment(at, _), "isoweekday") => {
            Ok(Val::Int(i128::from(at.weekday().to_monday_one_offset())))
        }
        (Object::Moment(at, zone), "timestamp") => {
            let zone = zone.map_or_else(tz::TimeZone::system, tz::TimeZone::fixed);
            let zoned = at
                .to_zoned(zone)
                .map_err(|error| failure(error.to_string()))?;
            Ok(Val::Float(zoned.timestamp().as_duration().as_secs_f64()))
        }
        _ => fail(format!("'{}' has no method '{name}'", object.type_name())),
    }
}

/// `moment - moment`, `moment + span` and their like.
pub(super) fn sum(op: Op, left: &Val, right: &Val) -> Result<Val, Fail> {
    let (Val::Object(left), Val::Object(right)) = (left, right) else {
        return fail("these can't be added");
    };
    let span = |span: SignedDuration| Ok(Val::Object(Arc::new(Object::Span(span))));
    let out_of_range = |_| failure("date value out of range");
    match (op, &**left, &**right) {
        (Op::Sub, Object::Moment(one, _), Object::Moment(other, _)) => {
            span(one.duration_since(*other))
        }
        (Op::Sub, Object::Moment(at, zone), Object::Span(by)) => {
            Ok(moment(at.checked_sub(*by).map_err(out_of_range)?, *zone))
        }
        (Op::Add, Object::Moment(at, zone), Object::Span(by))
        | (Op::Add, Object::Span(by), Object::Moment(at, zone)) => {
            Ok(moment(at.checked_add(*by).map_err(out_of_range)?, *zone))
        }
        (Op::Sub, Object::Span(one), Object::Span(other)) => span(
            one.checked_sub(*other)
                .ok_or_else(|| failure("date value out of range"))?,
        ),
        (Op::Add, Object::Span(one), Object::Span(other)) => span(
            one.checked_add(*other)
                .ok_or_else(|| failure("date value out of range"))?,
        ),
        (op, left, right) => fail(format!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            if op == Op::Sub { '-' } else { '+' },
            left.type_name(),
            right.type_name()
        )),
    }
}
