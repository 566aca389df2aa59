//! Paths on other hosts in a command line: what a login over the network can't reach from there.

/// Whether a command line names a share of another host: `\\server\share`.
pub fn names_a_share(line: &str) -> bool {
    line.match_indices(r"\\").any(|(at, found)| {
        let before = line.get(..at).unwrap_or_default();
        let rest = line.get(at + found.len()..).unwrap_or_default();
        let Some((server, share)) = rest.split_once('\\') else {
            return false;
        };
        let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '\\' || c == ':')
            && !server.is_empty()
            && server != "."
            && server.chars().all(is_name)
            && share.starts_with(|c: char| c.is_alphanumeric() || "_$".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::names_a_share;

    #[test]
    fn shares_of_other_hosts_are_seen_and_nothing_else() {
        for line in [
            r"copy \\files\game\a.zip D:\game",
            r#"dir "\\10.0.0.5\更新""#,
            r"net use x: \\files-1.corp\d$",
        ] {
            assert!(names_a_share(line), "{line}");
        }
        for line in [
            r"dir C:\\windows\\system32",
            r"type \\.\pipe\x",
            r"type \\?\C:\x",
            r"echo a\\b",
            r"dir \\",
            "dir",
        ] {
            assert!(!names_a_share(line), "{line}");
        }
    }
}
