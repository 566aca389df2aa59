//! Filters over dates and times.

use jiff::civil;
use jiff::fmt::strtime;
use jiff::{Timestamp, tz};

use super::super::args::Args;
use super::super::error::{Fail, fail, failure};
use super::super::object::Object;
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep};

pub(super) const ALL: &[Filter] = &[
    deep("to_datetime", "string format", to_datetime),
    deep("strftime", "string_format second utc", strftime),
];

fn to_datetime(args: &Args<'_>) -> Result<Val, Fail> {
    let text = args.text(0)?;
    let format = args.maybe_text(1)?;
    let format = format.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S");
    let wrong = || {
        failure(format!(
            "time data '{text}' does not match format '{format}'"
        ))
    };
    // Python's %f is a fraction without the point.
    let ours = format.replace(".%f", "%.f").replace("%f", "%N");
    let parsed = strtime::parse(&ours, &*text).map_err(|_| wrong())?;
    let offset = parsed.offset();
    let date = parsed.to_date().or_else(|_| {
        // Without a date Python takes the first of January 1900.
        civil::Date::new(
            parsed.year().unwrap_or(1900),
            parsed.month().unwrap_or(1),
            parsed.day().unwrap_or(1),
        )
    });
    let date = date.map_err(|_| wrong())?;
    let time = parsed.to_time().unwrap_or(civil::Time::midnight());
    Ok(python::moment(date.to_datetime(time), offset))
}

fn strftime(args: &Args<'_>) -> Result<Val, Fail> {
    let format = args.text(0)?;
    let utc = args.flag(2, false);
    let at = match args.some(1) {
        None => crate::base::clock::now(),
        Some(Val::Object(object)) => match &**object {
            Object::Moment(at, zone) => {
                return python::formatted(*at, *zone, &format).map(Val::from);
            }
            _ => return fail("Invalid value for epoch value"),
        },
        Some(value) => {
            let seconds = match value {
                Val::Str(text) => python::parse_float(text),
                other => python::float(other).ok(),
            };
            let Some(seconds) = seconds.filter(|seconds| seconds.abs() < 1e11) else {
                return fail(format!(
                    "Invalid value for epoch value ({})",
                    python::text(value)?
                ));
            };
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            Timestamp::from_nanosecond((seconds * 1e9) as i128)
                .map_err(|error| failure(error.to_string()))?
        }
    };
    let zone = if utc {
        tz::TimeZone::UTC
    } else {
        tz::TimeZone::system()
    };
    let zoned = at.to_zoned(zone);
    strtime::format(&*format, &zoned)
        .map(Val::from)
        .map_err(|error| failure(format!("strftime: {error}")))
}
