//! mount: an entry of fstab.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::Value;

pub(super) struct Mount;

impl Hook for Mount {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let path = call.text("path").unwrap_or_default();
        if path.len() > 1 && path.ends_with('/') {
            let path = Value::Unsafe(path.trim_end_matches('/').into());
            call.params.insert("path".into(), path);
        }
        let names = ["path", "src", "fstype", "opts", "dump", "passno", "boot"];
        for name in names {
            let name_there = if name == "path" { "name" } else { name };
            if let Some(value) = call.params.get(name).cloned() {
                call.known.insert(name_there.into(), value);
            }
        }
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

/// Blanks and the like as fstab writes them.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\134").replace(' ', "\\040");
    text.replace('\t', "\\011")
        .replace('\n', "\\012")
        .replace('#', "\\043")
}

fn unescaped(text: &str) -> String {
    let text = text.replace("\\040", " ").replace("\\011", "\t");
    text.replace("\\012", "\n")
        .replace("\\043", "#")
        .replace("\\134", "\\")
}

fn fields(line: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let comment = words.first().is_none_or(|word| word.starts_with('#'));
    (!comment && matches!(words.len(), 4..=6)).then_some(words)
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let text = old.text()?;
    let get = |name: &str| old.param(name).unwrap_or_default();
    let path = get("path");
    let swap = get("fstype") == "swap";
    let absent = matches!(old.param("state"), Some("absent" | "absent_from_fstab"));
    let boot = old.params.get("boot") != Some(&Value::Bool(false));
    let mut opts = old.param("opts").unwrap_or("defaults").to_owned();
    if !boot && !opts.split(',').any(|opt| opt == "noauto") {
        opts.push_str(",noauto");
    }
    let number = |name: &str| {
        old.param(name)
            .filter(|text| !text.is_empty())
            .unwrap_or("0")
            .to_owned()
    };
    let wanted = [
        escaped(get("src")),
        escaped(path),
        get("fstype").to_owned(),
        opts,
        number("dump"),
        number("passno"),
    ];
    let is = |words: &[&str]| {
        let target = words.get(1).is_some_and(|target| unescaped(target) == path);
        // Swap has no place: there the source tells.
        let none = swap && path == "none";
        let source = words
            .first()
            .is_some_and(|source| unescaped(source) == get("src"));
        target && (!none || source)
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut found = false;
    let mut changed = false;
    lines.retain_mut(|line| {
        let Some(words) = fields(line).filter(|words| is(words)) else {
            return true;
        };
        if absent {
            changed = true;
            return false;
        }
        found = true;
        let full = words.iter().copied().chain(std::iter::repeat("0")).take(6);
        if !full.eq(wanted.iter().map(String::as_str)) {
            changed = true;
            *line = wanted.join(" ");
        }
        true
    });
    if !found && !absent {
        lines.push(wanted.join(" "));
        changed = true;
    }
    let mut content = lines.join("\n");
    if !content.is_empty() {
        content.push('\n');
    }
    Ok(Edit {
        content: changed.then(|| content.into_bytes()),
        ..Edit::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::module::edit::tests::edited;

    #[test]
    fn an_entry_is_known_by_its_place() {
        let go = |state: &str, src: &str, content: &str| {
            let params = json!({
                "path": "/mnt/a b", "src": src, "fstype": "ext4", "opts": "noatime", "state": state,
            });
            edited(edit, &params, Some(content)).unwrap().0
        };
        let line = "# c\n/dev/sdb /mnt/a\\040b ext4 noatime 0 0\n";
        assert_eq!(go("present", "/dev/sdb", "# c\n").unwrap(), line);
        assert_eq!(go("present", "/dev/sdb", line), None);
        assert_eq!(
            go("present", "/dev/sdc", line).unwrap(),
            line.replace("sdb", "sdc")
        );
        assert_eq!(go("absent", "", line).unwrap(), "# c\n");
        assert_eq!(
            go(
                "present",
                "/dev/sdb",
                "/dev/sdb  /mnt/a\\040b ext4  noatime\n"
            ),
            None
        );
    }
}
