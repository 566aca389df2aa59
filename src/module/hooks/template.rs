//! template: rendered on the controller with the host's variables, then a file as copy makes it.

use super::super::call::{Call, Controller, FileKind, Platform, Said};
use super::super::content::mode_of;
use super::super::error::ModuleError;
use super::Hook;
use super::copy::{name, show};
use crate::base::text;
use crate::base::value::{Map, Value};

pub(super) struct Template;

impl Hook for Template {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        let src = call.text("src").unwrap_or_default().to_owned();
        let found = controller.file(FileKind::Templates, &src)?;
        if found.folder {
            return Err(ModuleError::of(
                "src",
                format!("{src} is a folder, not a template"),
            ));
        }
        let path = &found.path;
        let bytes = match found.opened {
            Some(bytes) => bytes,
            None => std::fs::read(path)
                .map_err(|error| ModuleError::of("src", format!("{}: {error}", path.display())))?
                .into(),
        };
        let source = std::str::from_utf8(&bytes)
            .map_err(|_| ModuleError::of("src", "Template source files must be utf-8 encoded"))?;
        let usual = match call.situation.platform {
            Platform::Posix => "\n",
            Platform::Windows => "\r\n",
        };
        let newline = call.text("newline_sequence").unwrap_or(usual);
        let newline = newline.replace("\\n", "\n").replace("\\r", "\r");
        let mut options = call.params.clone();
        options.insert("newline_sequence".into(), Value::string(newline));
        let rendered = controller.render(source, path, &options)?;
        let encoding = call.text("output_encoding").unwrap_or("utf-8");
        let charset = text::encoding(encoding).ok_or_else(|| {
            ModuleError::of("output_encoding", format!("unknown encoding: {encoding}"))
        })?;
        let (bytes, fits) = charset.encode(&rendered);
        if !fits {
            let message = format!("{encoding} can't say what {src} has become");
            return Err(ModuleError::of("output_encoding", message));
        }
        if call.text("mode") == Some("preserve") {
            let mode = mode_of(path)?;
            call.params
                .insert("mode".into(), Value::Unsafe(mode.into()));
        }
        name(call, &src);
        call.send_bytes(bytes);
        Ok(())
    }

    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        show(call, result);
    }
}
