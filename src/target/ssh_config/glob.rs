//! Patterns of `Host` and `Match`: `*`, `?`, lists and negation (`ssh_config(5)`, PATTERNS).

/// Whether `text` fits `pattern`: `*` any number of characters, `?` one.
pub fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut next) = (0, 0);
    // Where to go on when a `*` must swallow one more byte: no recursion, so no blow-up.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((at, next + 1));
                next += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                at += 1;
                next += 1;
            }
            _ => match star {
                Some((from, after)) => {
                    star = Some((from + 1, after));
                    at = from + 1;
                    next = after;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(next..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Whether `text` fits one of the patterns and none that starts with `!`.
pub fn matches_list<'a>(text: &str, patterns: impl IntoIterator<Item = &'a str>) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(text, negated) => return false,
            Some(_) => {}
            None => found = found || matches(text, pattern),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_negation_select() {
        assert!(matches("web01.example", "web*.ex?mple"));
        assert!(!matches("web01", "web0"));
        assert!(matches("", "*"));
        assert!(matches_list("web1", ["web*", "!web2"]));
        assert!(!matches_list("web2", ["web*", "!web2"]));
        assert!(!matches_list("db", ["!web2"]));
        assert!(!matches(
            &"a".repeat(5000),
            &"a*".repeat(30).replace("a*a*", "a*b*")
        ));
    }
}
