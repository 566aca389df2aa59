//! Names and addresses of a loopback fleet's hosts.

/// The address of host `n`, counted from 0: 127.10.0.1, 127.10.0.2, ...
pub fn address(n: usize) -> String {
    format!("127.10.{}.{}", n / 254, n % 254 + 1)
}

/// The names of `n` hosts: three of four are web01, web02, ... and the fourth db01, db02, ...
pub fn host_names(n: usize) -> Vec<String> {
    // There are never fewer web servers than databases.
    let width = (n - n / 4).to_string().len().max(2);
    (0..n)
        .map(|i| {
            if is_database(i) {
                format!("db{:0width$}", i / 4 + 1)
            } else {
                format!("web{:0width$}", i - i / 4 + 1)
            }
        })
        .collect()
}

/// Whether host `n`, counted from 0, is a database server.
pub(crate) fn is_database(n: usize) -> bool {
    n % 4 == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_each_kind_on_its_own() {
        assert_eq!(
            host_names(8),
            [
                "web01", "web02", "web03", "db01", "web04", "web05", "web06", "db02"
            ]
        );
        assert_eq!(host_names(1000).last().map(String::as_str), Some("db250"));
    }

    #[test]
    fn addresses_are_distinct_and_never_of_a_net_or_broadcast() {
        let all: std::collections::HashSet<_> = (0..10_000).map(address).collect();
        assert_eq!(all.len(), 10_000);
        assert!(!all.iter().any(|a| a.ends_with(".0") || a.ends_with(".255")));
    }
}
