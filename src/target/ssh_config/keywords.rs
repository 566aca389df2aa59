//! The one table of `ssh_config` keywords: what is followed, what is harmless, and what would change
//! whom we talk to, as whom, or by which way, and is therefore refused.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Followed.
    Supported,
    /// Nothing of ours depends on it: passed over.
    Harmless,
    /// Bears on identity, authentication or routing: a host it applies to fails, unless the value is
    /// one of these.
    Unsupported(&'static [&'static str]),
}

/// One keyword.
#[derive(Debug, PartialEq, Eq)]
pub struct Keyword {
    /// As the manual writes it.
    pub name: &'static str,
    /// What becomes of it.
    pub class: Class,
    /// Older names.
    pub aliases: &'static [&'static str],
}

const fn yes(name: &'static str) -> Keyword {
    Keyword {
        name,
        class: Class::Supported,
        aliases: &[],
    }
}
const fn also(name: &'static str, aliases: &'static [&'static str]) -> Keyword {
    Keyword {
        name,
        class: Class::Supported,
        aliases,
    }
}
const fn idle(name: &'static str) -> Keyword {
    Keyword {
        name,
        class: Class::Harmless,
        aliases: &[],
    }
}
const fn not(name: &'static str, fine: &'static [&'static str]) -> Keyword {
    Keyword {
        name,
        class: Class::Unsupported(fine),
        aliases: &[],
    }
}

const NO: &[&str] = &["no", "false"];
const NONE: &[&str] = &["none"];

/// All keywords of OpenSSH 10 and its forerunners, and Debian's.
pub const KEYWORDS: &[Keyword] = &[
    yes("CertificateFile"),
    yes("Ciphers"),
    yes("ConnectTimeout"),
    yes("GlobalKnownHostsFile"),
    yes("HostKeyAlgorithms"),
    yes("HostKeyAlias"),
    yes("HostName"),
    yes("IdentitiesOnly"),
    yes("IdentityAgent"),
    yes("IdentityFile"),
    also(
        "KbdInteractiveAuthentication",
        &[
            "ChallengeResponseAuthentication",
            "SkeyAuthentication",
            "TISAuthentication",
        ],
    ),
    yes("KexAlgorithms"),
    yes("MACs"),
    yes("PasswordAuthentication"),
    yes("Port"),
    yes("PreferredAuthentications"),
    yes("ProxyCommand"),
    yes("ProxyJump"),
    also("PubkeyAcceptedAlgorithms", &["PubkeyAcceptedKeyTypes"]),
    also("PubkeyAuthentication", &["DSAAuthentication"]),
    yes("RefuseConnection"),
    yes("RevokedHostKeys"),
    yes("ServerAliveCountMax"),
    yes("ServerAliveInterval"),
    yes("StrictHostKeyChecking"),
    yes("User"),
    yes("UserKnownHostsFile"),
    not("AddressFamily", &["any"]),
    not("BindAddress", &[]),
    not("BindInterface", &[]),
    not("CASignatureAlgorithms", &[]),
    not("CanonicalizeHostname", NO),
    not("HostbasedAuthentication", NO),
    not("KnownHostsCommand", NONE),
    not("NoHostAuthenticationForLocalhost", NO),
    not("PKCS11Provider", NONE),
    not("ProxyUseFdpass", NO),
    not("RequiredRSASize", &[]),
    not("SecurityKeyProvider", &["internal"]),
    not("SmartcardDevice", NONE),
    not("Tunnel", NO),
    not("VerifyHostKeyDNS", NO),
    idle("AddKeysToAgent"),
    idle("BatchMode"),
    idle("CanonicalDomains"),
    idle("CanonicalizeFallbackLocal"),
    idle("CanonicalizeMaxDots"),
    idle("CanonicalizePermittedCNAMEs"),
    idle("ChannelTimeout"),
    idle("CheckHostIP"),
    idle("Cipher"),
    idle("ClearAllForwardings"),
    idle("Compression"),
    idle("CompressionLevel"),
    idle("ConnectionAttempts"),
    idle("ControlMaster"),
    idle("ControlPath"),
    idle("ControlPersist"),
    idle("DynamicForward"),
    idle("EnableEscapeCommandline"),
    idle("EnableSSHKeysign"),
    idle("EscapeChar"),
    idle("ExitOnForwardFailure"),
    idle("FallBackToRsh"),
    idle("FingerprintHash"),
    idle("ForkAfterAuthentication"),
    idle("ForwardAgent"),
    idle("ForwardX11"),
    idle("ForwardX11Timeout"),
    idle("ForwardX11Trusted"),
    idle("GatewayPorts"),
    idle("GSSAPIAuthentication"),
    idle("GSSAPIClientIdentity"),
    idle("GSSAPIDelegateCredentials"),
    idle("GSSAPIKexAlgorithms"),
    idle("GSSAPIKeyExchange"),
    idle("GSSAPIRenewalForcesRekey"),
    idle("GSSAPIServerIdentity"),
    idle("GSSAPITrustDns"),
    idle("HashKnownHosts"),
    idle("HostbasedAcceptedAlgorithms"),
    idle("HostbasedKeyTypes"),
    idle("IPQoS"),
    idle("KbdInteractiveDevices"),
    idle("KeepAlive"),
    idle("LocalCommand"),
    idle("LocalForward"),
    idle("LogLevel"),
    idle("LogVerbose"),
    idle("NumberOfPasswordPrompts"),
    idle("ObscureKeystrokeTiming"),
    idle("PermitLocalCommand"),
    idle("PermitRemoteOpen"),
    idle("Protocol"),
    idle("RekeyLimit"),
    idle("RemoteCommand"),
    idle("RemoteForward"),
    idle("RequestTTY"),
    idle("RhostsAuthentication"),
    idle("RhostsRSAAuthentication"),
    idle("RSAAuthentication"),
    idle("SendEnv"),
    idle("SessionType"),
    idle("SetEnv"),
    idle("StdinNull"),
    idle("StreamLocalBindMask"),
    idle("StreamLocalBindUnlink"),
    idle("SyslogFacility"),
    not("Tag", &[]),
    idle("TCPKeepAlive"),
    idle("TunnelDevice"),
    idle("UpdateHostKeys"),
    idle("UsePrivilegedPort"),
    idle("UseRoaming"),
    idle("UseRsh"),
    idle("VersionAddendum"),
    idle("VisualHostKey"),
    idle("WarnWeakCrypto"),
    idle("XAuthLocation"),
];

/// The keyword of a name, whatever its case.
pub fn find(name: &str) -> Option<&'static Keyword> {
    static INDEX: LazyLock<HashMap<String, &'static Keyword>> = LazyLock::new(|| {
        KEYWORDS
            .iter()
            .flat_map(|keyword| {
                std::iter::once(&keyword.name)
                    .chain(keyword.aliases)
                    .map(move |name| (name.to_ascii_lowercase(), keyword))
            })
            .collect()
    });
    INDEX.get(&name.to_ascii_lowercase()).copied()
}

/// The lists of `docs/ssh-config.md`.
pub fn markdown() -> String {
    let mut text = String::new();
    let list = |text: &mut String, title: &str, wanted: fn(&Class) -> bool| {
        let _ = writeln!(text, "\n## {title}\n");
        for keyword in KEYWORDS.iter().filter(|keyword| wanted(&keyword.class)) {
            let _ = write!(text, "- `{}`", keyword.name);
            for alias in keyword.aliases {
                let _ = write!(text, ", `{alias}`");
            }
            if let Class::Unsupported(fine @ [_, ..]) = keyword.class {
                let _ = write!(text, " (except `{}`)", fine.join("`, `"));
            }
            text.push('\n');
        }
    };
    list(&mut text, "Followed", |class| *class == Class::Supported);
    list(&mut text, "Refused for the hosts they apply to", |class| {
        matches!(class, Class::Unsupported(_))
    });
    list(&mut text, "Passed over", |class| *class == Class::Harmless);
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_lists_the_table() {
        let docs = include_str!("../../../docs/ssh-config.md");
        let generated = super::markdown();
        assert!(
            docs.ends_with(&generated),
            "docs/ssh-config.md should end with:\n{generated}"
        );
    }
}
