//! What is quoted comes back, by readers written down from Microsoft's rules.

use proptest::prelude::*;

use super::*;

/// `CommandLineToArgvW` behind the program's name.
fn argv(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
        if rest.peek().is_none() {
            return words;
        }
        let mut word = String::new();
        let mut quoted = false;
        while let Some(c) = rest.peek().copied() {
            if !quoted && (c == ' ' || c == '\t') {
                break;
            }
            let mut backslashes = 0;
            while rest.next_if_eq(&'\\').is_some() {
                backslashes += 1;
            }
            if rest.peek() == Some(&'"') {
                word.extend(std::iter::repeat_n('\\', backslashes / 2));
                rest.next();
                let literal = backslashes % 2 == 1;
                if literal || (quoted && rest.next_if_eq(&'"').is_some()) {
                    word.push('"');
                } else {
                    quoted = !quoted;
                }
            } else if backslashes > 0 {
                word.extend(std::iter::repeat_n('\\', backslashes));
            } else if let Some(c) = rest.next() {
                word.push(c);
            }
        }
        words.push(word);
    }
}

/// Whether `cmd.exe` would replace a variable in a command line. Before it sees carets or quotes, it
/// takes what stands between a `%` and the next `%` or `:` for a name; where there is no such
/// variable the `%` stays and the search goes on behind it. Here every name is a variable's that
/// doesn't begin with a caret.
fn expands(line: &str) -> bool {
    line.match_indices('%').any(|(at, _)| {
        let rest = &line[at + 1..];
        match rest.find(['%', ':']) {
            None => false,
            Some(0) => rest.starts_with(':'),
            Some(end) => rest[end..].contains('%') && !rest.starts_with('^'),
        }
    })
}

/// What `cmd.exe` makes of a line without variables: carets dropped outside of quotes. `None` where
/// it would act upon something.
fn cmd(line: &str) -> Option<String> {
    if expands(line) {
        return None;
    }
    let mut passed = String::new();
    let mut quoted = false;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '^' if !quoted => passed.push(rest.next()?),
            '"' => {
                quoted = !quoted;
                passed.push(c);
            }
            '&' | '|' | '<' | '>' | '(' | ')' | '%' | '!' if !quoted => return None,
            _ => passed.push(c),
        }
    }
    Some(passed)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn plain_words_stay_as_a_person_would_write_them() {
    let words = owned(&["echo", "hello", "a b", "c:\\d e\\", "50%", "x&y"]);
    assert_eq!(
        cmd_words(&words).unwrap(),
        r#"echo hello ^"a b^" ^"c:\d e\\^" 50^%^ x^&y"#
    );
    let words = owned(&[r"C:\Program Files (x86)\a.exe", "-v"]);
    assert_eq!(
        cmd_words(&words).unwrap(),
        r#""C:\Program Files (x86)\a.exe" -v"#
    );
}

#[test]
fn no_percent_sign_of_an_argument_names_a_variable() {
    assert!(expands("^%PATH:~0,3^%") && expands("%A%") && !expands("50% x"));
    assert_eq!(escaped("%PATH:~0,3%"), "^%^PATH:~0,3^%");
    assert_eq!(escaped("%%a"), "^%^%^a");
    assert!(matches!(
        cmd_words(&owned(&["C:\\%OS%\\a.exe"])),
        Err(Failure::Unsupported(_))
    ));
}

#[test]
fn a_line_break_is_refused_for_cmd_rather_than_cut() {
    assert!(matches!(
        cmd_words(&owned(&["echo", "a\nb"])),
        Err(Failure::Unsupported(_))
    ));
}

#[test]
fn parameters_of_powershell_stay_parameters() {
    let words = owned(&[
        "-Name",
        "it's",
        "-Force:$TRUE",
        "-Path:C:\\a b",
        "-5",
        "‘x",
        "$env:A",
        "-X:$x",
    ]);
    assert_eq!(
        powershell_arguments(&words),
        "-Name 'it''s' -Force:$TRUE -Path:'C:\\a b' '-5' '‘‘x' '$env:A' -X:'$x'"
    );
}

proptest! {
    #[test]
    fn any_arguments_arrive_in_a_program_as_they_are(words in prop::collection::vec("[^\0]{0,12}|[\\\\\" ]{0,6}", 0..5)) {
        prop_assert_eq!(argv(&arguments(&words)), words);
    }

    #[test]
    fn any_arguments_pass_cmd_as_they_are(words in prop::collection::vec("[^\0\r\n]{0,12}|[\\\\\"&^%:~A= ]{0,9}", 0..5)) {
        let line = cmd_arguments(&words).unwrap();
        let passed = cmd(&line).unwrap();
        prop_assert_eq!(argv(&passed), words);
    }
}

#[test]
fn a_batch_file_runs_no_part_of_its_arguments() {
    let line = batch_arguments(&owned(&["a b", "x&y", "plain", "50%", "a=b"])).unwrap();
    assert_eq!(cmd(&line).unwrap(), "\"a b\" \"x&y\" plain \"50%\" \"a=b\"");
    let refused = batch_arguments(&owned(&["a\"&calc&\""]));
    assert!(matches!(refused, Err(Failure::Unsupported(_))));
    assert!(batch_arguments(&owned(&["say \"hi\""])).is_ok());
}
