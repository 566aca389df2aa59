//! `fetch`: a file of the host comes to the controller, where it differs from what is there.

use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::context::Context;
use super::super::exchange;
use super::super::results::Outcome;
use super::text;
use crate::base::digest;
use crate::base::value::{Map, Value};

pub(super) async fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    if context.check {
        return Outcome::skipped("check mode not (yet) supported for this module");
    }
    let source = text(params, "src").unwrap_or_default().to_owned();
    let Ok(Some(slurp)) = context.runner().library.find("slurp", &[]) else {
        return Outcome::failed("fetch needs the module slurp, which is not there");
    };
    let args = Map::from_iter([("src".into(), Value::Unsafe(source.as_str().into()))]);
    let mut said = exchange::module(context, &slurp, &args).await;
    if said.flag("unreachable") {
        return said;
    }
    if said.flag("failed") {
        let missing = text(&said.result, "msg")
            .is_some_and(|msg| msg.starts_with("file not found") || msg.ends_with("is not found"));
        if missing && params.get("fail_on_missing") == Some(&Value::Bool(false)) {
            said.error = None;
            said.result.shift_remove("failed");
            let told = "the remote file does not exist, not transferring, ignored";
            said.result.insert("msg".into(), Value::Unsafe(told.into()));
        }
        return said;
    }
    let content = said
        .result
        .get("content")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Ok(bytes) = STANDARD.decode(content) else {
        return Outcome::failed(format!("the host did not say what is in {source}"));
    };
    let target = place(context, params, &source);
    match keep(&target, &bytes) {
        Ok(changed) => {
            let words = |text: String| Value::Unsafe(text.into());
            let mut hasher = digest::FileHasher::default();
            hasher.update(&bytes);
            let (md5, sha1) = hasher.finish();
            let sha1 = digest::hex(&sha1);
            let last = if changed {
                ("remote_md5sum", Value::Null)
            } else {
                ("file", words(source))
            };
            Outcome::with([
                ("changed", Value::Bool(changed)),
                ("checksum", words(sha1.clone())),
                ("remote_checksum", words(sha1)),
                ("md5sum", words(digest::hex(&md5))),
                ("dest", words(target.to_string_lossy().into_owned())),
                last,
            ])
        }
        Err(error) => Outcome::failed(format!("{}: {error}", target.display())),
    }
}

/// Where the file goes.
fn place(context: &Context<'_>, params: &Map, source: &str) -> PathBuf {
    let dest = text(params, "dest").unwrap_or_default();
    let folder = context.scope.batch.play.folder.clone();
    let base = folder.join(dest);
    let name = Path::new(source).file_name().unwrap_or_default();
    if params.get("flat") == Some(&Value::Bool(true)) {
        return if dest.ends_with('/') || base.is_dir() {
            base.join(name)
        } else {
            base
        };
    }
    // What the host calls its file must not lead out of its folder here.
    let source = source.replace('\\', "/");
    let parts = Path::new(&source)
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().replace(':', "")),
            _ => None,
        });
    base.join(context.host().replace('/', "_"))
        .join(parts.collect::<PathBuf>())
}

/// Writes what differs, in one step; whether it did.
fn keep(target: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    if std::fs::read(target).is_ok_and(|known| known == bytes) {
        return Ok(false);
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut part, bytes)?;
    part.persist(target).map_err(|error| error.error)?;
    Ok(true)
}
