//! What a plain scalar is by YAML 1.1.

use crate::base::value::Value;

/// Resolves a plain scalar by YAML 1.1's types, as `PyYAML` does: `yes` is true, `0644` is octal,
/// `1_000` a thousand, `1:30` ninety.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    match int(text).or_else(|| float(text)) {
        Some(value) if numeric => value,
        _ => Value::string(text),
    }
}

/// Resolves a scalar of JSON that stands without quotes.
pub(super) fn resolve_json(text: &str) -> Value {
    match text {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match (text.parse(), text.parse()) {
            (Ok(number), _) => Value::Int(number),
            // Larger than an integer can be: its digits are kept.
            _ if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => Value::string(text),
            (_, Ok(number)) => Value::Float(number),
            _ => Value::string(text),
        },
    }
}

fn int(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let of = |digits: &str, radix: u32| {
        let clean: String = digits.chars().filter(|c| *c != '_').collect();
        i64::from_str_radix(&clean, radix).ok()
    };
    let only = |digits: &str, allowed: fn(char) -> bool| {
        !digits.is_empty() && digits.chars().all(|c| c == '_' || allowed(c))
    };
    let value = if let Some(rest) = digits.strip_prefix("0x") {
        only(rest, |c| c.is_ascii_hexdigit()).then(|| of(rest, 16))??
    } else if let Some(rest) = digits.strip_prefix("0b") {
        only(rest, |c| matches!(c, '0' | '1')).then(|| of(rest, 2))??
    } else if digits == "0" {
        0
    } else if let Some(rest) = digits.strip_prefix('0') {
        only(rest, |c| c.is_digit(8)).then(|| of(rest, 8))??
    } else if digits.contains(':') {
        let mut total: i64 = 0;
        for (index, part) in digits.split(':').enumerate() {
            let number = only(part, |c| c.is_ascii_digit()).then(|| of(part, 10))??;
            if index > 0 && (number > 59 || part.len() > 2) {
                return None;
            }
            total = total.checked_mul(60)?.checked_add(number)?;
        }
        total
    } else {
        digits
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some(())?;
        only(digits, |c| c.is_ascii_digit()).then(|| of(digits, 10))??
    };
    Some(Value::Int(sign * value))
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let negative = text.starts_with('-');
    let signed = |number: f64| Some(Value::Float(if negative { -number } else { number }));
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return signed(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
    let has_exponent = mantissa.len() < unsigned.len();
    // YAML 1.1: a point is needed, and an exponent has a sign.
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let (whole, fraction) = mantissa.split_once('.')?;
    let exponent_ok = !has_exponent
        || exponent
            .strip_prefix(['+', '-'])
            .is_some_and(|rest| !rest.is_empty() && digits(rest));
    if !digits(whole)
        || !digits(fraction)
        || !exponent_ok
        || (whole.is_empty() && fraction.is_empty())
    {
        return None;
    }
    let clean: String = unsigned.chars().filter(|c| *c != '_').collect();
    signed(clean.parse().ok()?)
}
