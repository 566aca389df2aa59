//! unarchive: where the archive comes from.

use super::super::call::{Call, Controller, FileKind};
use super::super::error::ModuleError;
use super::super::http::{Follow, Request};
use super::Hook;
use crate::base::value::Value;

pub(super) struct Unarchive;

impl Hook for Unarchive {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        let remote =
            call.flag("remote_src") || call.params.get("copy") == Some(&Value::Bool(false));
        let src = call.text("src").unwrap_or_default().to_owned();
        if remote {
            if src.contains("://") {
                let request = Request {
                    url: &src,
                    method: "GET",
                    headers: Vec::new(),
                    follow: Follow::All,
                    timeout: 30,
                    body: false,
                };
                request.say(call)?;
            }
            return Ok(());
        }
        let found = controller.file(FileKind::Files, &src)?;
        if found.folder {
            return Err(ModuleError::of(
                "src",
                format!("{src} is a folder, not an archive"),
            ));
        }
        call.add("src", src);
        match found.opened {
            Some(bytes) if call.flag("decrypt") => call.send_bytes(bytes),
            _ => call.send_file(&found.path)?,
        }
        Ok(())
    }
}
