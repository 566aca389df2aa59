//! Names on Windows: which there can't be, told before anything is sent. (Microsoft Learn, "Naming
//! Files, Paths, and Namespaces".)

use crate::shell::conversation::Failure;
use crate::shell::files::HostPath;

/// How long one name may be, in UTF-16.
const NAME_MAX: usize = 255;

/// A user's path on a Windows host, with `/` between its names, as the other paths are joined.
pub fn path(text: &str) -> HostPath {
    HostPath::from(text.replace('\\', "/").as_str())
}

/// A path as text.
pub(super) fn text(path: &HostPath) -> Result<&str, Failure> {
    match path.as_str() {
        Some(text) if !text.contains('\0') => Ok(text),
        _ => Err(unfit(
            &path.to_string(),
            "is no name that Windows can have: it is not UTF-8",
        )),
    }
}

/// A path as text, if Windows can have one of that name.
pub(super) fn fits(path: &HostPath) -> Result<&str, Failure> {
    let text = text(path)?;
    let separators = ['/', '\\'];
    let mut chars = text.chars();
    let has_drive =
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    let rest = if has_drive {
        let rest = chars.as_str();
        if !rest.is_empty() && !rest.starts_with(separators) {
            let (drive, _) = text.split_at(2);
            return Err(unfit(
                text,
                &format!("says no place on drive {drive}: write {drive}\\{rest}"),
            ));
        }
        rest
    } else {
        text
    };
    for name in rest.split(separators) {
        if let Some(why) = why_not(name) {
            return Err(unfit(text, &why));
        }
    }
    Ok(text)
}

/// Refuses to remove a drive, a share, or the home folder.
pub(super) fn is_removable(path: &HostPath) -> Result<(), Failure> {
    let all = fits(path)?;
    let names: Vec<&str> = all
        .split(['/', '\\'])
        .filter(|name| !name.is_empty() && *name != "." && *name != "~" && !name.ends_with(':'))
        .collect();
    let is_share = all.starts_with("//") || all.starts_with("\\\\");
    if names.len() > if is_share { 2 } else { 0 } && !names.contains(&"..") {
        return Ok(());
    }
    Err(unfit(
        all,
        "is not removed: it is a drive, a share, or a way out of the home folder",
    ))
}

/// Why there can't be such a name.
pub(super) fn why_not(name: &str) -> Option<String> {
    if matches!(name, "" | "." | "..") {
        return None;
    }
    if let Some(c) = name.chars().find(|c| *c < ' ' || "<>:\"|?*".contains(*c)) {
        return Some(format!("holds {c:?}, which names on Windows can't"));
    }
    if name.ends_with(['.', ' ']) {
        return Some(format!(
            "`{name}` ends in a dot or a space, which Windows takes away"
        ));
    }
    if name.encode_utf16().count() > NAME_MAX {
        return Some(format!("a name in it is longer than {NAME_MAX} characters"));
    }
    if is_device(name) {
        return Some(format!("`{name}` is a device's name on Windows"));
    }
    None
}

/// Whatever their ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let is_port = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|n| {
            matches!(
                n,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
    };
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || is_port("COM")
        || is_port("LPT")
}

fn unfit(path: &str, why: &str) -> Failure {
    Failure::Unsupported(format!("{path}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match fits(&HostPath::from(text)) {
            Err(Failure::Unsupported(why)) => why,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn usual_paths_fit() {
        for text in [
            "C:\\更新 文件\\a [1].txt",
            "C:/x",
            "C:",
            "~/a",
            "~",
            "",
            "..\\x",
            "\\\\server\\share\\x",
            "//server/share/.x",
            "console.txt",
            "com10",
            "a/",
        ] {
            assert_eq!(fits(&HostPath::from(text)), Ok(text));
        }
    }

    #[test]
    fn names_that_windows_can_not_have_are_told_with_the_reason() {
        assert!(refused("C:/a/NUL.txt").contains("device"));
        assert!(refused("aux").contains("device"));
        assert!(refused("C:/a /b").contains("space"));
        assert!(refused("C:/a./b").contains("dot"));
        assert!(refused("a?b").contains("'?'"));
        assert!(refused("ab:c").contains("':'"));
        assert!(refused("a\nb").contains("'\\n'"));
        assert!(refused("C:x").contains("C:\\x"));
        assert!(refused(&"x".repeat(256)).contains("longer"));
        assert!(fits(&HostPath::new(b"\xff".to_vec())).is_err());
    }

    #[test]
    fn drives_shares_and_home_are_never_removed() {
        for text in ["C:/", "C:", "~", "", "/", "//server/share/", "a/..", "./"] {
            assert!(is_removable(&HostPath::from(text)).is_err(), "{text}");
        }
        for text in ["C:/x", "~/x", "x", "\\\\server\\share\\x"] {
            assert!(is_removable(&HostPath::from(text)).is_ok(), "{text}");
        }
    }
}
