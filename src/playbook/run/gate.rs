//! When failures of some hosts end a play for the others.

use crate::base::value::Value;

/// `max_fail_percentage`, in percent; text may end with `%`.
pub(super) fn percentage(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::String(text) | Value::Unsafe(text) => {
            text.trim().trim_end_matches('%').trim().parse().ok()
        }
        _ => None,
    }
}

/// Whether more of a batch have failed than may.
#[expect(clippy::cast_precision_loss, reason = "counts of hosts")]
pub(super) fn too_many(failed: usize, batch: usize, percentage: Option<f64>) -> bool {
    percentage.is_some_and(|most| failed as f64 * 100.0 > most * batch as f64)
}
