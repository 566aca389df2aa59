//! A folder of the controller that goes to a host: the program hears what there is to be, says what is
//! there, and gets what differs as one archive, in the same exchange. Files are read as they go.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::answer::{Answer, Question};
use super::call::Call;
use super::content::{Keep, digested, mode_of};
use super::error::ModuleError;
use crate::base::digest::hex;
use crate::base::value::Value;
use crate::shell::Piece;

/// A folder, read.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    entries: Vec<Entry>,
    /// The name under which it stands at its place; none where its content is meant.
    within: String,
    /// What results call it: where it is, with the `/` that `src` ended with.
    shown: String,
    force: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Within the folder, with `/`.
    name: String,
    path: PathBuf,
    mode: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder,
    File { size: u64, md5: String },
    Link(String),
}

impl Tree {
    /// Reads the folder that a task means by `src`.
    pub(super) fn read(call: &Call, src: &str, folder: &Path) -> Result<Self, ModuleError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let within = if src.ends_with('/') { "" } else { &name };
        let follow = call.params.get("local_follow") != Some(&Value::Bool(false));
        let mut entries = Vec::new();
        let walk = WalkDir::new(folder)
            .min_depth(1)
            .follow_links(follow)
            .sort_by_file_name();
        for found in walk {
            let found = found.map_err(|error| ModuleError::new(error.to_string()))?;
            if let Some(entry) = Entry::of(folder, found.path(), found.file_type())? {
                entries.push(entry);
            }
        }
        let end = if within.is_empty() { "/" } else { "" };
        Ok(Self {
            entries,
            shown: format!(
                "{}{end}",
                folder.display().to_string().trim_end_matches('/')
            ),
            within: within.to_owned(),
            force: call.flag("force"),
        })
    }

    /// Makes it what the task's program asks for.
    pub(super) fn offer(self, call: &mut Call) {
        let text = |text: &str| Value::Unsafe(text.into());
        call.extra.insert("tree".into(), text(&self.shown));
        call.extra.insert("within".into(), text(&self.within));
        call.answer_with(move |question| match question.name {
            "list" => Answer {
                content: vec![Piece::Bytes(self.list().into())],
                ..Answer::default()
            },
            _ => self.send(question),
        });
    }

    /// What there is to be, a line each: kind, mode, name.
    fn list(&self) -> String {
        self.entries.iter().fold(String::new(), |mut text, entry| {
            let kind = match entry.kind {
                Kind::Folder => 'd',
                Kind::File { .. } => 'f',
                Kind::Link(_) => 'l',
            };
            let _ = writeln!(text, "{kind} {} {}", entry.mode, entry.name);
            text
        })
    }

    /// What the host does not have as it shall be.
    fn send(&self, question: &Question<'_>) -> Answer {
        let have = question
            .said
            .field("ioms/have")
            .cloned()
            .unwrap_or_default();
        let have = Have::read(&String::from_utf8_lossy(&have));
        let missing: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| match &entry.kind {
                Kind::Folder => false,
                Kind::File { md5, .. } => match have.files.get(&entry.name) {
                    None => true,
                    Some(had) => self.force && had != md5,
                },
                Kind::Link(to) => match have.links.get(&entry.name) {
                    None => true,
                    Some(had) => self.force && had != to,
                },
            })
            .collect();
        let mut answer = Answer::default();
        let mut verdict = if missing.is_empty() { "keep" } else { "write" };
        if !missing.is_empty() && !question.situation.check {
            match archive(&missing) {
                Ok(pieces) => answer.content = pieces,
                Err(error) => {
                    verdict = "fail";
                    let message = Value::Unsafe(error.to_string().into());
                    answer.variables.insert("msg".into(), message);
                }
            }
        }
        let verdict = Value::Unsafe(verdict.into());
        answer.variables.insert("verdict".into(), verdict);
        answer
    }
}

impl Entry {
    fn of(
        folder: &Path,
        path: &Path,
        kind: std::fs::FileType,
    ) -> Result<Option<Self>, ModuleError> {
        let name = path.strip_prefix(folder).unwrap_or(path);
        let Some(name) = name.to_str().filter(|name| !name.contains('\n')) else {
            return Err(ModuleError::new(format!(
                "{}: such a name can't be copied",
                path.display()
            )));
        };
        let wrong =
            |error: std::io::Error| ModuleError::new(format!("{}: {error}", path.display()));
        let (kind, mode) = if kind.is_dir() {
            (Kind::Folder, mode_of(path)?)
        } else if kind.is_symlink() {
            let to = std::fs::read_link(path).map_err(wrong)?;
            (
                Kind::Link(to.to_string_lossy().into_owned()),
                "0777".to_owned(),
            )
        } else if kind.is_file() {
            let digested = digested(path, Keep::Digests)?;
            let kind = Kind::File {
                size: digested.size,
                md5: hex(&digested.md5),
            };
            (kind, mode_of(path)?)
        } else {
            return Ok(None);
        };
        Ok(Some(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            mode,
            kind,
        }))
    }
}

/// What a host says it has: lines of `md5sum`, and of links `l NAME` with the target below.
#[derive(Default)]
struct Have {
    files: HashMap<String, String>,
    links: HashMap<String, String>,
}

impl Have {
    fn read(text: &str) -> Self {
        let mut have = Self::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("l ") {
                let target = lines.next().unwrap_or_default();
                have.links.insert(name.to_owned(), target.to_owned());
                continue;
            }
            // GNU's md5sum begins a line with `\` where it has escaped the name.
            let (escaped, line) = match line.strip_prefix('\\') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            if let (Some(md5), Some(name)) = (line.get(..32), line.get(34..)) {
                let name = name.strip_prefix("./").unwrap_or(name);
                let name = if escaped {
                    plain(name)
                } else {
                    name.to_owned()
                };
                have.files.insert(name, md5.to_owned());
            }
        }
        have
    }
}

/// A name that md5sum has escaped.
fn plain(name: &str) -> String {
    let mut chars = name.chars();
    std::iter::from_fn(|| match chars.next()? {
        '\\' => chars.next().map(|c| match c {
            'n' => '\n',
            'r' => '\r',
            c => c,
        }),
        c => Some(c),
    })
    .collect()
}

/// An archive (tar) of entries, as pieces: the files are read when they are sent.
fn archive(entries: &[&Entry]) -> std::io::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    for entry in entries {
        let mut builder = tar::Builder::new(&mut bytes);
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        match &entry.kind {
            Kind::Folder => continue,
            Kind::Link(to) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, &entry.name, to)?;
            }
            Kind::File { size, .. } => {
                // Only what stands before the content: that comes from the file.
                header.set_size(*size);
                builder.append_data(&mut header, &entry.name, std::io::empty())?;
            }
        }
        // Dropped, a builder writes the archive's end.
        let length = builder.get_ref().len();
        drop(builder);
        bytes.truncate(length);
        if let Kind::File { size, .. } = &entry.kind {
            pieces.push(Piece::Bytes(std::mem::take(&mut bytes).into()));
            pieces.push(Piece::File {
                path: entry.path.clone(),
                size: *size,
            });
            bytes.resize(usize::try_from((512 - size % 512) % 512).unwrap_or(0), 0);
        }
    }
    bytes.resize(bytes.len() + 1024, 0);
    pieces.push(Piece::Bytes(bytes.into()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_backslashes_are_known_again_however_they_are_said() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let said = [
            format!(r"\{md5}  ./a\\b\\n\r"),
            format!("{md5}  plain"),
            format!(r"{md5}  of busy\box"),
            "l link\n../x\n".to_owned(),
        ];
        let have = Have::read(&said.join("\n"));
        let mut names: Vec<&str> = have.files.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a\\b\\n\r", r"of busy\box", "plain"]);
        assert!(have.files.values().all(|said| said == md5));
        assert_eq!(have.links["link"], "../x");
    }
}
