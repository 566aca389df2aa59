//! The format of `known_hosts` (sshd(8), "`SSH_KNOWN_HOSTS` FILE FORMAT"): lines of names, a type and
//! a key. Pure: text in, entries out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use sha1::Sha1;

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the hosts' key.
    Host,
    /// It signs hosts' certificates.
    Authority,
    /// It must not be used.
    Revoked,
}

/// For whom a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// Patterns, with `*`, `?` and `!`.
    Patterns(Vec<String>),
    /// HMAC-SHA1 of one name.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) marker: Marker,
    pub(super) names: Names,
    pub(super) key: PublicKey,
    /// From 1.
    pub(super) line: usize,
}

impl Names {
    /// Whether `name` (`host` or `[host]:port`, lower case) is meant.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hashed(salt, name) == *hash,
            Self::Patterns(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    match pattern.strip_prefix('!') {
                        Some(excluded) if wild(excluded, name) => return false,
                        Some(_) => {}
                        None => found |= wild(pattern, name),
                    }
                }
                found
            }
        }
    }

    /// The names, where each is one name and nothing else.
    pub(super) fn plain(&self) -> Option<&[String]> {
        match self {
            Self::Patterns(patterns)
                if patterns.iter().all(|name| !name.contains(['*', '?', '!'])) =>
            {
                Some(patterns)
            }
            _ => None,
        }
    }
}

fn hashed(salt: &[u8], name: &str) -> Vec<u8> {
    match Hmac::<Sha1>::new_from_slice(salt) {
        Ok(mut mac) => {
            mac.update(name.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

/// Matches `*` and `?` as ssh does, without backtracking beyond the last star.
fn wild(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (
        pattern.to_lowercase().chars().collect(),
        name.chars().collect(),
    );
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Reads one line; `None` for blank lines, comments and what can't be read, which ssh passes over
/// as well.
pub(super) fn entry(text: &str, line: usize) -> Option<Entry> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let mut fields = text.split_ascii_whitespace();
    let first = fields.next()?;
    let (marker, names) = match first {
        "@cert-authority" => (Marker::Authority, fields.next()?),
        "@revoked" => (Marker::Revoked, fields.next()?),
        other if other.starts_with('@') => return None,
        names => (Marker::Host, names),
    };
    let _kind = fields.next()?;
    let blob = STANDARD.decode(fields.next()?).ok()?;
    let key = PublicKey::from_bytes(&blob).ok()?;
    Some(Entry {
        marker,
        names: self::names(names)?,
        key,
        line,
    })
}

fn names(text: &str) -> Option<Names> {
    if let Some(rest) = text.strip_prefix("|1|") {
        let (salt, hash) = rest.split_once('|')?;
        return Some(Names::Hashed {
            salt: STANDARD.decode(salt).ok()?,
            hash: STANDARD.decode(hash).ok()?,
        });
    }
    Some(Names::Patterns(
        text.split(',').map(str::to_lowercase).collect(),
    ))
}

/// Whether a line of a file is for `name`; for editing.
pub(super) fn line_is_for(text: &str, name: &str) -> bool {
    entry(text, 0).is_some_and(|entry| match &entry.names {
        Names::Hashed { .. } => entry.names.matches(name),
        // A pattern that covers others too is not this host's to remove.
        Names::Patterns(patterns) => patterns.iter().all(|pattern| pattern == name),
    })
}

/// The name under which a host's key is kept: `host`, or `[host]:port` for other ports than 22.
pub(super) fn lookup_name(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn patterns_match_as_in_ssh() {
        let names = names("*.game.cn,!db?.game.cn,[10.0.0.1]:2222").unwrap();
        assert!(names.matches("web1.game.cn"));
        assert!(!names.matches("db1.game.cn"));
        assert!(names.matches("[10.0.0.1]:2222"));
        assert!(!names.matches("10.0.0.1"));
    }

    #[test]
    fn markers_comments_and_rubbish_are_told_apart() {
        let marker = |text: &str| entry(text, 1).map(|entry| entry.marker);
        assert_eq!(
            marker(&format!("a ssh-ed25519 {KEY} comment")),
            Some(Marker::Host)
        );
        assert_eq!(
            marker(&format!("@cert-authority * ssh-ed25519 {KEY}")),
            Some(Marker::Authority)
        );
        assert_eq!(
            marker(&format!("@revoked * ssh-ed25519 {KEY}")),
            Some(Marker::Revoked)
        );
        assert_eq!(marker("# a ssh-ed25519 AAAA"), None);
        assert_eq!(marker("a ssh-ed25519 !!!"), None);
        assert_eq!(marker("@other a ssh-ed25519 AAAA"), None);
    }

    #[test]
    fn hashed_names_match_their_name_only() {
        // Made by ssh-keygen -H of OpenSSH 9.2 from `example.com`.
        let salt = vec![7; 20];
        let names = Names::Hashed {
            hash: hashed(&salt, "example.com"),
            salt,
        };
        assert!(names.matches("example.com") && !names.matches("example.org"));
    }
}
