//! `authorized_key`: keys of a file `authorized_keys`.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::Value;

pub(super) struct AuthorizedKey;

impl Hook for AuthorizedKey {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let key = call.text("key").unwrap_or_default();
        let remote = ["http://", "https://", "file://"]
            .iter()
            .any(|way| key.starts_with(way));
        if !remote {
            for line in key.lines().map(str::trim) {
                if !line.is_empty() && !line.starts_with('#') && Line::of(line).is_none() {
                    return Err(ModuleError::of(
                        "key",
                        format!("invalid key specified: {line}"),
                    ));
                }
            }
        }
        let known: Vec<(&str, Value)> = ["user", "key", "key_options", "path", "comment", "state"]
            .iter()
            .map(|name| {
                (
                    *name,
                    call.params.get(*name).cloned().unwrap_or(Value::Null),
                )
            })
            .collect();
        for (name, value) in known {
            call.known.insert(name.into(), value);
        }
        for name in ["exclusive", "follow", "manage_dir", "validate_certs"] {
            let value = Value::Bool(call.flag(name));
            call.known.insert(name.into(), value);
        }
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

/// A line that holds a key.
#[derive(Debug, Clone, PartialEq)]
struct Line<'a> {
    options: Vec<&'a str>,
    kind: &'a str,
    key: &'a str,
    comment: &'a str,
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|begin| word.starts_with(begin))
}

/// The first word of a text, blanks in double quotes being part of it, and the rest.
fn first(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    let end = text.find(|c: char| {
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        c.is_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// Options at their commas.
fn options(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        if c == '"' {
            quoted = !quoted;
        }
        c == ',' && !quoted
    });
    parts.filter(|option| !option.is_empty()).collect()
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (word, rest) = first(line);
        let (head, kind, rest) = if is_kind(word) {
            ("", word, rest)
        } else {
            let (kind, rest) = first(rest);
            (word, kind, rest)
        };
        let (key, comment) = first(rest);
        (is_kind(kind) && !key.is_empty()).then(|| Self {
            options: options(head),
            kind,
            key,
            comment,
        })
    }

    fn shown(&self) -> String {
        let options = self.options.join(",");
        let words = [options.as_str(), self.kind, self.key, self.comment];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let text = old.text()?;
    let given = match old.said("ioms/keys") {
        Some(fetched) => std::str::from_utf8(fetched)
            .map_err(|_| ModuleError::of("key", "what was fetched is no text"))?,
        None => old.param("key").unwrap_or_default(),
    };
    let wanted: Vec<Line<'_>> = given
        .lines()
        .filter_map(Line::of)
        .map(|mut line| {
            if let Some(given) = old.param("key_options") {
                line.options = options(given);
            }
            if let Some(comment) = old.param("comment") {
                line.comment = comment;
            }
            line
        })
        .collect();
    if wanted.is_empty() {
        return Err(ModuleError::of(
            "key",
            format!("invalid key specified: {given}"),
        ));
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for key in &wanted {
        let same = |line: &String| Line::of(line).is_some_and(|found| found.key == key.key);
        match (lines.iter().position(same), old.absent()) {
            (None, true) => {}
            (Some(_), true) => lines.retain(|line| !same(line)),
            (None, false) => lines.push(key.shown()),
            (Some(at), false) => {
                let found = lines.get(at).and_then(|line| Line::of(line));
                let differs = found.is_some_and(|found| {
                    let (mut ours, mut theirs) = (key.options.clone(), found.options.clone());
                    ours.sort_unstable();
                    theirs.sort_unstable();
                    let options = old.param("key_options").is_some() || !ours.is_empty();
                    (options && ours != theirs)
                        || found.kind != key.kind
                        || (!key.comment.is_empty() && found.comment != key.comment)
                });
                if let (true, Some(line)) = (differs, lines.get_mut(at)) {
                    *line = key.shown();
                }
            }
        }
    }
    if old.flag("exclusive") && !old.absent() {
        lines.retain(|line| {
            Line::of(line).is_none_or(|found| wanted.iter().any(|key| key.key == found.key))
        });
    }
    Ok(Edit::of_lines(&lines, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::module::edit::tests::edited;

    #[test]
    fn lines_are_options_kind_key_and_comment() {
        let line = Line::of("from=\"a b\",no-pty ssh-ed25519 AAAA ann at home").unwrap();
        assert_eq!(line.options, ["from=\"a b\"", "no-pty"]);
        assert_eq!(
            (line.kind, line.key, line.comment),
            ("ssh-ed25519", "AAAA", "ann at home")
        );
        assert!(Line::of("# ssh-rsa AAAA").is_none() && Line::of("nonsense").is_none());
        assert_eq!(
            line.shown(),
            "from=\"a b\",no-pty ssh-ed25519 AAAA ann at home"
        );
    }

    #[test]
    fn a_key_is_the_same_whatever_its_comment() {
        let go = |params: serde_json::Value, content: Option<&str>| {
            edited(edit, &params, content).unwrap().0
        };
        let key = json!({"key": "ssh-rsa AAAA ann", "state": "present"});
        assert_eq!(go(key.clone(), None).unwrap(), "ssh-rsa AAAA ann\n");
        assert_eq!(go(key.clone(), Some("# c\nssh-rsa AAAA ann\n")), None);
        assert_eq!(
            go(key, Some("ssh-rsa AAAA other\n")).unwrap(),
            "ssh-rsa AAAA ann\n"
        );
        let options =
            json!({"key": "ssh-rsa AAAA", "state": "present", "key_options": "no-pty,from=\"x\""});
        assert_eq!(
            go(
                options.clone(),
                Some("from=\"x\",no-pty ssh-rsa AAAA ann\n")
            ),
            None
        );
        assert_eq!(
            go(options, Some("ssh-rsa AAAA\n")).unwrap(),
            "no-pty,from=\"x\" ssh-rsa AAAA\n"
        );
        let exclusive =
            json!({"key": "ssh-rsa A\nssh-rsa B\n", "state": "present", "exclusive": true});
        assert_eq!(
            go(exclusive, Some("# kept\nssh-rsa C\nssh-rsa B b\n")).unwrap(),
            "# kept\nssh-rsa B b\nssh-rsa A\n"
        );
        let gone = json!({"key": "ssh-rsa A", "state": "absent"});
        assert_eq!(go(gone.clone(), Some("ssh-rsa A a\n")).unwrap(), "");
        assert_eq!(go(gone, None), None);
    }
}
