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

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_most_alike_name_is_offered_and_none_that_is_not() {
        assert_eq!(nearest("gmae.zip", ["game.zip", "tool"]), Some("game.zip"));
        assert_eq!(nearest("xyz", ["game.zip", "tool"]), None);
    }
}
