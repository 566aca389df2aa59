//! Patterns for the host's shell to expand: everything else in them is quoted.

use super::super::super::quote::Line;

/// Adds a path whose `*`, `?` and `[...]` are patterns (POSIX.1-2017, XCU 2.13).
pub(super) fn pattern(line: &mut Line, path: &[u8]) {
    let special = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b']' | b'!' | b'-');
    let mut rest = path;
    let mut in_brackets = false;
    while let Some(first) = rest.first() {
        // `!` and `-` mean something within brackets only.
        let meant =
            |b: &u8, inside: bool| special(b) && (inside || !matches!(b, b'!' | b'-' | b']'));
        if meant(first, in_brackets) {
            in_brackets = match first {
                b'[' => rest.contains(&b']'),
                b']' => false,
                _ => in_brackets,
            };
            let text = [*first];
            line.code(std::str::from_utf8(&text).unwrap_or("?"));
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let length = rest
            .iter()
            .position(|b| meant(b, in_brackets))
            .unwrap_or(rest.len());
        let (plain, after) = rest.split_at(length);
        line.bytes(plain);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str) -> String {
        let mut line = Line::default();
        pattern(&mut line, path.as_bytes());
        line.finish().trim_end().to_owned()
    }

    #[test]
    fn only_what_is_a_pattern_is_left_to_the_shell() {
        assert_eq!(said("/var/log/*.log"), "'/var/log/'*'.log'");
        assert_eq!(said("/a b/$(x)/?[a-c]!-"), "'/a b/$(x)/'?['a'-'c']'!-'");
    }
}
