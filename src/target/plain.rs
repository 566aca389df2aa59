//! Names of hosts and users that may go into a command line: inventories come of tools and of other
//! teams, and `%h`, `%n` and `%r` stand unquoted in `ProxyCommand` and `Match exec`. The rules are
//! those of OpenSSH since 9.6 (CVE-2023-51385).

use crate::event::{ErrorKind, HostError};

fn refused(what: &str, text: &str, why: &str) -> HostError {
    HostError::new(
        ErrorKind::Arguments,
        format!("the {what} `{}` {why}", text.escape_debug()),
    )
    .hint(format!("correct it: no {what} is like that"))
}

/// An address or a name of a host, of any script.
pub(super) fn check_host(text: &str) -> Result<(), HostError> {
    if text.starts_with('-') {
        return Err(refused("host name", text, "begins with `-`"));
    }
    let bad = |c: char| r#"'`"$\;&<>|(){}"#.contains(c) || c.is_whitespace() || c.is_control();
    match text.chars().find(|c| bad(*c)) {
        None => Ok(()),
        Some(c) => {
            let why = format!("holds `{}`, which shells act on", c.escape_debug());
            Err(refused("host name", text, &why))
        }
    }
}

/// A user to log in as: `DOMAIN\name`, `name@domain`, names with spaces and machine accounts
/// (`name$`) exist.
pub(super) fn check_user(text: &str) -> Result<(), HostError> {
    if text.starts_with('-') {
        return Err(refused("user", text, "begins with `-`"));
    }
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let bad = "'`\";&<>|(){}".contains(c)
            || c.is_control()
            || (c.is_whitespace() && rest.peek() == Some(&'-'))
            || (c == '\\' && rest.peek().is_none())
            // Further than OpenSSH: `$IFS-o` would be an argument of its own.
            || (c == '$' && rest.peek().is_some());
        if bad {
            let why = format!("holds `{}`, which shells act on", c.escape_debug());
            return Err(refused("user", text, &why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_shells_act_on_are_refused() {
        for good in [
            "web1.example",
            "10.0.0.1",
            "fe80::1%eth0",
            "服务器-1",
            "münchen",
            "a_b",
        ] {
            assert!(check_host(good).is_ok(), "{good}");
        }
        for bad in [
            "$(touch${IFS}/tmp/x)",
            "a b",
            "a;b",
            "`id`",
            "-oProxyCommand=x",
            "a\nb",
            "a\u{3000}b",
            "a|b",
            "a\\b",
        ] {
            let error = check_host(bad).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Arguments, "{bad}");
        }
        for good in [
            "root",
            r"GAME\admin",
            "admin@game.cn",
            "John Smith",
            "web1$",
            "管理员",
        ] {
            assert!(check_user(good).is_ok(), "{good}");
        }
        for bad in [
            "-l", "a -oX", r"a\", "a;b", "$(id)", "a$IFS-oX", "a\0b", "a'b",
        ] {
            assert!(check_user(bad).is_err(), "{bad}");
        }
    }
}
