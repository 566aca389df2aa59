//! Names from a host, judged before anything is done with them. Pure.

/// A name below a root, as a host gave it, in its parts.
pub(super) fn is_safe(name: &[u8]) -> bool {
    !name.starts_with(b"/")
        && !name.contains(&0)
        && name
            .split(|b| *b == b'/')
            .all(|part| !matches!(part, b"" | b"." | b"..") && part.len() <= 255)
}

/// The folder of a host within the destination: its name, what is unfit for a file name %-escaped.
pub fn folder_of(host: &str) -> String {
    let escaped: String = host
        .chars()
        .map(|c| match c {
            '/' | '\\' | '%' | '\0'..='\u{1f}' | '\u{7f}' => format!("%{:02X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    match escaped.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => escaped,
    }
}

/// What is typed, as a host is told it, and how many parts of a name its root has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// The root or pattern.
    pub(super) root: String,
    /// Whether it is the content of a folder that is wanted.
    pub(super) content: bool,
    /// Whether the host's shell is to expand it.
    pub(super) pattern: bool,
    parts: usize,
}

impl Typed {
    pub(super) fn new(text: &str, windows: bool) -> Self {
        let text = if windows {
            text.replace('\\', "/")
        } else {
            text.to_owned()
        };
        let unc = windows && text.starts_with("//");
        let mut root = String::new();
        for c in text.chars() {
            if c != '/' || !root.ends_with('/') {
                root.push(c);
            }
        }
        let content = root.ends_with('/') || matches!(root.as_str(), "." | ".." | "~");
        let trimmed = match root.trim_end_matches('/') {
            "" => "/",
            drive if windows && drive.ends_with(':') => root.as_str(),
            trimmed => trimmed,
        };
        let parts = parts(trimmed.as_bytes()).count();
        Self {
            content: content || parts == 0,
            pattern: trimmed.contains(['*', '?', '[']),
            parts,
            root: if unc {
                format!("/{trimmed}")
            } else {
                trimmed.to_owned()
            },
        }
    }

    /// The name under which a path of the host's lands; empty for the root of content. `None`: it is
    /// not below what was asked for.
    pub(super) fn lands(&self, path: &[u8]) -> Option<Vec<u8>> {
        let all: Vec<&[u8]> = parts(path).collect();
        // The root's own name is kept, unless it is the content that is wanted.
        let from = if self.content {
            self.parts
        } else {
            self.parts.checked_sub(1)?
        };
        if all.len() < self.parts {
            return None;
        }
        Some(all.get(from..)?.join(&b'/'))
    }
}

/// The parts of a path, without what means "here" or "home".
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/')
        .filter(|part| !matches!(*part, b"" | b"." | b"~"))
}

/// Whether a link at `name` that leads to `to` leaves the tree.
pub(super) fn leaves(name: &[u8], to: &[u8]) -> bool {
    let mut depth = name.split(|b| *b == b'/').count().saturating_sub(1);
    if to.starts_with(b"/") || to.is_empty() || to.contains(&0) {
        return true;
    }
    for part in to.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lands(typed: &str, path: &str) -> Option<String> {
        let landed = Typed::new(typed, false).lands(path.as_bytes())?;
        Some(String::from_utf8(landed).unwrap())
    }

    #[test]
    fn things_land_under_their_own_name_or_as_content() {
        assert_eq!(lands("/etc/hosts", "/etc/hosts").unwrap(), "hosts");
        assert_eq!(
            lands("/srv/site", "/srv/site/css/a.css").unwrap(),
            "site/css/a.css"
        );
        assert_eq!(
            lands("/srv/site/", "/srv/site/css/a.css").unwrap(),
            "css/a.css"
        );
        assert_eq!(
            lands("/var/log/*.log", "/var/log/a b.log").unwrap(),
            "a b.log"
        );
        assert_eq!(lands("/var//log/*", "/var/log/nginx/x").unwrap(), "nginx/x");
        assert_eq!(lands("~/a", "./a/b").unwrap(), "a/b");
        assert_eq!(lands("conf", "./conf/x").unwrap(), "conf/x");
        assert_eq!(lands(".", "./x").unwrap(), "x");
        let windows = Typed::new(r"C:\更新 文件\", true);
        assert_eq!(windows.root, "C:/更新 文件");
        assert_eq!(
            windows.lands("C:/更新 文件/a/b".as_bytes()).unwrap(),
            b"a/b"
        );
    }

    #[test]
    fn names_that_climb_are_not_safe() {
        for name in ["../x", "a/../b", "/etc", "", "a//b", ".", "a/.", "a\0b"] {
            assert!(!is_safe(name.as_bytes()), "{name:?}");
        }
        for name in ["a", "a/b", ".hidden", "..a", "a b\n", "文件/名"] {
            assert!(is_safe(name.as_bytes()), "{name:?}");
        }
        assert!(leaves(b"a/link", b"../../x") && leaves(b"link", b"/etc"));
        assert!(!leaves(b"a/link", b"../x") && !leaves(b"link", b"b/../c"));
    }

    #[test]
    fn a_hosts_folder_is_one_folder() {
        assert_eq!(folder_of("web01.example"), "web01.example");
        assert_eq!(folder_of("../x"), "..%2Fx");
        assert_eq!(folder_of(".."), "%2E%2E");
    }
}
