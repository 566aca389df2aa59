//! Quoting for Windows: arguments as programs read them, as `cmd.exe` passes them on, and as
//! PowerShell writes them. Pure text.

use crate::shell::conversation::Failure;

/// What `cmd.exe` acts upon outside of quotes.
const CMD_SPECIAL: &[char] = &['(', ')', '%', '!', '^', '"', '<', '>', '&', '|'];

/// One argument as a program's start-up code reads it (`CommandLineToArgvW` and Microsoft's C
/// runtime: "Parsing C command-line arguments"): backslashes count double before a quote only.
pub fn argument(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '\n', '\r', '\u{b}', '"']) {
        return word.to_owned();
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

/// Arguments as one line behind a program's name.
pub fn arguments(words: &[String]) -> String {
    words
        .iter()
        .map(|word| argument(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Text through one reading of `cmd.exe`: with a caret before all that it acts upon, quotes too, so
/// that it never believes to be inside of some.
///
/// A `%` can't be quoted on a command line: variables are replaced before carets are seen. But their
/// names end at the next `%` or `:`, and with a caret on both sides of each `%` every such name begins
/// with one, which no variable's does.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut percent = false;
    for c in text.chars() {
        if percent || CMD_SPECIAL.contains(&c) {
            escaped.push('^');
        }
        escaped.push(c);
        percent = c == '%';
    }
    escaped
}

/// Arguments as one line for `cmd.exe`, each to arrive in a program as it is.
pub(super) fn cmd_arguments(words: &[String]) -> Result<String, Failure> {
    on_one_line(words)?;
    Ok(escaped(&arguments(words)))
}

/// Arguments as one line for a batch file, which puts them into its own lines for `cmd.exe` to read a
/// second time: what that would act upon stands in quotes (`%~1` is without them).
pub fn batch_arguments(words: &[String]) -> Result<String, Failure> {
    on_one_line(words)?;
    let acted_upon = |word: &str| word.contains(CMD_SPECIAL) || word.contains([',', ';', '=']);
    let mut line = Vec::with_capacity(words.len());
    for word in words {
        let word = match (acted_upon(word), word.contains('"')) {
            (true, false) => format!("\"{word}\""),
            (_, true) if word.contains(['&', '|', '<', '>', '^', '%']) => {
                return Err(Failure::Unsupported(
                    "an argument holds a quotation mark beside `&|<>^%`, of which a batch file would run a part: \
                     make the script a .ps1"
                        .to_owned(),
                ));
            }
            _ => argument(word),
        };
        line.push(word);
    }
    Ok(escaped(&line.join(" ")))
}

fn on_one_line(words: &[String]) -> Result<(), Failure> {
    if words.iter().any(|word| word.contains(['\n', '\r'])) {
        return Err(Failure::Unsupported(
            "an argument holds a line break, which cmd.exe can't pass on: use --shell powershell"
                .to_owned(),
        ));
    }
    Ok(())
}

/// A program and its arguments as a line for `cmd.exe`. Its built-in commands work too.
pub(super) fn cmd_words(words: &[String]) -> Result<String, Failure> {
    let Some((program, rest)) = words.split_first() else {
        return Ok(String::new());
    };
    // No caret works within its quotes.
    if let Some((_, after)) = program.split_once('%')
        && after.contains(['%', ':'])
    {
        return Err(Failure::Unsupported(
            "the program's name holds percent signs, which cmd.exe would replace: use --shell powershell"
                .to_owned(),
        ));
    }
    let odd = program.contains([' ', '\t', ',', ';', '=']) || program.contains(CMD_SPECIAL);
    let mut line = if odd && !program.contains('"') {
        // Carets would not do: it looks for the end of a program's name before it drops them.
        format!("\"{program}\"")
    } else {
        cmd_arguments(std::slice::from_ref(program))?
    };
    let rest = cmd_arguments(rest)?;
    if !rest.is_empty() {
        line.push(' ');
        line.push_str(&rest);
    }
    Ok(line)
}

/// A text of PowerShell's: in single quotes, all of which it knows doubled
/// (`about_Quoting_Rules`; the typographic ones count too).
pub fn powershell_text(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

/// Arguments of a command of PowerShell's: what looks like the name of a parameter is one, and
/// `-Switch:$true` sets a switch, as `powershell -File` reads them.
pub(super) fn powershell_arguments(words: &[String]) -> String {
    words
        .iter()
        .map(|word| powershell_argument(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn powershell_argument(word: &str) -> String {
    let Some(rest) = word.strip_prefix('-') else {
        return powershell_text(word);
    };
    let (name, value) = match rest.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (rest, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match value {
        _ if !is_name => powershell_text(word),
        None | Some("") => word.to_owned(),
        Some(value)
            if value.eq_ignore_ascii_case("$true") || value.eq_ignore_ascii_case("$false") =>
        {
            word.to_owned()
        }
        Some(value) => format!("-{name}:{}", powershell_text(value)),
    }
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
