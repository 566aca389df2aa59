//! lineinfile: one line of a text file.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old, lines};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::python_re::{Flags, Found, Pattern};
use crate::base::value::Value;

pub(super) struct LineInFile;

impl Hook for LineInFile {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.text("state") == Some("absent") {
            if ["line", "regexp", "search_string"]
                .iter()
                .all(|name| call.text(name).is_none())
            {
                return Err(ModuleError::new(
                    "one of line, search_string, or regexp is required with state=absent",
                ));
            }
        } else if call.flag("backrefs") && call.text("regexp").is_none() {
            return Err(ModuleError::new("regexp is required with backrefs=true"));
        } else if call.text("line").is_none() {
            return Err(ModuleError::new("line is required with state=present"));
        }
        call.known.insert("backup".into(), Value::Unsafe("".into()));
        call.edit_with(DiffForm::List, edit);
        Ok(())
    }
}

pub(super) fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    if old.absent() {
        absent(old)
    } else {
        present(old)
    }
}

/// A pattern of a parameter, for bytes.
pub(super) fn pattern(name: &str, text: &str) -> Result<Pattern, ModuleError> {
    Pattern::bytes(text, Flags::default()).map_err(|error| wrong(name, &error))
}

fn wrong(name: &str, error: &impl ToString) -> ModuleError {
    ModuleError::of(name, format!("{name}: {}", error.to_string()))
}

/// What a line is looked for by.
enum Wanted<'a> {
    Pattern(Pattern),
    Part(&'a [u8]),
    Nothing,
}

impl<'a> Wanted<'a> {
    fn of(old: &Old<'a>) -> Result<Self, ModuleError> {
        Ok(match (old.param("regexp"), old.param("search_string")) {
            (Some(regexp), _) => Self::Pattern(pattern("regexp", regexp)?),
            (None, Some(part)) => Self::Part(part.as_bytes()),
            (None, None) => Self::Nothing,
        })
    }

    /// Where what is looked for is in the line; groups are a pattern's.
    fn find(&self, line: &[u8]) -> Result<Option<Found>, ModuleError> {
        Ok(match self {
            Self::Pattern(pattern) => {
                let found = pattern.search(line, 0);
                found.map_err(|error| wrong("regexp", &error))?
            }
            Self::Part(part) => contains(line, part).then_some(Found { groups: Vec::new() }),
            Self::Nothing => None,
        })
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    part.is_empty() || line.windows(part.len()).any(|window| window == part)
}

fn bare(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !matches!(b, b'\r' | b'\n'));
    line.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
}

fn absent(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let Some(content) = old.content else {
        return Ok(Edit::nothing("file not present"));
    };
    let wanted = Wanted::of(old)?;
    let line = old.param("line").unwrap_or_default().as_bytes();
    let mut kept = Vec::with_capacity(content.len());
    let mut found = 0;
    for each in lines(content) {
        let gone = match &wanted {
            Wanted::Nothing => bare(&each) == line,
            wanted => wanted.find(&each)?.is_some(),
        };
        if gone {
            found += 1;
        } else {
            kept.extend_from_slice(&each);
        }
    }
    let message = match found {
        0 => String::new(),
        found => format!("{found} line(s) removed"),
    };
    Ok(Edit::new(kept, message).with("found", Value::Int(found)))
}

/// Where the line goes unless one is replaced.
enum Place {
    Begin,
    End,
    After(Pattern),
    Before(Pattern),
}

impl Place {
    fn of(old: &Old<'_>) -> Result<Self, ModuleError> {
        Ok(
            match (old.param("insertafter"), old.param("insertbefore")) {
                (Some("BOF"), _) | (None, Some("BOF")) => Self::Begin,
                (Some("EOF") | None, None) | (Some("EOF"), Some(_)) => Self::End,
                (Some(after), _) => Self::After(pattern("insertafter", after)?),
                (None, Some(before)) => Self::Before(pattern("insertbefore", before)?),
            },
        )
    }
}

fn present(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let line = old.param("line").unwrap_or_default().as_bytes();
    let firstmatch = old.flag("firstmatch");
    let (wanted, place) = (Wanted::of(old)?, Place::of(old)?);
    let mut lines = lines(old.content.unwrap_or_default());

    // The line that is meant; the last one, unless the first is asked for.
    let mut meant = None;
    for (at, each) in lines.iter().enumerate() {
        if let Some(found) = wanted.find(each)? {
            meant = Some((at, found));
            if firstmatch {
                break;
            }
        }
    }
    if let Some((at, found)) = meant {
        let new = match &wanted {
            Wanted::Pattern(pattern) if old.flag("backrefs") => {
                let template = old.param("line").unwrap_or_default();
                let template = pattern.template(template).map_err(|e| wrong("line", &e))?;
                template.expand(lines.get(at).map_or(&[], Vec::as_slice), &found)
            }
            _ => line.to_vec(),
        };
        return Ok(put(lines, at, ended(new)));
    }

    let (exact, at) = look_for_place(&lines, line, &place, firstmatch)?;
    if let Some(at) = exact {
        return Ok(put(lines, at, ended(line.to_vec())));
    }
    if old.flag("backrefs") {
        return Ok(Edit::new(lines.concat(), ""));
    }
    match (&place, at) {
        (Place::Begin, _) => lines.insert(0, ended(line.to_vec())),
        (Place::After(_), Some(at)) if at < lines.len() => {
            if lines.get(at).is_some_and(|next| bare(next) == line) {
                return Ok(Edit::new(lines.concat(), ""));
            }
            lines.insert(at, ended(line.to_vec()));
        }
        (Place::Before(_), Some(at)) => lines.insert(at, ended(line.to_vec())),
        _ => {
            let last = lines.last().and_then(|last| last.last());
            if last.is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
                lines.push(b"\n".to_vec());
            }
            lines.push(ended(line.to_vec()));
        }
    }
    Ok(Edit::new(lines.concat(), "line added"))
}

/// Where the very line stands already, and where the place's pattern says to insert.
fn look_for_place(
    lines: &[Vec<u8>],
    line: &[u8],
    place: &Place,
    firstmatch: bool,
) -> Result<(Option<usize>, Option<usize>), ModuleError> {
    let (mut exact, mut at) = (None, None);
    for (number, each) in lines.iter().enumerate() {
        let (pattern, offset) = match place {
            _ if bare(each) == line => {
                exact = Some(number);
                continue;
            }
            Place::After(pattern) => (pattern, 1),
            Place::Before(pattern) => (pattern, 0),
            Place::Begin | Place::End => continue,
        };
        let found = pattern
            .search(each, 0)
            .map_err(|error| wrong("insertafter", &error))?;
        if found.is_some() {
            at = Some(number + offset);
            if firstmatch {
                break;
            }
        }
    }
    Ok((exact, at))
}

fn ended(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

fn put(mut lines: Vec<Vec<u8>>, at: usize, new: Vec<u8>) -> Edit {
    let message = match lines.get_mut(at) {
        Some(line) if *line != new => {
            *line = new;
            "line replaced"
        }
        _ => "",
    };
    Edit::new(lines.concat(), message)
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

    #[test]
    fn a_line_is_replaced_or_added() {
        let regexp = json!({"regexp": r"^#?\s*Port\b", "line": "Port 22"});
        becomes(
            &regexp,
            "a\n# Port 1\nPort 2\nb\n",
            "a\n# Port 1\nPort 22\nb\n",
            "line replaced",
        );
        becomes(&regexp, "a", "a\nPort 22\n", "line added");
        becomes(&regexp, "Port 22\n", "Port 22\n", "");
        let first = json!({"regexp": "x", "line": "y", "firstmatch": true});
        becomes(&first, "x\nx\n", "y\nx\n", "line replaced");
        let part = json!({"search_string": "a.c", "line": "y"});
        becomes(&part, "abc\nza.cz\n", "abc\ny\n", "line replaced");
        becomes(&json!({"line": "b"}), "a\nb\n", "a\nb\n", "");
        // The very line that has no newline gets one.
        becomes(&json!({"line": "b"}), "a\nb", "a\nb\n", "line replaced");
    }

    #[test]
    fn a_line_is_put_where_it_is_to_be() {
        let after = json!({"line": "n", "insertafter": "^b"});
        becomes(&after, "b\nb\nc\n", "b\nb\nn\nc\n", "line added");
        becomes(&after, "a\nb", "a\nb\nn\n", "line added");
        becomes(
            &json!({"line": "n", "insertafter": "^b", "firstmatch": true}),
            "b\nb\n",
            "b\nn\nb\n",
            "line added",
        );
        becomes(
            &json!({"line": "n", "insertbefore": "^b"}),
            "a\nb\n",
            "a\nn\nb\n",
            "line added",
        );
        becomes(
            &json!({"line": "n", "insertbefore": "^z"}),
            "a\n",
            "a\nn\n",
            "line added",
        );
        becomes(
            &json!({"line": "n", "insertbefore": "BOF"}),
            "a\n",
            "n\na\n",
            "line added",
        );
        becomes(
            &json!({"line": "n", "insertafter": "BOF"}),
            "a\n",
            "n\na\n",
            "line added",
        );
        becomes(
            &json!({"line": "n", "insertafter": "EOF"}),
            "",
            "n\n",
            "line added",
        );
    }

    #[test]
    fn backreferences_are_of_the_pattern() {
        let params = json!({"regexp": r"^(\w+)=(.*)$", "line": r"\1=[\2]", "backrefs": true});
        becomes(&params, "a=1\n", "a=[1]\n", "line replaced");
        becomes(&params, "none\n", "none\n", "");
        let plain = json!({"regexp": "^(a)", "line": r"\1"});
        becomes(&plain, "a\n", "\\1\n", "line replaced");
    }

    #[test]
    fn lines_are_removed() {
        let params = json!({"state": "absent", "regexp": "^#"});
        becomes(&params, "#a\nb\n#c", "b\n", "2 line(s) removed");
        becomes(
            &json!({"state": "absent", "line": "b"}),
            "a\nb\nbb\n",
            "a\nbb\n",
            "1 line(s) removed",
        );
        becomes(&params, "b\n", "b\n", "");
        assert_eq!(edited(edit, &params, None).unwrap().1, "file not present");
    }
}
