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
    /// The root's parts; those that are patterns, or are not to be known again, are none.
    parts: Vec<Option<Vec<u8>>>,
    /// How many of them don't count for the name here: those before the root's own name, or before
    /// the first pattern.
    before: usize,
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
        let is_pattern = |part: &[u8]| part.iter().any(|b| b"*?[".contains(b));
        let first_pattern = parts(trimmed.as_bytes()).position(is_pattern);
        // Windows has more than one way to write a name.
        let known = |part: &[u8]| (!windows && !is_pattern(part)).then(|| part.to_vec());
        let parts: Vec<_> = parts(trimmed.as_bytes()).map(known).collect();
        let content = content || parts.is_empty();
        Self {
            content,
            pattern: first_pattern.is_some(),
            // `/home/*/.bashrc` is one of each home.
            before: match first_pattern {
                _ if content => parts.len(),
                Some(at) => at,
                None => parts.len().saturating_sub(1),
            },
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
        let known = |(part, name): (&Option<Vec<u8>>, &&[u8])| {
            part.as_ref().is_none_or(|part| part == *name)
        };
        if all.len() < self.parts.len() || !self.parts.iter().zip(&all).all(known) {
            return None;
        }
        Some(all.get(self.before..)?.join(&b'/'))
    }

    /// Whether a name here is what was asked for itself, not something below it.
    pub(super) fn is_root(&self, name: &[u8]) -> bool {
        !self.content && parts(name).count() == self.parts.len().saturating_sub(self.before)
    }

    /// How many parts of a name here are above what links may lead to.
    pub(super) fn above(&self) -> usize {
        usize::from(!self.content && !self.pattern)
    }
}

/// The parts of a path, without what means "here" or, at its beginning, "home".
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_prefix(b"~/").unwrap_or(path);
    let path = if path == b"~" { b"" } else { path };
    path.split(|b| *b == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
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
        assert_eq!(lands("/srv/site", "/srv/other/x"), None);
        assert_eq!(lands("/srv/*/x", "/etc/a/x"), None);
        assert_eq!(lands("/srv/a", "/srv/a/~/x").unwrap(), "a/~/x");
        assert_eq!(
            lands("/home/*/.profile", "/home/eva/.profile").unwrap(),
            "eva/.profile"
        );
        assert_eq!(lands("/home/*/", "/home/eva/x/y").unwrap(), "x/y");
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
    }

    #[test]
    fn a_hosts_folder_is_one_folder() {
        assert_eq!(folder_of("web01.example"), "web01.example");
        assert_eq!(folder_of("../x"), "..%2Fx");
        assert_eq!(folder_of(".."), "%2E%2E");
    }
}
