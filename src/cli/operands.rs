//! The positional arguments of `run`, `script` and `ping`: with `-g` all of them belong to the
//! work, without it the first is the pattern.

use super::CliError;

/// What stood where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operands {
    /// The pattern; `None` when only `--rerun` chooses.
    pub pattern: Option<String>,
    /// The work's own: a command line, a script's path.
    pub work: Option<String>,
}

/// Tells pattern and work apart. `needs_work`: one operand alone can't be a pattern. `has_words`:
/// the work stands after `--`. `rerun`: an earlier run gives both where they are missing.
pub fn operands(
    given: &[String],
    group: Option<&str>,
    needs_work: bool,
    has_words: bool,
    rerun: bool,
) -> Result<Operands, CliError> {
    let wants_work = needs_work && !has_words;
    let found = |pattern: Option<&str>, work: Option<&str>| {
        Ok(Operands {
            pattern: pattern.map(str::to_owned),
            work: work.map(str::to_owned),
        })
    };
    match (group, given) {
        (Some(group), []) => found(Some(group), None),
        (Some(group), [work]) if wants_work => found(Some(group), Some(work)),
        (None, [pattern, work]) if wants_work => found(Some(pattern), Some(work)),
        (None, [pattern]) if !wants_work => found(Some(pattern), None),
        (None, [work]) if rerun => found(None, Some(work)),
        (None, []) if rerun => found(None, None),
        (None, []) => Err(CliError::new("which hosts? no pattern was given")
            .hint("choose them with -g PATTERN; `all` is everybody")),
        (None, [_]) => Err(
            CliError::new("one argument alone could be the hosts or the work")
                .hint("give the hosts with -g PATTERN, or both: PATTERN and then the work"),
        ),
        (_, [.., last]) => Err(CliError::new(format!("`{last}` is one argument too many"))
            .hint("quote a command line as one word, or put its words after `--`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        given: &[&str],
        group: Option<&str>,
        words: bool,
        rerun: bool,
    ) -> Option<(String, String)> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let found = operands(&given, group, true, words, rerun).ok()?;
        Some((
            found.pattern.unwrap_or_default(),
            found.work.unwrap_or_default(),
        ))
    }

    #[test]
    fn the_first_operand_is_the_pattern_unless_a_flag_gives_it() {
        let pair = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        assert_eq!(
            of(&["web", "uptime"], None, false, false),
            pair("web", "uptime")
        );
        assert_eq!(
            of(&["uptime"], Some("web"), false, false),
            pair("web", "uptime")
        );
        assert_eq!(of(&["web"], None, true, false), pair("web", ""));
        assert_eq!(of(&[], Some("web"), true, false), pair("web", ""));
        assert_eq!(of(&["uptime"], None, false, true), pair("", "uptime"));
        assert_eq!(of(&[], None, false, true), pair("", ""));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        assert_eq!(of(&["uptime"], None, false, false), None);
        assert_eq!(of(&["echo", "hi"], Some("web"), false, false), None);
        assert_eq!(of(&["web", "uptime"], None, true, false), None);
        assert_eq!(of(&[], None, false, false), None);
    }
}
