//! A script for `PowerShell` may be a file of the controller.

use super::super::call::{Call, Controller, FileKind};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::Value;

pub(super) struct Powershell;

impl Hook for Powershell {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        let Some(path) = call.text("path").filter(|_| !call.flag("remote_src")) else {
            return Ok(());
        };
        let content = controller.file(FileKind::Files, path)?;
        let wrong =
            |why: String| ModuleError::of("path", format!("{}: {why}", content.path.display()));
        let bytes = match &content.opened {
            Some(bytes) => bytes.to_vec(),
            None => std::fs::read(&content.path).map_err(|error| wrong(error.to_string()))?,
        };
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no UTF-8".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        call.params
            .insert("script".into(), Value::Unsafe(text.into()));
        call.params.shift_remove("path");
        Ok(())
    }
}
