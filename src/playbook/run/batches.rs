//! The order of a play's hosts, and the batches they are taken in.

use std::sync::Arc;

use crate::base::digest;
use crate::base::quantity::Share;
use crate::base::value::Value;

/// Puts hosts, given in the order of the play's pattern, into the order that `order` names; an error
/// names those there are. `seed`: of a shuffle; the same one gives the same order, in every version.
pub(super) fn order(hosts: &mut [Arc<str>], order: Option<&str>, seed: u64) -> Result<(), String> {
    match order.unwrap_or("inventory") {
        "inventory" => {}
        "reverse_inventory" => hosts.reverse(),
        "sorted" => hosts.sort(),
        "reverse_sorted" => hosts.sort_by(|one, other| other.cmp(one)),
        "shuffle" => hosts.sort_by_cached_key(|host| {
            let mut hasher = digest::Hasher::default();
            hasher.update(&seed.to_le_bytes());
            hasher.update(host.as_bytes());
            hasher.finish()
        }),
        other => {
            return Err(format!(
                "there is no order `{other}`: write inventory, reverse_inventory, sorted, \
                 reverse_sorted or shuffle"
            ));
        }
    }
    Ok(())
}

/// The sizes of `serial`: a number, a percentage, or a list of both.
pub(super) fn sizes(serial: Option<&Value>) -> Result<Vec<Share>, String> {
    let one = |value: &Value| match value {
        // None and less than that mean all.
        Value::Int(number) => Ok(Share::Count(usize::try_from(*number).unwrap_or(0))),
        Value::String(text) | Value::Unsafe(text) => {
            Share::parse(text).map_err(|error| error.to_string())
        }
        other => Err(format!(
            "`serial` takes numbers and percentages, this is {}",
            other.kind()
        )),
    };
    match serial {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(items)) => items.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}

/// The batches of so many hosts, as ranges; the last size goes on for the rest.
pub(super) fn batches(total: usize, sizes: &[Share]) -> Vec<std::ops::Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    while start < total {
        let size = match sizes.get(batches.len()).or(sizes.last()) {
            None | Some(Share::Count(0)) => total,
            // A percentage that comes to nothing still means a host.
            Some(share) => share.of(total).max(1),
        };
        let end = start.saturating_add(size).min(total);
        batches.push(start..end);
        start = end;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(total: usize, serial: &Value) -> Vec<usize> {
        let sizes = sizes(Some(serial)).unwrap();
        batches(total, &sizes)
            .iter()
            .map(ExactSizeIterator::len)
            .collect()
    }

    #[test]
    fn batches_are_numbers_percentages_and_lists_of_which_the_last_goes_on() {
        assert_eq!(lengths(5, &Value::Int(2)), [2, 2, 1]);
        assert_eq!(lengths(5, &Value::Int(0)), [5]);
        assert_eq!(lengths(10, &Value::string("30%")), [3, 3, 3, 1]);
        assert_eq!(lengths(3, &Value::string("10%")), [1, 1, 1]);
        let list = Value::List(vec![Value::Int(1), Value::string("50%")]);
        assert_eq!(lengths(8, &list), [1, 4, 3]);
        assert_eq!(lengths(0, &list), [0usize; 0]);
        assert!(sizes(Some(&Value::string("many"))).is_err());
    }

    #[test]
    fn hosts_come_in_the_order_asked_for() {
        let given: Vec<Arc<str>> = ["b", "c", "a"].map(Arc::from).to_vec();
        let ordered = |name: Option<&str>| {
            let mut hosts = given.clone();
            order(&mut hosts, name, 7).map(|()| hosts.concat())
        };
        assert_eq!(ordered(None).unwrap(), "bca");
        assert_eq!(ordered(Some("reverse_inventory")).unwrap(), "acb");
        assert_eq!(ordered(Some("sorted")).unwrap(), "abc");
        assert_eq!(ordered(Some("reverse_sorted")).unwrap(), "cba");
        assert!(ordered(Some("random")).is_err());
    }

    #[test]
    fn a_shuffle_is_by_its_seed() {
        let shuffled = |seed| {
            let mut hosts: Vec<Arc<str>> = (0..20).map(|n| n.to_string().into()).collect();
            order(&mut hosts, Some("shuffle"), seed).unwrap();
            hosts
        };
        // A run may be resumed by a later version: this never changes.
        assert_eq!(
            shuffled(1).join(" "),
            "3 15 13 18 2 9 5 4 11 14 19 17 7 12 0 1 8 6 16 10"
        );
        assert_ne!(shuffled(1), shuffled(2));
        let (mut sorted, mut all) = (shuffled(1), shuffled(2));
        sorted.sort();
        all.sort();
        assert_eq!(sorted, all);
    }
}
