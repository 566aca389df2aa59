//! What somebody may have meant by a name that is not there.

/// The one of these names that is most like it, where one is.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|each| (similar::TextDiff::from_chars(name, each).ratio(), each))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(ratio, _)| *ratio > 0.5)
        .map(|(_, each)| each)
}

/// The one of these names that somebody meant who made a slip: two letters at most are other ones, too
/// many or missing.
pub fn misspelt<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|each| (distance(name, each), each))
        .min_by_key(|one| one.0)
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, each)| each)
}

/// How many letters to write, strike or replace make one name the other (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut corner = at;
        let mut left = at + 1;
        for (cell, d) in row
            .iter_mut()
            .zip(std::iter::once(None).chain(other.chars().map(Some)))
        {
            let above = *cell;
            if let Some(d) = d {
                left = (corner + usize::from(c != d)).min(above + 1).min(left + 1);
            }
            corner = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{misspelt, nearest};

    #[test]
    fn the_most_alike_name_is_offered_and_none_that_is_not() {
        assert_eq!(nearest("gmae.zip", ["game.zip", "tool"]), Some("game.zip"));
        assert_eq!(nearest("xyz", ["game.zip", "tool"]), None);
    }

    #[test]
    fn a_slip_is_two_letters_at_most() {
        let names = ["transport", "port", "path"];
        for (name, meant) in [
            ("transprot", Some("transport")),
            ("transpo", Some("transport")),
            ("ports", Some("port")),
            ("prot", Some("port")),
            ("port_https", None),
            ("trans", None),
            ("", None),
        ] {
            assert_eq!(misspelt(name, names), meant, "{name}");
        }
    }
}
