//! blockinfile: lines between two marks in a text file.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old, lines};
use super::super::error::ModuleError;
use super::Hook;
use super::lineinfile::pattern;
use crate::base::python_re::Pattern;

pub(super) struct BlockInFile;

impl Hook for BlockInFile {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        call.edit_with(DiffForm::List, edit);
        Ok(())
    }
}

const NEWLINE: &[u8] = b"\n";

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let present = !old.absent();
    if !present && old.content.is_none() {
        return Ok(Edit::nothing(format!("File {} not present", old.path)));
    }
    let content = old.content.unwrap_or_default();
    let mut all = lines(content);
    let marker = |name: &str, default: &str| {
        let word = old.param(name).unwrap_or(default);
        let marker = old
            .param("marker")
            .unwrap_or("# {mark} ANSIBLE MANAGED BLOCK");
        format!("{}\n", marker.replace("{mark}", word)).into_bytes()
    };
    let (begin, end) = (marker("marker_begin", "BEGIN"), marker("marker_end", "END"));
    let block = old.param("block").unwrap_or_default();
    let mut inner = Vec::new();
    if present && !block.is_empty() {
        inner.push(begin.clone());
        inner.extend(lines(block.as_bytes()));
        if let Some(last) = inner.last_mut().filter(|last| !last.ends_with(NEWLINE)) {
            last.push(b'\n');
        }
        inner.push(end.clone());
    }

    let first = all.iter().rposition(|line| *line == begin);
    let last = all.iter().rposition(|line| *line == end);
    let mut at = match (first, last) {
        (Some(first), Some(last)) => {
            let (from, to) = (first.min(last), first.max(last));
            all.drain(from..=to);
            from
        }
        _ => place(old, &all, content)?,
    };
    if let Some(before) = at.checked_sub(1).and_then(|before| all.get_mut(before)) {
        if !before.ends_with(NEWLINE) {
            before.push(b'\n');
        }
        if present && old.flag("prepend_newline") && before != NEWLINE {
            all.insert(at, NEWLINE.to_vec());
            at += 1;
        }
    }
    let removed = inner.is_empty();
    let after = at + inner.len();
    all.splice(at..at, inner);
    if present && old.flag("append_newline") && all.get(after).is_some_and(|line| line != NEWLINE) {
        all.insert(after, NEWLINE.to_vec());
    }
    let new = all.concat();
    let message = match old.content {
        Some(content) if content == new => "",
        None => "File created",
        Some(_) if removed => "Block removed",
        Some(_) => "Block inserted",
    };
    Ok(Edit::new(new, message))
}

/// Where a block that is not there yet goes: before the line of this number.
fn place(old: &Old<'_>, lines: &[Vec<u8>], content: &[u8]) -> Result<usize, ModuleError> {
    let (name, text) = match (old.param("insertafter"), old.param("insertbefore")) {
        (Some("EOF") | None, None) => return Ok(lines.len()),
        (None, Some("BOF")) => return Ok(0),
        (Some(after), _) => ("insertafter", after),
        (None, Some(before)) => ("insertbefore", before),
    };
    let found = line_of(&pattern(name, text)?, name, lines, content)?;
    Ok(match found {
        None => lines.len(),
        Some(at) if name == "insertafter" => (at + 1).min(lines.len()),
        Some(at) => at,
    })
}

fn line_of(
    pattern: &Pattern,
    name: &str,
    lines: &[Vec<u8>],
    content: &[u8],
) -> Result<Option<usize>, ModuleError> {
    let wrong =
        |error: crate::base::python_re::PatternError| ModuleError::of(name, error.to_string());
    if pattern.is_multiline() {
        let found = pattern.search(content, 0).map_err(wrong)?;
        return Ok(found.map(|found| {
            let to = if name == "insertafter" {
                found.end()
            } else {
                found.start()
            };
            let before = content.get(..to).unwrap_or_default();
            before.split(|byte| *byte == b'\n').count() - 1
        }));
    }
    let mut at = None;
    for (number, line) in lines.iter().enumerate() {
        if pattern.search(line, 0).map_err(wrong)?.is_some() {
            at = Some(number);
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::edit::tests::{self, edited};
    use super::*;

    #[track_caller]
    fn becomes(params: &serde_json::Value, content: &str, wanted: &str, message: &str) {
        tests::becomes(edit, params, content, (wanted, message));
    }

    const BLOCK: &str = "# BEGIN ANSIBLE MANAGED BLOCK\nx\ny\n# END ANSIBLE MANAGED BLOCK\n";

    #[test]
    fn a_block_is_put_changed_and_removed() {
        let block = json!({"block": "x\ny"});
        becomes(&block, "a", &format!("a\n{BLOCK}"), "Block inserted");
        becomes(&block, &format!("{BLOCK}b\n"), &format!("{BLOCK}b\n"), "");
        let old = BLOCK.replace("x\n", "");
        becomes(
            &block,
            &format!("a\n{old}b\n"),
            &format!("a\n{BLOCK}b\n"),
            "Block inserted",
        );
        becomes(
            &json!({"state": "absent"}),
            &format!("a\n{BLOCK}b\n"),
            "a\nb\n",
            "Block removed",
        );
        becomes(
            &json!({"block": ""}),
            &format!("a\n{BLOCK}b\n"),
            "a\nb\n",
            "Block removed",
        );
        let (new, said) = edited(edit, &block, None).unwrap();
        assert_eq!(
            (new.as_deref(), said.as_str()),
            (Some(BLOCK), "File created")
        );
    }

    #[test]
    fn a_block_goes_where_it_is_to_be() {
        let after = json!({"block": "x\ny", "insertafter": "^a"});
        becomes(
            &after,
            "a\na\nb\n",
            &format!("a\na\n{BLOCK}b\n"),
            "Block inserted",
        );
        let before = json!({"block": "x\ny", "insertbefore": "BOF"});
        becomes(&before, "a\n", &format!("{BLOCK}a\n"), "Block inserted");
        let lines = json!({"block": "x\ny", "insertafter": "(?m)^a\nb$"});
        becomes(
            &lines,
            "a\nb\nc\n",
            &format!("a\nb\n{BLOCK}c\n"),
            "Block inserted",
        );
        let apart = json!({"block": "x\ny", "insertafter": "a", "append_newline": true, "prepend_newline": true});
        becomes(
            &apart,
            "a\nb\n",
            &format!("a\n\n{BLOCK}\nb\n"),
            "Block inserted",
        );
        becomes(
            &apart,
            &format!("a\n\n{BLOCK}\nb\n"),
            &format!("a\n\n{BLOCK}\nb\n"),
            "",
        );
    }
}
