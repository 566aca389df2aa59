//! Globs as Python's `fnmatch` reads them: `*`, `?`, `[abc]`, `[!a-c]`; all else is itself.

/// Whether the whole name fits.
pub fn matches(glob: &str, name: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stands, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() || at < glob.len() {
        let next = match glob.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
                continue;
            }
            Some(_) => one(&glob, at, name.get(seen).copied()),
            None => None,
        };
        match (next, star) {
            (Some(next), _) => {
                at = next;
                seen += 1;
            }
            (None, Some((star_at, reach))) if reach < name.len() => {
                star = Some((star_at, reach + 1));
                at = star_at + 1;
                seen = reach + 1;
            }
            _ => return false,
        }
    }
    true
}

/// Where the glob goes on when what stands at `at` fits one character.
fn one(glob: &[char], at: usize, c: Option<char>) -> Option<usize> {
    let c = c?;
    match glob.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let negated = glob.get(at + 1) == Some(&'!');
            let start = at + 1 + usize::from(negated);
            // A `]` right behind the opening is one of the characters.
            let rest = glob.get(start + 1..).unwrap_or_default();
            let Some(length) = rest.iter().position(|c| *c == ']') else {
                return (c == '[').then_some(at + 1);
            };
            let end = start + 1 + length;
            let class = glob.get(start..end)?;
            (in_class(class, c) != negated).then_some(end + 1)
        }
        other => (*other == c).then_some(at + 1),
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let mut rest = class;
    while let [first, tail @ ..] = rest {
        if let ['-', last, after @ ..] = tail {
            if (*first..=*last).contains(&c) {
                return true;
            }
            rest = after;
        } else if *first == c {
            return true;
        } else {
            rest = tail;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_are_those_of_fnmatch() {
        for (glob, name, fits) in [
            ("web*", "web01", true),
            ("*", "", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("web0?", "web01", true),
            ("web0?", "web011", false),
            ("w*b*1", "web01", true),
            ("web[0-2]1", "web21", true),
            ("web[!0-2]1", "web21", false),
            ("web[!0-2]1", "web31", true),
            ("a[]]b", "a]b", true),
            ("a[b", "a[b", true),
            ("web{1,2}", "web1", false),
            ("web{1,2}", "web{1,2}", true),
            ("游戏*", "游戏01", true),
            ("Web*", "web1", false),
        ] {
            assert_eq!(matches(glob, name), fits, "{glob} {name}");
        }
    }

    proptest! {
        #[test]
        fn no_glob_makes_it_panic(glob in "[]a-c*?!\\[-]{0,12}", name in "[a-c\\[\\]-]{0,8}") {
            let _ = matches(&glob, &name);
        }

        #[test]
        fn a_name_fits_itself_and_a_star_anything(name in "[a-z0-9.-]{0,12}", cut in 0usize..12) {
            prop_assert!(matches(&name, &name));
            let cut = cut.min(name.len());
            let (before, behind) = name.split_at(cut);
            let globs = [format!("{before}*"), format!("*{behind}")];
            prop_assert!(globs.iter().all(|glob| matches(glob, &name)));
        }
    }
}
