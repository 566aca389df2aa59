//! Command lines as the lines of a batch file, where `%` reads otherwise and a batch file that is
//! started never comes back. Pure text.

use super::length::{first_word, is_built_in, units};

/// The batch file, where all of its lines may have `max` units; none otherwise.
pub(super) fn text(pieces: &[String], max: usize) -> Option<String> {
    let mut text = "@echo off\r\n".to_owned();
    let all = pieces.join("\n");
    for (at, piece) in pieces.iter().enumerate() {
        // Without `call`, the lines after another batch file (npm.cmd) would never run.
        let line = if at + 1 < pieces.len() && is_simple_call(piece) {
            format!("call {}", doubled(piece.trim_start(), &all, "%%%%"))
        } else {
            doubled(piece, &all, "%%")
        };
        if units(&line) > max {
            return None;
        }
        text.push_str(&line);
        text.push_str("\r\n");
    }
    Some(text)
}

/// Whether a piece does nothing but start one program, in words that `call` reads as they are: it
/// doubles carets, and `/?` is its own.
fn is_simple_call(piece: &str) -> bool {
    let special = |c: char| "&|<>()^@:".contains(c);
    let mut quoted = false;
    let plain = piece.trim_start().chars().enumerate().all(|(at, c)| {
        quoted ^= c == '"';
        c != '^' && (quoted || !special(c) || (c == ':' && at > 0))
    });
    let named = piece.trim_start().starts_with('"') || !first_word(piece).is_empty();
    plain && named && !piece.contains("/?") && !is_built_in(piece)
}

/// A line with every `%` that belongs to no variable's name as `sign`, as a batch file writes it.
fn doubled(line: &str, all: &str, sign: &str) -> String {
    let mut text = String::with_capacity(line.len() + 8);
    let mut rest = line;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let length = variable(from, all);
        let (kept, after) = from.split_at(length.unwrap_or(1));
        if length.is_some() {
            text.push_str(kept);
        } else {
            text.push_str(sign);
        }
        // Who wrote `%%` has thought of a batch file.
        rest = if length.is_none() {
            after.strip_prefix('%').unwrap_or(after)
        } else {
            after
        };
    }
    text.push_str(rest);
    text
}

/// The length of the variable that a text begins with, percent signs included: `%NAME%`,
/// `%NAME:~1,2%`, `%NAME:a=b%`. `%i` of a `for` is none.
fn variable(text: &str, all: &str) -> Option<usize> {
    let inner = text.strip_prefix('%')?;
    let end = inner.find(['%', ':'])?;
    let (name, rest) = inner.split_at(end);
    let named = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_.-()".contains(c));
    if !named || all.contains(&format!("%{name} in ")) || loops(name, all) {
        return None;
    }
    let Some(change) = rest.strip_prefix(':') else {
        return Some(name.len() + 2);
    };
    let (change, _) = change.split_once('%')?;
    let cuts = change
        .strip_prefix('~')
        .is_some_and(|cut| cut.chars().all(|c| c.is_ascii_digit() || "-,".contains(c)));
    (cuts || change.contains('=')).then_some(name.len() + change.len() + 3)
}

/// Whether a name begins with the letter of a `for`, as in `%i.bak %`.
fn loops(name: &str, all: &str) -> bool {
    name.chars().next().is_some_and(|c| {
        let second = name.chars().nth(1);
        second.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            && all.contains(&format!("%{c} in "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_read_as_on_a_command_line() {
        for (line, wanted) in [
            ("echo %PATH% 50% %~x", "echo %PATH% 50%% %%~x"),
            (
                "echo %P:~0,3% %P:a=b% %P:x% %1 %*",
                "echo %P:~0,3% %P:a=b% %%P:x%% %%1 %%*",
            ),
            (
                "for %i in (a b) do echo %i%i %i.x %PATH%",
                "for %%i in (a b) do echo %%i%%i %%i.x %PATH%",
            ),
            ("for %%i in (1) do echo %%i", "for %%i in (1) do echo %%i"),
            (
                "echo %ProgramFiles(x86)% 100%",
                "echo %ProgramFiles(x86)% 100%%",
            ),
        ] {
            assert_eq!(doubled(line, line, "%%"), wanted);
        }
    }

    #[test]
    fn what_follows_another_batch_file_runs() {
        let pieces = [
            "npm install 5%",
            "\"C:\\a b\\x.cmd\" \"a&b\"",
            "set A=1",
            "a & b",
            "deploy",
        ]
        .map(str::to_owned);
        assert_eq!(
            text(&pieces, 100).unwrap(),
            "@echo off\r\ncall npm install 5%%%%\r\ncall \"C:\\a b\\x.cmd\" \"a&b\"\r\nset A=1\r\na & b\r\ndeploy\r\n"
        );
        assert_eq!(text(&pieces, 10), None);
    }
}
