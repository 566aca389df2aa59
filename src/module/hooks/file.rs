//! file: times as `touch -t` reads them.

use jiff::civil::DateTime;

use super::super::call::{Call, Controller};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::Value;

pub(super) struct File;

impl Hook for File {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        for name in ["modification_time", "access_time"] {
            let Some(time) = call.text(name).map(str::to_owned) else {
                continue;
            };
            if matches!(time.as_str(), "preserve" | "now") {
                continue;
            }
            let format = call.text(&format!("{name}_format")).unwrap_or_default();
            let parsed = DateTime::strptime(format, &time).map_err(|error| {
                let message = format!(
                    "Error while obtaining timestamp for time {time} using format {format}: {error}"
                );
                ModuleError::of(name, message)
            })?;
            let said = parsed.strftime("%Y%m%d%H%M.%S").to_string();
            call.params.insert(name.into(), Value::Unsafe(said.into()));
        }
        Ok(())
    }
}
