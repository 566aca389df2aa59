//! `fail`: fails, and says why.

use super::super::results::Outcome;
use crate::base::python::python;
use crate::base::value::Map;

pub(super) fn perform(params: &Map) -> Outcome {
    let message = params.get("msg").map(python);
    Outcome::failed(message.unwrap_or_else(|| "Failed as requested from task".to_owned()))
}
