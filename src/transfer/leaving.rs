//! Links that lead out of the tree they are in. Pure.

/// Whether a link at `name` that leads to `to` may leave the tree, whose root has `above` parts of the
/// name. Up from a name in `to` it may: that could be another link, and where it leads is not known
/// here.
pub(super) fn leaves(name: &[u8], to: &[u8], above: usize) -> bool {
    let depth = name.split(|b| *b == b'/').count().saturating_sub(1);
    let mut up = depth.saturating_sub(above);
    if to.starts_with(b"/") || to.is_empty() || to.contains(&0) {
        return true;
    }
    for part in to.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if up == 0 => return true,
            b".." => up -= 1,
            _ => up = 0,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_may_lead_out_is_known_by_its_words() {
        assert!(leaves(b"a/link", b"../../x", 0) && leaves(b"link", b"/etc", 0));
        assert!(leaves(b"a/link", b"../x", 1) && leaves(b"link", b"", 0));
        assert!(!leaves(b"a/link", b"../x", 0) && !leaves(b"a/b/link", b".././x/y", 1));
        // `b` may be a link itself.
        assert!(leaves(b"link", b"b/../c", 0) && leaves(b"a/link", b"../b/..", 0));
    }
}
