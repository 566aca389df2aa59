//! sysctl: a setting of the kernel in a file.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::Value;

pub(super) struct Sysctl;

impl Hook for Sysctl {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.text("name").is_none_or(|name| name.trim().is_empty()) {
            return Err(ModuleError::of("name", "name cannot be blank"));
        }
        let value = call.text("value").map(tidy);
        if call.text("state") == Some("present") {
            match value {
                Some(value) if !value.is_empty() => {
                    call.params
                        .insert("value".into(), Value::Unsafe(value.into()));
                }
                _ => return Err(ModuleError::of("value", "value cannot be blank")),
            }
        }
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

/// A value as the kernel takes it: words of truth are numbers, blanks are single.
fn tidy(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.join(" ") {
        word if ["yes", "true", "on"].contains(&word.to_lowercase().as_str()) => "1".to_owned(),
        word if ["no", "false", "off"].contains(&word.to_lowercase().as_str()) => "0".to_owned(),
        value => value,
    }
}

/// The name and value of a line that sets something. A leading `-` says that failing is no harm.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim(), value.trim()))
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let text = old.text()?;
    let name = old.param("name").unwrap_or_default().trim();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is = |line: &String| setting(line).is_some_and(|(found, _)| found == name);
    if old.absent() {
        lines.retain(|line| !is(line));
    } else {
        let value = old.param("value").unwrap_or_default();
        let last = lines.iter().rposition(is);
        match last {
            Some(at) => {
                let same = lines.get(at).and_then(|line| setting(line));
                let differs = same.is_none_or(|(_, found)| tidy(found) != value);
                if let (true, Some(line)) = (differs, lines.get_mut(at)) {
                    *line = format!("{name}={value}");
                }
                // The last one counts: others go.
                let mut position = 0;
                lines.retain(|line| {
                    position += 1;
                    position == at + 1 || !is(line)
                });
            }
            None => lines.push(format!("{name}={value}")),
        }
    }
    Ok(Edit::of_lines(&lines, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::module::edit::tests::edited;

    #[test]
    fn a_setting_stands_once_with_its_value() {
        let go = |value: &str, content: &str| {
            let params = json!({"name": "vm.swappiness", "value": value, "state": "present"});
            edited(edit, &params, Some(content)).unwrap().0
        };
        assert_eq!(go("5", "# c\n").unwrap(), "# c\nvm.swappiness=5\n");
        assert_eq!(go("5", "vm.swappiness = 5\n"), None);
        assert_eq!(
            go("5", "vm.swappiness=1\nx=2\nvm.swappiness=7\n").unwrap(),
            "x=2\nvm.swappiness=5\n"
        );
        assert_eq!(tidy("yes"), "1");
        assert_eq!(tidy("32768\t 60999"), "32768 60999");
    }
}
