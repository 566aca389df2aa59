//! The one table of connection variables: their names, the strongest first. Ours beat Ansible's;
//! of Ansible's own the older beats the newer, as its plugins have it.

/// What a variable decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the variables'")]
pub enum Property {
    Address,
    Port,
    User,
    Password,
    PrivateKey,
    Connection,
    ConnectTimeout,
    HostKeyChecking,
    ShellType,
    SshArgs,
    SshCommonArgs,
    SshExtraArgs,
    Become,
    BecomeUser,
    BecomeMethod,
    BecomePassword,
    BecomeExe,
    BecomeFlags,
    Tmpdir,
    OutputEncoding,
    LegacyCrypto,
    WinrmAddress,
    WinrmPort,
    WinrmUser,
    WinrmPassword,
    WinrmScheme,
    WinrmPath,
    WinrmTransport,
    WinrmCertValidation,
    WinrmCa,
    WinrmPin,
    WinrmTlsName,
    WinrmCertificate,
    WinrmCertificateKey,
    WinrmEncryption,
    WinrmConnectTimeout,
    WinrmOperationTimeout,
    WinrmReadTimeout,
    WinrmRealm,
    WinrmKdc,
    WinrmService,
    WinrmHostname,
    WinrmDelegation,
    WinrmKinitMode,
    WinrmChannelBinding,
    WinrmProxy,
    WinrmConfiguration,
    WinrmClient,
}

/// The names of a property. Ours start with `ioms_`: `port` or `user` alone often belong to the
/// application that an inventory describes.
pub fn names(property: Property) -> &'static [&'static str] {
    match property {
        Property::Address => &["ioms_address", "ansible_ssh_host", "ansible_host"],
        Property::Port => &["ioms_port", "ansible_ssh_port", "ansible_port"],
        Property::User => &["ioms_user", "ansible_ssh_user", "ansible_user"],
        Property::Password => &[
            "ioms_password",
            "ansible_ssh_password",
            "ansible_ssh_pass",
            "ansible_password",
        ],
        Property::PrivateKey => &[
            "ioms_private_key_file",
            "ansible_ssh_private_key_file",
            "ansible_private_key_file",
        ],
        Property::Connection => &["ioms_connection", "ansible_connection"],
        Property::ConnectTimeout => &[
            "ioms_connect_timeout",
            "ansible_ssh_timeout",
            "ansible_timeout",
        ],
        Property::HostKeyChecking => &[
            "ioms_host_key",
            "ansible_ssh_host_key_checking",
            "ansible_host_key_checking",
        ],
        Property::ShellType => &["ioms_shell_type", "ansible_shell_type"],
        Property::SshArgs => &["ioms_ssh_args", "ansible_ssh_args"],
        Property::SshCommonArgs => &["ioms_ssh_common_args", "ansible_ssh_common_args"],
        Property::SshExtraArgs => &["ioms_ssh_extra_args", "ansible_ssh_extra_args"],
        Property::Become => &[
            "ioms_become",
            "ansible_become",
            "ansible_sudo",
            "ansible_su",
        ],
        Property::BecomeUser => &[
            "ioms_become_user",
            "ansible_sudo_user",
            "ansible_su_user",
            "ansible_doas_user",
            "ansible_runas_user",
            "ansible_become_user",
        ],
        Property::BecomeMethod => &["ioms_become_method", "ansible_become_method"],
        Property::BecomePassword => &[
            "ioms_become_password",
            "ansible_sudo_pass",
            "ansible_su_pass",
            "ansible_doas_pass",
            "ansible_runas_pass",
            "ansible_become_pass",
            "ansible_become_password",
        ],
        Property::BecomeExe => &[
            "ioms_become_exe",
            "ansible_sudo_exe",
            "ansible_su_exe",
            "ansible_doas_exe",
            "ansible_become_exe",
        ],
        Property::BecomeFlags => &[
            "ioms_become_flags",
            "ansible_sudo_flags",
            "ansible_su_flags",
            "ansible_doas_flags",
            "ansible_runas_flags",
            "ansible_become_flags",
        ],
        Property::Tmpdir => &["ioms_tmpdir", "ansible_remote_tmp"],
        Property::OutputEncoding => &["output_encoding"],
        Property::LegacyCrypto => &["legacy_crypto"],
        property => super::winrm_names::names(property),
    }
}

/// The keyword of plays and tasks for a property, where there is one.
pub fn keyword(property: Property) -> Option<&'static str> {
    Some(match property {
        Property::Connection => "connection",
        Property::User | Property::WinrmUser => "remote_user",
        Property::Port | Property::WinrmPort => "port",
        Property::Become => "become",
        Property::BecomeUser => "become_user",
        Property::BecomeMethod => "become_method",
        Property::BecomeExe => "become_exe",
        Property::BecomeFlags => "become_flags",
        _ => return None,
    })
}

/// The programs whose own variables (`ansible_su_user`) bear on nothing else.
const METHODS: [&str; 4] = ["sudo", "su", "doas", "runas"];

/// Whether a name is another become method's: `ansible_sudo_user` says nothing of su.
pub fn is_of_another_method(name: &str, method: &str) -> bool {
    METHODS.iter().any(|other| {
        *other != method
            && name
                .strip_prefix("ansible_")
                .and_then(|rest| rest.strip_prefix(other))
                .is_some_and(|rest| rest.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::winrm_names;
    use super::*;

    #[test]
    fn the_documentation_lists_the_names() {
        let docs = include_str!("../../docs/variables.md");
        let general = [
            Property::Address,
            Property::Port,
            Property::User,
            Property::Password,
            Property::PrivateKey,
            Property::Connection,
            Property::ConnectTimeout,
            Property::HostKeyChecking,
            Property::ShellType,
            Property::SshArgs,
            Property::SshCommonArgs,
            Property::SshExtraArgs,
            Property::Become,
            Property::BecomeUser,
            Property::BecomeMethod,
            Property::BecomePassword,
            Property::BecomeExe,
            Property::BecomeFlags,
            Property::Tmpdir,
            Property::OutputEncoding,
            Property::LegacyCrypto,
        ];
        for property in general.into_iter().chain(winrm_names::PROPERTIES) {
            let line = format!("- `{}`\n", names(property).join("`, `"));
            assert!(docs.contains(&line), "docs/variables.md lacks: {line}");
        }
    }
}
