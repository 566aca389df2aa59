//! Words of a line as Python's `shlex.split` cuts them: host lines of INI inventories, commands of tasks.

/// Splits a line into words as `shlex.split(line, comments)` does.
pub fn split(line: &str, comments: bool) -> Result<Vec<String>, &'static str> {
    const OPEN_SINGLE: &str = "a quote ' is not closed";
    const OPEN_DOUBLE: &str = "a quote \" is not closed";
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' if comments => break,
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(OPEN_SINGLE)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(OPEN_DOUBLE)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(OPEN_DOUBLE)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let escaped = chars.next().ok_or("nothing stands behind the last \\")?;
                word.get_or_insert_default().push(escaped);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_split_as_in_shlex() {
        let words = split(r#"web a=1 b='x y' c="p \"q\"" d=e\ f g=i#no"#, true).unwrap();
        assert_eq!(words, ["web", "a=1", "b=x y", "c=p \"q\"", "d=e f", "g=i"]);
        // A wide space does not separate.
        assert_eq!(split("甲\u{3000}乙", true).unwrap(), ["甲\u{3000}乙"]);
        assert!(
            split("a='b", true).is_err()
                && split("a=\"b\\", true).is_err()
                && split("a\\", true).is_err()
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = split(&text, true);
        }
    }
}
