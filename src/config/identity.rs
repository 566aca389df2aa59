//! What a file that came with somebody's project may not decide: whether hosts have to prove who
//! they are. Inventories, own settings and flags may.

use super::value::Value;

/// Options of ssh that say which keys are believed. `Include` and `-F` can bring in any of them.
pub(super) const OPTIONS: &[&str] = &[
    "StrictHostKeyChecking",
    "UserKnownHostsFile",
    "GlobalKnownHostsFile",
    "KnownHostsCommand",
    "HostKeyAlias",
    "RevokedHostKeys",
    "NoHostAuthenticationForLocalhost",
    "VerifyHostKeyDNS",
    "Include",
];

/// Whether a setting weakens, or could weaken, the check of host keys.
pub(super) fn weakens(setting: &str, value: &Value) -> bool {
    match (setting, value) {
        ("host_key", value) => *value != Value::Text("strict".into()),
        ("ssh_args" | "ssh_common_args" | "ssh_extra_args", Value::Text(text)) => arguments(text),
        _ => false,
    }
}

/// Whether arguments name one of the options. Quotes are taken away first, since they may stand
/// anywhere in a word, also within the command of a proxy.
fn arguments(text: &str) -> bool {
    let plain: String = text
        .replace("\\\n", "")
        .chars()
        .filter(|letter| !matches!(letter, '"' | '\'' | '\\'))
        .map(|letter| if letter == '=' { ' ' } else { letter })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.iter().any(|word| word.starts_with("-F")) {
        return true;
    }
    let plain = words.join(" ").to_ascii_lowercase() + " ";
    let plain = plain.replace("stricthostkeychecking yes ", "");
    OPTIONS
        .iter()
        .any(|option| plain.contains(&option.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_bear_on_identity_are_found_however_they_are_written() {
        for weak in [
            "-o StrictHostKeyChecking=no",
            "-o 'stricthostkeychecking no'",
            "-oStrict\"Host\"KeyChecking=accept-new",
            "-o UserKnownHostsFile=/dev/null",
            "-C -F other.conf",
            "-Fother.conf",
            "'-F' x",
            "-o ProxyCommand='ssh -o StrictHostKeyChecking=no -W %h:%p gate'",
        ] {
            assert!(arguments(weak), "{weak}");
        }
        for fine in [
            "-o ControlMaster=auto -o ControlPersist=60s",
            "-J gate -o Ciphers=aes256-ctr -i ~/.ssh/Finance",
            "-o StrictHostKeyChecking=yes",
            "-o ProxyCommand='ssh -W %h:%p -q gate'",
        ] {
            assert!(!arguments(fine), "{fine}");
        }
    }
}
