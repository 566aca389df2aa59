//! unarchive: an archive of the controller goes to the host as it is.

use super::super::call::{Call, Controller, FileKind};
use super::super::error::ModuleError;
use super::Hook;

pub(super) struct Unarchive;

impl Hook for Unarchive {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.flag("remote_src") {
            return Ok(());
        }
        let src = call.text("src").unwrap_or_default().to_owned();
        let found = controller.file(FileKind::Files, &src)?;
        if found.folder {
            return Err(ModuleError::of("src", format!("{src} is a folder, no archive")));
        }
        call.add("src", src);
        match found.opened {
            Some(bytes) => call.send_bytes(bytes),
            None => call.send_file(&found.path)?,
        }
        Ok(())
    }
}
