//! The names of WinRM's variables, the strongest first; a part of the table in `names`.

use super::names::Property;
use crate::base::nearest::misspelt;

/// All that are decided by WinRM's variables.
pub(super) const PROPERTIES: [Property; 27] = [
    Property::WinrmAddress,
    Property::WinrmPort,
    Property::WinrmUser,
    Property::WinrmPassword,
    Property::WinrmScheme,
    Property::WinrmPath,
    Property::WinrmTransport,
    Property::WinrmCertValidation,
    Property::WinrmCa,
    Property::WinrmPin,
    Property::WinrmTlsName,
    Property::WinrmCertificate,
    Property::WinrmCertificateKey,
    Property::WinrmEncryption,
    Property::WinrmConnectTimeout,
    Property::WinrmOperationTimeout,
    Property::WinrmReadTimeout,
    Property::WinrmRealm,
    Property::WinrmKdc,
    Property::WinrmService,
    Property::WinrmHostname,
    Property::WinrmDelegation,
    Property::WinrmKinitMode,
    Property::WinrmChannelBinding,
    Property::WinrmProxy,
    Property::WinrmConfiguration,
    Property::WinrmClient,
];

/// Variables of Ansible's plugins that decide nothing here.
const UNREAD: &[&str] = &[
    "ansible_psrp_connection_backoff",
    "ansible_psrp_credssp_auth_mechanism",
    "ansible_psrp_credssp_disable_tlsv1_2",
    "ansible_psrp_credssp_minimum_version",
    "ansible_psrp_ignore_proxy",
    "ansible_psrp_max_envelope_size",
    "ansible_psrp_reconnection_backoff",
    "ansible_psrp_reconnection_retries",
    "ansible_winrm_credssp_auth_mechanism",
    "ansible_winrm_credssp_disable_tlsv1_2",
    "ansible_winrm_credssp_minimum_version",
    "ansible_winrm_keytab",
    "ansible_winrm_kinit_args",
    "ansible_winrm_kinit_cmd",
    "ansible_winrm_kinit_env_vars",
];

/// What was meant by a variable that is named as WinRM's are and is none of them, but for a slip.
pub fn winrm_misspelt(variable: &str) -> Option<&'static str> {
    let prefixes = ["ansible_winrm_", "ansible_psrp_", "ioms_winrm_"];
    let prefix = prefixes
        .into_iter()
        .find(|prefix| variable.starts_with(prefix))?;
    let read = PROPERTIES.iter().flat_map(|property| names(*property));
    let all = || read.clone().chain(UNREAD).copied();
    if all().any(|name| name == variable) {
        return None;
    }
    let below = all().filter_map(|name| name.strip_prefix(prefix));
    let meant = misspelt(variable.strip_prefix(prefix)?, below)?;
    all().find(|name| name.strip_prefix(prefix) == Some(meant))
}

/// The names of what WinRM asks for. Of the two plugins of Ansible's only the chosen one's are read
/// ([`is_of_plugin`]); hosts behind SSH read none of them, and WinRM none of `ansible_ssh_*`.
pub(super) fn names(property: Property) -> &'static [&'static str] {
    match property {
        Property::WinrmAddress => &[
            "ioms_address",
            "ansible_winrm_host",
            "ansible_psrp_host",
            "ansible_host",
        ],
        Property::WinrmPort => &[
            "ioms_port",
            "ansible_winrm_port",
            "ansible_psrp_port",
            "ansible_port",
        ],
        Property::WinrmScheme => &[
            "ioms_winrm_scheme",
            "ansible_winrm_scheme",
            "ansible_psrp_protocol",
        ],
        Property::WinrmPath => &["ioms_winrm_path", "ansible_winrm_path", "ansible_psrp_path"],
        Property::WinrmCertValidation => &[
            "ioms_host_key",
            "ansible_winrm_server_cert_validation",
            "ansible_psrp_cert_validation",
        ],
        Property::WinrmCa => &[
            "ioms_winrm_ca",
            "ansible_winrm_ca_trust_path",
            "ansible_psrp_ca_cert",
            "ansible_psrp_cert_trust_path",
        ],
        Property::WinrmPin => &["ioms_winrm_cert_fingerprint"],
        Property::WinrmTlsName => &["ioms_winrm_tls_name"],
        Property::WinrmConnectTimeout => &[
            "ioms_connect_timeout",
            "ansible_psrp_connection_timeout",
            "ansible_timeout",
        ],
        Property::WinrmOperationTimeout => &[
            "ioms_winrm_operation_timeout",
            "ansible_winrm_operation_timeout_sec",
            "ansible_winrm_connection_timeout",
            "ansible_psrp_operation_timeout",
        ],
        Property::WinrmReadTimeout => &[
            "ansible_winrm_read_timeout_sec",
            "ansible_psrp_read_timeout",
        ],
        Property::WinrmProxy => &["ansible_winrm_proxy", "ansible_psrp_proxy"],
        Property::WinrmConfiguration => &["ansible_psrp_configuration_name"],
        Property::WinrmClient => &["ioms_winrm_client"],
        property => login_names(property),
    }
}

/// Those of logging in.
fn login_names(property: Property) -> &'static [&'static str] {
    match property {
        Property::WinrmUser => &[
            "ioms_user",
            "ansible_winrm_user",
            "ansible_psrp_user",
            "ansible_user",
        ],
        Property::WinrmPassword => &[
            "ioms_password",
            "ansible_winrm_password",
            "ansible_winrm_pass",
            "ansible_psrp_password",
            "ansible_password",
        ],
        Property::WinrmTransport => &[
            "ioms_winrm_transport",
            "ansible_winrm_transport",
            "ansible_psrp_auth",
        ],
        Property::WinrmCertificate => &[
            "ioms_winrm_cert_pem",
            "ansible_winrm_cert_pem",
            "ansible_psrp_certificate_pem",
        ],
        Property::WinrmCertificateKey => &[
            "ioms_winrm_cert_key_pem",
            "ansible_winrm_cert_key_pem",
            "ansible_psrp_certificate_key_pem",
        ],
        Property::WinrmEncryption => &[
            "ansible_winrm_message_encryption",
            "ansible_psrp_message_encryption",
        ],
        Property::WinrmRealm => &["ioms_winrm_realm", "ansible_winrm_realm"],
        Property::WinrmKdc => &["ioms_winrm_kdc"],
        Property::WinrmService => &[
            "ioms_winrm_service",
            "ansible_winrm_service",
            "ansible_psrp_negotiate_service",
        ],
        Property::WinrmHostname => &[
            "ioms_winrm_hostname",
            "ansible_winrm_kerberos_hostname_override",
            "ansible_psrp_negotiate_hostname_override",
        ],
        Property::WinrmDelegation => &[
            "ansible_winrm_kerberos_delegation",
            "ansible_psrp_negotiate_delegate",
        ],
        Property::WinrmKinitMode => &["ansible_winrm_kinit_mode"],
        Property::WinrmChannelBinding => &[
            "ioms_winrm_channel_binding",
            "ansible_winrm_send_cbt",
            "ansible_psrp_negotiate_send_cbt",
        ],
        _ => &[],
    }
}

/// Whether a name may speak where this plugin of Ansible's (`winrm`, `psrp`) is chosen. The passwords
/// of `ansible_winrm_*` are read by both plugins there.
pub(super) fn is_of_plugin(name: &str, plugin: &str) -> bool {
    match name.strip_prefix("ansible_") {
        Some("winrm_password" | "winrm_pass") | None => true,
        Some(rest) => ["winrm_", "psrp_"]
            .iter()
            .all(|other| !rest.starts_with(other) || other.trim_end_matches('_') == plugin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_known_by_its_beginning() {
        for (variable, meant) in [
            ("ansible_winrm_transprot", Some("ansible_winrm_transport")),
            ("ansible_psrp_protcol", Some("ansible_psrp_protocol")),
            ("ansible_winrm_kinit_cmds", Some("ansible_winrm_kinit_cmd")),
            ("ansible_psrp_transprot", None),
            ("ansible_winrm_enabled", None),
            ("ansible_winrm_port_https", None),
            ("ansible_winrm_", None),
            ("ansible_winrm_transport", None),
            ("ansible_winrm_kinit_cmd", None),
            ("ansible_ssh_winrm", None),
            ("winrm_port", None),
        ] {
            assert_eq!(winrm_misspelt(variable), meant, "{variable}");
        }
    }
}
