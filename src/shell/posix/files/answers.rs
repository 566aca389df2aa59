//! What the scripts print, read. Hosts may print anything: what is not understood is left out.

use std::collections::HashMap;

use crate::shell::files::{
    Account, Answer, FileFailure, FileTask, Found, HostPath, Kind, NAMES_MAX, Received, Said,
};

/// Reads what a task's script printed.
pub fn read(task: &FileTask, said: &Said) -> Result<Answer, FileFailure> {
    if let Some(failure) = failure(task, said) {
        return Err(failure);
    }
    match task {
        FileTask::Stat { paths, .. } => {
            let paths: Vec<&HostPath> = paths.iter().map(|asked| &asked.path).collect();
            stat(&paths, &said.stdout)
        }
        FileTask::Hash { paths, .. } => Ok(Answer::Hash(hashes(paths, &said.stdout))),
        FileTask::Identify { .. } => {
            let text = String::from_utf8_lossy(&said.stdout);
            let number = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name))?;
                line.trim().parse().ok()
            };
            Ok(Answer::Identified(number("user "), number("group ")))
        }
        FileTask::ReadLinks(paths) => {
            let mut targets = said.stdout.split(|b| *b == 0).map(|target| {
                let target = target.strip_suffix(b"\n").unwrap_or(target);
                Some(HostPath::new(target)).filter(|target| !target.is_empty())
            });
            Ok(Answer::Links(
                paths.iter().map(|_| targets.next().flatten()).collect(),
            ))
        }
        FileTask::Walk(_) => {
            let names = said.stdout.split(|b| *b == 0);
            let names = names.filter(|name| !name.is_empty());
            let names: Vec<HostPath> = names.take(NAMES_MAX + 1).map(HostPath::new).collect();
            if names.len() > NAMES_MAX {
                return Err(FileFailure::too_many_names());
            }
            Ok(Answer::Walk(names))
        }
        FileTask::Receive(_) => received(&said.stdout).map(Answer::Received),
        FileTask::Unpack(_) => Ok(Answer::Unpacked {
            digests: digests(&said.stdout)
                .map(|(digest, name)| (HostPath::new(name), digest))
                .collect(),
            placed: false,
        }),
        FileTask::Place(_)
        | FileTask::Adjust(_)
        | FileTask::Remove(_)
        | FileTask::Send(_)
        | FileTask::Pack(_) => Ok(Answer::Done),
    }
}

/// Why a task was not done, if it was not.
fn failure(task: &FileTask, said: &Said) -> Option<FileFailure> {
    if said.exit == Some(0) {
        return None;
    }
    // What these print is of others' making: only their complaints are words of tools.
    let streams = matches!(
        task,
        FileTask::Send(_) | FileTask::Pack(_) | FileTask::Walk(_)
    );
    let text = String::from_utf8_lossy(if streams { &said.stderr } else { &said.stdout });
    if said.exit == Some(127) {
        return Some(FileFailure::NoTool("the program for it".to_owned()));
    }
    let lines = matches!(task, FileTask::Stat { .. } | FileTask::Hash { .. });
    let word = if streams { None } else { word(&text, lines) };
    if let Some(tool) = word.and_then(|word| word.strip_prefix("notool ")) {
        let tool = tool.lines().next().unwrap_or_default();
        return Some(FileFailure::NoTool(tool.to_owned()));
    }
    let told = word
        .and_then(|word| word.strip_prefix("error "))
        .map(str::to_owned)
        .or_else(|| {
            let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
            Some(stderr).filter(|text| !text.trim().is_empty())
        });
    let Some(told) = told else {
        let how = match said.exit {
            Some(status) => format!("the host's tools ended with status {status} and no word"),
            None => "the host's tools were killed".to_owned(),
        };
        return Some(FileFailure::Garbled(how));
    };
    Some(classify(&told))
}

/// Our script's word on why it ends, with all that follows. `last`: lines with names of the host's
/// stand before it, and it is one line.
fn word(text: &str, last: bool) -> Option<&str> {
    let is_word = |line: &str| line.starts_with("error ") || line.starts_with("notool ");
    if last {
        return text
            .trim_end()
            .lines()
            .next_back()
            .filter(|line| is_word(line));
    }
    let mut rest = text;
    while !is_word(rest) {
        rest = rest.split_once('\n')?.1;
    }
    Some(rest)
}

/// What a tool's complaint means.
fn classify(told: &str) -> FileFailure {
    let line = told.lines().map(str::trim).find(|line| !line.is_empty());
    let mut line = line.unwrap_or_default();
    // `sh: 1: cannot create ...`, `mv: cannot ...`: whose words they are is nobody's concern.
    if let Some((program, rest)) = line.split_once(": ")
        && program.len() < 12
        && !program.contains('/')
    {
        line = rest;
        if let Some((number, rest)) = line.split_once(": ")
            && number
                .trim_start_matches("line ")
                .bytes()
                .all(|b| b.is_ascii_digit())
        {
            line = rest;
        }
    }
    let text = line.chars().take(400).collect::<String>();
    let full = [
        "No space left",
        "Disk quota exceeded",
        "File too large",
        // GNU's tar of a full disk.
        "Wrote only",
    ];
    if full.iter().any(|words| told.contains(words)) {
        return FileFailure::NoSpace(text);
    }
    FileFailure::Refused(text)
}

fn stat(paths: &[&HostPath], stdout: &[u8]) -> Result<Answer, FileFailure> {
    let mut lines = stdout.split(|b| *b == b'\n');
    let account = lines
        .next()
        .and_then(account)
        .ok_or_else(|| FileFailure::Garbled("the host does not say who it works as".to_owned()))?;
    let mut by_name: HashMap<&[u8], Found> = HashMap::new();
    let mut by_index: HashMap<usize, Found> = HashMap::new();
    for line in lines {
        if let Some((index, rest)) = numbered(line) {
            if let Some((found, _)) = found(rest) {
                by_index.insert(index, found);
            }
        } else if let Some((found, Some(name))) = found(line) {
            by_name.insert(name, found);
        }
    }
    let found = paths.iter().enumerate().map(|(index, path)| {
        if super::is_odd(path) {
            by_index.get(&index).cloned()
        } else {
            by_name.get(super::said(path).as_slice()).cloned()
        }
    });
    Ok(Answer::Stat(account, found.collect()))
}

/// `account UID GID UMASK`.
fn account(line: &[u8]) -> Option<Account> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.strip_prefix("account ")?.split(' ');
    Some(Account {
        uid: words.next()?.parse().ok(),
        gid: words.next()?.parse().ok(),
        umask: u32::from_str_radix(words.next()?, 8).ok()?,
    })
}

/// `#INDEX REST`.
fn numbered(line: &[u8]) -> Option<(usize, &[u8])> {
    let rest = line.strip_prefix(b"#")?;
    let at = rest.iter().position(|b| *b == b' ')?;
    let index = std::str::from_utf8(rest.get(..at)?).ok()?.parse().ok()?;
    Some((index, rest.get(at + 1..)?))
}

/// `MODE SIZE MTIME UID GID [NAME]`, the mode in hexadecimal.
fn found(line: &[u8]) -> Option<(Found, Option<&[u8]>)> {
    let mut fields = line.splitn(6, |b| *b == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let mode = u32::from_str_radix(text()?, 16).ok()?;
    let found = Found {
        kind: match mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Link,
            _ => Kind::Other,
        },
        size: text()?.parse().ok()?,
        mtime: text()?.parse().ok()?,
        mode: mode & 0o7777,
        uid: text()?.parse().ok()?,
        gid: text()?.parse().ok()?,
        digest: None,
    };
    Some((found, fields.next()))
}

fn hashes(paths: &[HostPath], stdout: &[u8]) -> Vec<Option<String>> {
    let mut by_index: HashMap<usize, String> = HashMap::new();
    for line in stdout.split(|b| *b == b'\n') {
        if let Some((index, rest)) = numbered(line)
            && let Some((digest, _)) = digest_line(rest)
        {
            by_index.insert(index, digest);
        }
    }
    let by_name: HashMap<&[u8], String> = digests(stdout)
        .map(|(digest, name)| (name, digest))
        .collect();
    let found = paths.iter().enumerate().map(|(index, path)| {
        if super::is_odd(path) {
            by_index.get(&index).cloned()
        } else {
            by_name.get(super::said(path).as_slice()).cloned()
        }
    });
    found.collect()
}

/// The lines of a digest tool.
fn digests(stdout: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    stdout
        .split(|b| *b == b'\n')
        .filter_map(digest_line)
        .filter(|(_, name)| !name.is_empty())
}

/// `DIGEST  NAME`, `DIGEST *NAME` or `DIGEST NAME`. (A line that begins with a backslash is of a name
/// that is asked for by itself.)
fn digest_line(line: &[u8]) -> Option<(String, &[u8])> {
    let length = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if length != 32 && length != 64 {
        return None;
    }
    let (digest, name) = line.split_at(length);
    let name = name.strip_prefix(b" ").unwrap_or(name);
    let name = match name {
        [b' ' | b'*', rest @ ..] => rest,
        other => other,
    };
    Some((String::from_utf8_lossy(digest).to_lowercase(), name))
}

fn received(stdout: &[u8]) -> Result<Received, FileFailure> {
    let text = String::from_utf8_lossy(stdout);
    let line = text.lines().next_back().unwrap_or_default();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "placed" => Ok(Received::Placed),
        "unchecked" => Ok(Received::Unchecked),
        "mismatch" => Ok(Received::Mismatch {
            digest: rest.to_owned(),
        }),
        "short" => Ok(Received::Short {
            size: rest.parse().unwrap_or_default(),
        }),
        _ => Err(FileFailure::Garbled(format!(
            "the host's word on the file is none: {}",
            line.chars().take(100).collect::<String>()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::files::{Algorithm, Walk};

    fn walk() -> FileTask {
        FileTask::Walk(Walk {
            roots: vec!["/srv".into()],
            patterns: false,
            follow: false,
        })
    }

    fn said(exit: i32, stdout: &[u8], stderr: &str) -> Said {
        Said {
            exit: Some(exit),
            stdout: stdout.to_vec().into(),
            stderr: stderr.as_bytes().to_vec().into(),
        }
    }

    #[test]
    fn names_without_end_are_not_believed() {
        let many = b"a\0".repeat(NAMES_MAX + 1);
        let told = read(&walk(), &said(0, &many, ""));
        assert_eq!(told, Err(FileFailure::too_many_names()));
        let just = many.get(2..).unwrap();
        assert!(matches!(
            read(&walk(), &said(0, just, "")),
            Ok(Answer::Walk(_))
        ));
    }

    #[test]
    fn a_files_name_is_no_reason_why_a_task_failed() {
        let names = b"/srv\0/srv/error of mine\0/srv/x\nnotool y\0";
        let told = read(
            &walk(),
            &said(1, names, "find: /srv/b: Permission denied\n"),
        );
        let expected = FileFailure::Refused("/srv/b: Permission denied".to_owned());
        assert_eq!(told, Err(expected.clone()));
        let stat = FileTask::Stat {
            paths: Vec::new(),
            algorithm: Algorithm::Md5,
            follow: false,
        };
        let lines = "account 0 0 0022\n81a4 1 0 0 0 /srv/error of mine\nnotool y\n81a4 ";
        let told = read(
            &stat,
            &said(1, format!("{lines}\nerror xargs: x\n").as_bytes(), ""),
        );
        assert_eq!(told, Err(FileFailure::Refused("x".to_owned())));
        let told = read(&stat, &said(1, b"account 0 0 0022\nnotool stat\n", ""));
        assert_eq!(told, Err(FileFailure::NoTool("stat".to_owned())));
        let unpacked = FileTask::Remove(Vec::new());
        let told = read(&unpacked, &said(1, b"error rm: /x\nnotool y: No\n", ""));
        assert_eq!(told, Err(FileFailure::Refused("/x".to_owned())));
    }
}
