//! A host as inventories write it: a name or address, ranges in it, a port behind it.

use super::hostset;

/// The names that `web[01:03].example.com:2222` stands for, and the port.
pub(super) fn hosts(text: &str) -> Result<(Vec<String>, Option<u16>), String> {
    let (pattern, port) = split_port(text)?;
    let names = if pattern.contains('[') {
        hostset::expand(pattern).map_err(|error| error.to_string())?
    } else {
        vec![pattern.to_owned()]
    };
    if names.iter().any(String::is_empty) {
        return Err("a host without a name".into());
    }
    Ok((names, port))
}

/// Cuts `host:2222` and `[::1]:22` into host and port; `::1` is an address and has none.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if let Some((host, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && host.contains("::") | (host.matches(':').count() > 2)
    {
        return match after.strip_prefix(':') {
            Some(digits) => Ok((host, Some(port(digits, text)?))),
            None if after.is_empty() => Ok((host, None)),
            // A range at the beginning of an address.
            None => Ok((text, None)),
        };
    }
    let mut depth = 0usize;
    let mut colons = text.char_indices().filter(|(_, c)| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *c == ':' && depth == 0
    });
    match (colons.next(), colons.next()) {
        (Some((at, _)), None) => {
            let (host, rest) = text.split_at(at);
            let digits = rest.get(1..).unwrap_or_default();
            Ok((host, Some(port(digits, text)?)))
        }
        _ => Ok((text, None)),
    }
}

fn port(digits: &str, text: &str) -> Result<u16, String> {
    if digits.is_empty() {
        return Err(format!("`{text}`: a port is missing behind `:`"));
    }
    let port = digits.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| format!("`{text}`: `{digits}` is no port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_have_ranges_and_a_port() {
        let table: &[(&str, &[&str], Option<u16>)] = &[
            ("web01", &["web01"], None),
            ("web01:2222", &["web01"], Some(2222)),
            (
                "web[1:2].example.com:2222",
                &["web1.example.com", "web2.example.com"],
                Some(2222),
            ),
            (
                "[a:b].example.com",
                &["a.example.com", "b.example.com"],
                None,
            ),
            ("10.0.0.[1:2]:22", &["10.0.0.1", "10.0.0.2"], Some(22)),
            ("::1", &["::1"], None),
            ("2001:db8::1", &["2001:db8::1"], None),
            ("2001:db8::[a:b]", &["2001:db8::a", "2001:db8::b"], None),
            ("[2001:db8::1]:2222", &["2001:db8::1"], Some(2222)),
            ("[::1]", &["::1"], None),
            ("主机:22", &["主机"], Some(22)),
        ];
        for (text, names, port) in table {
            let (found, found_port) = hosts(text).unwrap();
            assert_eq!(
                (found.as_slice(), found_port),
                (&names.map_strings()[..], *port),
                "{text}"
            );
        }
        for text in ["web:", "web:ssh", "web:70000", "web:0", ":22", "web[1:"] {
            assert!(hosts(text).is_err(), "{text}");
        }
    }

    trait Strings {
        fn map_strings(&self) -> Vec<String>;
    }

    impl Strings for &[&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(ToString::to_string).collect()
        }
    }
}
