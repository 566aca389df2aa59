//! How a command line reaches `cmd.exe`, which takes no line over 8191 characters and only the
//! first of several (KB 830473). Pure text.

/// The most that goes as it is, in UTF-16 units: 8191 without what WinRM puts around it.
const LINE_MAX: usize = 8000;

/// The most that `CreateProcess` takes, 32767, with room to spare.
const BARE_MAX: usize = 32_000;

/// What `cmd.exe` knows itself: there is no such program.
const BUILT_IN: &[&str] = &[
    "assoc", "break", "call", "cd", "chdir", "cls", "color", "copy", "date", "del", "dir", "echo",
    "endlocal", "erase", "exit", "for", "ftype", "goto", "if", "md", "mkdir", "mklink", "move",
    "path", "pause", "popd", "prompt", "pushd", "rd", "rem", "ren", "rename", "rmdir", "set",
    "setlocal", "shift", "start", "time", "title", "type", "ver", "verify", "vol",
];

/// Commands whose body reaches to the end of the line, whatever stands between.
const WHOLE_LINE: &[&str] = &["if", "for", "rem"];

/// How a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// As the command line.
    Line,
    /// As the command line of a process, without `cmd.exe`.
    Bare,
    /// As a batch file with this text. (Given by its standard input, `cmd.exe` would share that with
    /// the programs it starts, which would eat the lines that follow.)
    Batch(String),
    /// Not at all.
    TooLong,
}

/// What a line needs. `bare`: there is a way around `cmd.exe`.
pub(super) fn way(line: &str, bare: bool) -> Way {
    let several = line.contains(['\n', '\r']);
    if !several && units(line) <= LINE_MAX {
        return Way::Line;
    }
    if bare && !several && units(line) <= BARE_MAX && is_one_program(line) {
        return Way::Bare;
    }
    pieces(line)
        .and_then(|pieces| super::batch::text(&pieces, LINE_MAX))
        .map_or(Way::TooLong, Way::Batch)
}

pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Whether `cmd.exe` would do nothing but start one program with it.
fn is_one_program(line: &str) -> bool {
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            // Variables are replaced within quotes too.
            '%' => return false,
            '&' | '|' | '<' | '>' | '(' | ')' | '^' | '!' if !quoted => return false,
            _ => {}
        }
    }
    !is_built_in(line)
}

/// Whether a line calls what `cmd.exe` knows itself.
pub(super) fn is_built_in(line: &str) -> bool {
    BUILT_IN.contains(&first_word(line).as_str())
}

pub(super) fn first_word(piece: &str) -> String {
    piece
        .trim_start_matches([' ', '\t', '@', '(', ',', ';', '='])
        .split(|c: char| c.is_whitespace() || "\"(),;=./&<>|:".contains(c))
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// The line in pieces that do one after the other what it does at once.
fn pieces(line: &str) -> Option<Vec<String>> {
    let mut pieces = Vec::new();
    for each in line.lines().filter(|each| !each.trim().is_empty()) {
        if units(each) <= LINE_MAX {
            pieces.push(each.to_owned());
        } else {
            pieces.extend(at_ampersands(each)?);
        }
    }
    pieces
        .iter()
        .all(|piece| units(piece) <= LINE_MAX)
        .then_some(pieces)
}

fn at_ampersands(line: &str) -> Option<Vec<String>> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0_u32);
    let mut before = ' ';
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let piece = pieces.last_mut()?;
        match c {
            '^' if !quoted => {
                piece.push(c);
                piece.extend(rest.next());
                before = ' ';
                continue;
            }
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            '&' if !quoted && depth == 0 && before != '>' && before != '<' => {
                if rest.peek() == Some(&'&') {
                    piece.push_str("&&");
                    rest.next();
                } else {
                    pieces.push(String::new());
                }
                before = ' ';
                continue;
            }
            _ => {}
        }
        piece.push(c);
        before = c;
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    let words: Vec<String> = pieces.iter().map(|piece| first_word(piece)).collect();
    let whole = words.iter().any(|word| WHOLE_LINE.contains(&word.as_str()));
    // Variables of a line have the values from before it.
    let sets = line.contains('%')
        && words
            .iter()
            .any(|word| ["set", "setlocal", "cd", "chdir", "pushd"].contains(&word.as_str()));
    (!quoted && !whole && !sets).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> String {
        format!("{text} {}", "x".repeat(LINE_MAX))
    }

    fn batch(lines: &[&str]) -> Way {
        Way::Batch(format!("@echo off\r\n{}\r\n", lines.join("\r\n")))
    }

    #[test]
    fn a_short_line_goes_as_it_is() {
        assert_eq!(way("dir & echo %PATH%", true), Way::Line);
        assert_eq!(way(&"中".repeat(LINE_MAX), false), Way::Line);
    }

    #[test]
    fn a_long_call_of_one_program_goes_without_cmd() {
        assert_eq!(way(&long("app.exe \"a & b\""), true), Way::Bare);
        for not in ["echo", "app %VAR%", "app >x", "app a^&b", "(app"] {
            assert_ne!(way(&long(not), true), Way::Bare, "{not}");
        }
        assert_ne!(way(&long("app.exe"), false), Way::Bare);
    }

    #[test]
    fn a_long_line_is_a_batch_file_where_it_may_be_cut() {
        let half = "y".repeat(5000);
        let line = format!("echo \"&{half}\" 2>&1&& echo a^& & (b & c) & echo {half}");
        assert_eq!(
            way(&line, true),
            batch(&[
                &format!("echo \"&{half}\" 2>&1&& echo a^& "),
                " (b & c) ",
                &format!(" echo {half}"),
            ])
        );
        for not in [
            "if exist x echo",
            "for %i in (1) do echo",
            "set A=1& echo %A%",
        ] {
            let line = format!("{not} {half} & echo {half}");
            assert_eq!(way(&line, true), Way::TooLong, "{not}");
        }
    }

    #[test]
    fn of_several_lines_none_is_lost() {
        assert_eq!(
            way("echo a\r\n\r\nmore\necho 中\n", true),
            batch(&["echo a", "call more", "echo 中"])
        );
        assert_eq!(way(&format!("a\n{}", long("b")), false), Way::TooLong);
    }
}
