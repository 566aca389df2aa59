//! Numbers: reading them from values and text, printing floats as Python does.

use super::super::error::{Fail, fail};
use super::super::val::Val;

/// A number of either kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Number {
    Int(i128),
    Float(f64),
}

/// The value as a number: booleans are numbers, too.
pub(in super::super) fn as_number(value: &Val) -> Option<Number> {
    match value {
        Val::Bool(yes) => Some(Number::Int(i128::from(*yes))),
        Val::Int(number) => Some(Number::Int(*number)),
        Val::Float(number) => Some(Number::Float(*number)),
        _ => None,
    }
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "as Python's float() does")]
    pub(in super::super) fn as_float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl From<Number> for Val {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Int(number),
            Number::Float(number) => Self::Float(number),
        }
    }
}

/// An argument that must be a whole number.
pub(in super::super) fn int(value: &Val) -> Result<i128, Fail> {
    match value {
        Val::Int(number) => Ok(*number),
        Val::Bool(yes) => Ok(i128::from(*yes)),
        other => fail(format!(
            "'{}' object cannot be interpreted as an integer",
            other.type_name()
        )),
    }
}

/// An argument that must be a number.
pub(in super::super) fn float(value: &Val) -> Result<f64, Fail> {
    match as_number(value) {
        Some(number) => Ok(number.as_float()),
        None => fail(format!("must be real number, not {}", value.type_name())),
    }
}

/// Python's `int(text, base)`.
pub(in super::super) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = |digits: &str| {
        let lower = digits.get(..2)?.to_ascii_lowercase();
        Some(match lower.as_str() {
            "0x" => 16,
            "0o" => 8,
            "0b" => 2,
            _ => return None,
        })
    };
    let found = prefix(digits);
    let (base, digits) = match (base, found) {
        (0, Some(of)) => (of, digits.get(2..)?),
        (0, None) => (10, digits),
        (base, Some(of)) if of == base => (base, digits.get(2..)?),
        (base, _) => (base, digits),
    };
    if !(2..=36).contains(&base) || digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(if negative { -number } else { number })
}

/// Python's `float(text)`.
pub(in super::super) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    match plain.as_str() {
        "inf" | "infinity" | "nan" => {}
        _ if plain
            .bytes()
            .all(|b| b.is_ascii_digit() || b"._e+-".contains(&b)) => {}
        _ => return None,
    }
    text.replace('_', "").parse().ok()
}

/// A float as Python prints it.
pub(in super::super) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // Rust's shortest digits are Python's; only where the point stands differs.
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_python_prints_them() {
        let table = [
            (1000.0, "1000.0"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (-2.0, "-2.0"),
            (f64::INFINITY, "inf"),
        ];
        for (number, expected) in table {
            assert_eq!(float_text(number), expected);
        }
    }

    #[test]
    fn text_is_read_as_python_reads_it() {
        assert_eq!(parse_int("0x1f", 16), Some(31));
        assert_eq!(parse_int(" 1_000 ", 10), Some(1000));
        assert_eq!(parse_int("1__0", 10), None);
        assert_eq!(parse_int("3.7", 10), None);
        assert_eq!(parse_int("--3", 10), None);
        assert_eq!(parse_float("1e3"), Some(1000.0));
        assert_eq!(parse_float("0x10"), None);
        assert_eq!(parse_float("-inf"), Some(f64::NEG_INFINITY));
    }
}
