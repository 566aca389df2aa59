//! What a template file may say of itself: `ansible_managed`, `template_path` and their kin.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::target::ssh_config::user_name;

/// What stands at the head of files that are made here, where nobody set another text.
pub(super) const MANAGED: &str = "Ansible managed";

/// The variables of a template: `asked` is its name in the task, `path` where it was found.
pub(super) fn of(asked: &str, path: &Path, dest: Option<&str>) -> Map {
    let text = |text: &str| Value::Unsafe(Arc::from(text));
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let node = rustix::system::uname();
    let mut vars = Map::from_iter([
        (
            "template_host".into(),
            text(&node.nodename().to_string_lossy()),
        ),
        ("template_path".into(), text(asked)),
        ("template_fullpath".into(), text(&full.to_string_lossy())),
        ("template_destpath".into(), dest.map_or(Value::Null, text)),
        ("template_run_date".into(), text(&date(clock::now()))),
    ]);
    if let Ok(file) = std::fs::metadata(path) {
        let owner = user_name(file.uid()).map_or(Value::Int(file.uid().into()), |name| text(&name));
        vars.insert("template_uid".into(), owner);
        let modified = file.modified().ok();
        if let Some(at) = modified.and_then(|at| Timestamp::try_from(at).ok()) {
            vars.insert("template_mtime".into(), text(&date(at)));
        }
    }
    vars
}

/// As Python writes a moment, in the controller's time.
fn date(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::system());
    strtime::format("%Y-%m-%d %H:%M:%S.%6f", &local).unwrap_or_else(|_| at.to_string())
}
