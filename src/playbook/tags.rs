//! Which tasks `--tags` and `--skip-tags` choose.

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSelection {
    /// `--tags`; `all` where nothing was said.
    pub only: Vec<String>,
    /// `--skip-tags`.
    pub skip: Vec<String>,
}

impl Default for TagSelection {
    fn default() -> Self {
        Self::new(&[], &[])
    }
}

impl TagSelection {
    /// From the flags as given: each may hold several with commas between.
    pub fn new(only: &[String], skip: &[String]) -> Self {
        let split = |flags: &[String]| -> Vec<String> {
            let all = flags.iter().flat_map(|flag| flag.split(','));
            let all = all.map(|tag| tag.trim().to_owned());
            all.filter(|tag| !tag.is_empty()).collect()
        };
        let mut only = split(only);
        if only.is_empty() {
            only.push("all".to_owned());
        }
        Self {
            only,
            skip: split(skip),
        }
    }

    /// Whether a task with these tags (all that it has, inherited ones too) runs.
    pub fn chooses(&self, tags: &[impl AsRef<str>]) -> bool {
        let untagged = ["untagged"];
        let has = |list: &[String], tag: &str| list.iter().any(|each| each == tag);
        let shares = |list: &[String]| {
            if tags.is_empty() {
                untagged.iter().any(|tag| has(list, tag))
            } else {
                tags.iter().any(|tag| has(list, tag.as_ref()))
            }
        };
        let carries = |tag: &str| tags.iter().any(|each| each.as_ref() == tag);
        let wide = |list: &[String]| has(list, "all") || (has(list, "tagged") && !tags.is_empty());
        let chosen =
            carries("always") || shares(&self.only) || (wide(&self.only) && !carries("never"));
        let skipped = if has(&self.skip, "all") {
            !carries("always") || has(&self.skip, "always")
        } else {
            shares(&self.skip) || (has(&self.skip, "tagged") && !tags.is_empty())
        };
        chosen && !skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_choose_as_in_ansible() {
        let tasks: &[(&str, &[&str])] = &[
            ("plain", &[]),
            ("a", &["a"]),
            ("ab", &["a", "b"]),
            ("always", &["always"]),
            ("never", &["never", "debug"]),
            ("always_a", &["always", "a"]),
        ];
        let table = [
            ("", "", "plain a ab always always_a"),
            ("a", "", "a ab always always_a"),
            ("b,c", "", "ab always always_a"),
            ("tagged", "", "a ab always always_a"),
            ("untagged", "", "plain always always_a"),
            ("never", "", "always never always_a"),
            ("debug", "", "always never always_a"),
            ("all", "a", "plain always"),
            ("all", "always", "plain a ab"),
            ("all", "all", "always always_a"),
            ("all", "tagged", "plain"),
            ("all", "untagged", "a ab always always_a"),
            ("a", "b", "a always always_a"),
            ("none", "", "always always_a"),
        ];
        for (only, skip, expected) in table {
            let selection = TagSelection::new(&[only.to_owned()], &[skip.to_owned()]);
            let chosen: Vec<&str> = tasks
                .iter()
                .filter(|(_, tags)| selection.chooses(tags))
                .map(|(name, _)| *name)
                .collect();
            assert_eq!(
                chosen.join(" "),
                expected,
                "--tags {only} --skip-tags {skip}"
            );
        }
    }
}
