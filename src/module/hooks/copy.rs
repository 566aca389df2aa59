//! copy: what goes to the host: a text, a file, or a folder of which only what differs goes.

use std::path::Path;

use super::super::body::json;
use super::super::call::{Call, Controller, FileKind, Said};
use super::super::content::mode_of;
use super::super::error::ModuleError;
use super::super::tree::Tree;
use super::Hook;
use crate::base::python::python;
use crate::base::text;
use crate::base::value::{Map, Value};

/// Contents larger than this are not shown in diffs, in bytes: as Ansible.
const SHOWN_MAX: u64 = 104_448;

pub(super) struct Copy;

impl Hook for Copy {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        if let Some(content) = call.params.shift_remove("content") {
            if call.flag("remote_src") {
                return Err(ModuleError::of("content", "content is no file of the host"));
            }
            let text = match content {
                Value::List(_) | Value::Map(_) => json(&content.to_json()),
                scalar => python(&scalar),
            };
            call.send_bytes(text);
            return check(call);
        }
        if call.flag("remote_src") {
            return Ok(());
        }
        let src = call.text("src").unwrap_or_default().to_owned();
        let found = controller.file(FileKind::Files, &src)?;
        if found.folder {
            Tree::read(call, &src, &found.path)?.offer(call);
            return Ok(());
        }
        if call.text("mode") == Some("preserve") {
            let mode = mode_of(&found.path)?;
            call.params
                .insert("mode".into(), Value::Unsafe(mode.into()));
        }
        name(call, &src);
        match found.opened {
            Some(bytes) if call.flag("decrypt") => call.send_bytes(bytes),
            _ => call.send_file(&found.path)?,
        }
        check(call)
    }

    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        show(call, result);
    }
}

/// What the file is called within a folder.
pub(super) fn name(call: &mut Call, src: &str) {
    let name = Path::new(src)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    call.extra
        .insert("name".into(), Value::Unsafe((&*name).into()));
}

fn check(call: &Call) -> Result<(), ModuleError> {
    let sha1 = call.extra.get("sha1").and_then(Value::as_str);
    match call.text("checksum") {
        Some(wanted) if Some(wanted) != sha1 => Err(ModuleError::of(
            "checksum",
            format!(
                "the content does not match the expected checksum: it is {}",
                sha1.unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}

/// Adds to the diff what was sent: the host told of the old content only.
pub(super) fn show(call: &Call, result: &mut Map) {
    let Some(payload) = &call.payload else {
        return;
    };
    let Some(Value::List(diffs)) = result.get_mut("diff") else {
        return;
    };
    let Some(Value::Map(diff)) = diffs.first_mut() else {
        return;
    };
    let tells = ["before", "dst_binary", "dst_larger"];
    if !tells
        .iter()
        .any(|name| matches!(diff.get(*name), Some(Value::Unsafe(_) | Value::Int(_))))
    {
        return;
    }
    let header = call.text("src").or_else(|| call.text("dest"));
    let header = header.unwrap_or_default();
    diff.insert("after_header".into(), Value::Unsafe(header.into()));
    match call.sent(SHOWN_MAX) {
        Some(bytes) if bytes.contains(&0) => diff.insert("src_binary".into(), Value::Int(1)),
        Some(bytes) => {
            let text = text::decode(&bytes, text::Charset::UTF_8).text;
            diff.insert("after".into(), Value::Unsafe(text.into()))
        }
        None => diff.insert(
            "src_larger".into(),
            Value::Int(payload.size.min(SHOWN_MAX).cast_signed()),
        ),
    };
}
