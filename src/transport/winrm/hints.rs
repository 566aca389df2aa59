//! What to do about what Windows refuses: the longer texts, in one place. No logic.

use super::fault::Quota;
use crate::event::{ErrorKind, HostError};

/// Nothing listens.
pub(super) const REFUSED: &str = "does WinRM listen there? on the host: `winrm enumerate winrm/config/listener`; \
     scripts/windows/winrm-https.ps1 opens 5986 (HTTPS), `winrm quickconfig` opens 5985 (HTTP) only. Is ansible_port right?";

/// No answer to the first packet.
pub(super) const SILENT: &str = "is the host up, and does its firewall let 5986 (HTTPS) or 5985 (HTTP) in? On a public network profile \
     Windows lets in its own subnet only; --connect-timeout waits longer";

/// The connection was cut while connecting.
pub(super) const RESET: &str = "the host or something before it hangs up: a listener for HTTPS (5986) does that to HTTP, one without a \
     certificate to everybody, and WinRM to those with too many connections (`winrm get winrm/config/service`, MaxConnections; fewer --forks)";

/// TLS without a common protocol or cipher.
pub(super) const NO_COMMON_TLS: &str = "Windows 2008 to 2012 R2 as installed offer only TLS 1.0 or CBC suites with an RSA certificate, which are \
     not spoken here. Ways out: enable TLS 1.2 and an ECDHE-GCM suite on the host; or give its listener an ECDSA certificate; \
     or HTTP with sealed messages (ansible_port: 5985, ansible_winrm_scheme: http); or OpenSSH on the host";

/// A connection, and then no word of TLS.
pub(super) const NO_TLS_ANSWER: &str = "the port takes connections but answers no TLS: is it the HTTP port? \
     5986 is HTTPS, 5985 is HTTP with sealed messages: set ansible_port and ansible_winrm_scheme to match";

/// What answered speaks no TLS.
pub(super) const NOT_TLS: &str = "5986 is HTTPS, 5985 is HTTP with sealed messages: set ansible_port and ansible_winrm_scheme to match";

/// A certificate that nobody vouches for.
pub(super) const UNKNOWN_CERTIFICATE: &str = "compare and accept it with `iomsctl hostkeys scan` and `approve`; or name its authority with \
     ansible_winrm_ca_trust_path; or run with --host-key accept-new";

/// A certificate that was replaced.
pub(super) const CHANGED_CERTIFICATE: &str = "if it was renewed: `iomsctl hostkeys forget`, then `scan` and `approve`; \
     else someone may stand between";

/// A certificate other than the pinned one.
pub(super) const NOT_PINNED: &str =
    "if it was renewed, pin the new one; else someone may stand between";

/// A certificate that is out of date.
pub(super) const EXPIRED: &str = "renew it on the host; check both clocks; \
     `iomsctl hostkeys scan` and `approve` accept it as it is";

/// A certificate for somebody else.
pub(super) const WRONG_NAME: &str = "reach the host by one of these names (ansible_host), or say which it must be for; \
     `iomsctl hostkeys scan` and `approve` accept it as it is";

/// A key or signature too weak for the library.
pub(super) const WEAK_CERTIFICATE: &str = "RSA keys under 2048 bits and MD5 or SHA-1 signatures are not accepted here: give the listener a new certificate, \
     or use HTTP with sealed messages (ansible_port: 5985, ansible_winrm_scheme: http), or OpenSSH";

/// 401 after a whole NTLM exchange.
pub(super) const LOGIN_DENIED: &str = "likely causes: a wrong password; a local account other than the built-in Administrator \
     (LocalAccountTokenFilterPolicy = 1 lets them in); not a member of Administrators or Remote Management Users; \
     a locked or expired account; NTLM refused by policy";

/// The same over TLS, where the login is tied to the connection.
pub(super) const LOGIN_DENIED_TLS: &str = "likely causes: a wrong password; a local account other than the built-in Administrator \
     (LocalAccountTokenFilterPolicy = 1 lets them in); not a member of Administrators or Remote Management Users; \
     a locked or expired account; NTLM refused by policy; \
     a proxy that ends TLS before the host, where CbtHardeningLevel is Strict";

/// The same with channel binding switched off.
pub(super) const LOGIN_DENIED_UNBOUND: &str = "likely causes: channel binding is switched off here \
     (ansible_winrm_send_cbt) and the host demands it (CbtHardeningLevel Strict); a wrong password; a local account other than the \
     built-in Administrator (LocalAccountTokenFilterPolicy); not a member of Administrators or Remote Management Users";

/// 401 to Basic.
pub(super) const BASIC_DENIED: &str = "likely causes: a wrong password; Basic serves local accounts only, no domain ones; \
     Basic is off on the host (`winrm set winrm/config/service/auth @{Basic=\"true\"}`); \
     a local account other than the built-in Administrator (LocalAccountTokenFilterPolicy)";

/// Basic is not among what the host offers.
pub(super) const BASIC_OFF: &str = "Basic is off on the host: `winrm set winrm/config/service/auth @{Basic=\"true\"}`, \
     or use ansible_winrm_transport: ntlm";

/// A refused client certificate.
pub(super) const CERTIFICATE_DENIED: &str = "on the host: `winrm set winrm/config/service/auth @{Certificate=\"true\"}`; the certificate's issuer must be trusted and \
     mapped to a local account (`winrm create winrm/config/service/certmapping`); and the port must ask for it while connecting: \
     `netsh http add sslcert ... clientcertnegotiation=enable`, as Windows else asks in a way that TLS libraries no longer speak";

/// 401 to Kerberos.
pub(super) const KERBEROS_DENIED: &str = "likely causes: a wrong password; clocks more than five minutes apart; a host name that is not the one of its \
     service principal (ansible_winrm_kerberos_hostname_override); not a member of Administrators or Remote Management Users";

/// The same over TLS, to which the ticket is not tied.
pub(super) const KERBEROS_DENIED_TLS: &str = "likely causes: a wrong password; clocks more than five minutes apart; a host name that is not the one of its \
     service principal (ansible_winrm_kerberos_hostname_override); not a member of Administrators or Remote Management Users; \
     CbtHardeningLevel Strict, which tickets from here don't meet: use ansible_winrm_transport: ntlm, or port 5985, whose messages are sealed";

/// Rights, seen by the service.
pub(super) const ACCESS_DENIED: &str = "the login is good, but the user may not open shells: make it a member of Administrators or Remote Management Users; \
     for local accounts set LocalAccountTokenFilterPolicy = 1; \
     see `winrm configsddl default` and `winrm get winrm/config/winrs`";

/// Remote shells are off.
pub(super) const NO_SHELLS: &str =
    "on the host: `winrm set winrm/config/winrs @{AllowRemoteShellAccess=\"true\"}`";

/// A program started without `cmd.exe`.
pub(super) const NO_PROGRAM: &str =
    "the program is not there: without cmd.exe its whole path is needed";

/// `chdir`.
pub(super) const NO_FOLDER: &str = "the folder that the command is to start in is not on the host";

/// Messages that are too large.
pub(super) const ENVELOPE: &str = "the message is larger than the host takes (`winrm get winrm/config`, MaxEnvelopeSizekb): \
     a very long command line is better a script";

/// The host answers HTTP, but is no WS-Management service.
pub(super) const NOT_WSMAN: &str = "what answers there is no WinRM service, or not under this path (ansible_winrm_path: wsman): \
     is there a proxy or another web server on the port?";

/// The service is overwhelmed, or starts.
pub(super) const BUSY: &str = "the WinRM service is starting, stopping or overwhelmed: `Get-Service WinRM` on the host; fewer --forks";

/// Something unsealed where all must be sealed.
pub(super) const NOT_SEALED: &str = "every message over HTTP is sealed; an open answer comes from something between, or from no Windows: use HTTPS, or look at what answers there";

/// Basic and certificates over HTTP.
pub(super) const NEEDS_TLS: &str = "use HTTPS (ansible_port: 5986, ansible_winrm_scheme: https); \
     over HTTP: ansible_winrm_transport: ntlm, whose messages are sealed";

/// `CredSSP`.
pub(super) const CREDSSP: &str = "build iomsctl with `--features winrm-rs`, and set ioms_winrm_client: winrm-rs for the host; \
     or do without: become: runas, or the delegated file transfer, need no second login";

/// winrm-rs.
pub(super) const WINRM_RS: &str = "build iomsctl with `--features winrm-rs`, or leave ioms_winrm_client out: the built-in client is the better one for most";

/// What only ours can do.
#[cfg(feature = "winrm-rs")]
pub(super) const OURS_CAN: &str = "our own client can: leave ioms_winrm_client out for this host";

/// Kerberos by the system's libraries.
#[cfg(feature = "winrm-rs")]
pub(super) const BY_NAME: &str = "reach the host by the name in its service principal (ansible_host), and let krb5.conf say where the key \
     distribution centre is";

/// No ticket, or one that is not good.
#[cfg(feature = "winrm-rs")]
pub(super) const NO_TICKET: &str = "winrm-rs logs in with the ticket of `kinit` (KRB5CCNAME, KRB5_CONFIG), whoever it is for; the password of the \
     inventory is not used";

/// NTLM belongs to a connection, and the crate can't hold on to one while it logs in.
#[cfg(feature = "winrm-rs")]
pub(super) const LOST_BY_WINRM_RS: &str = "or winrm-rs said the last word of the login on another connection, which looks the same: \
     our own client never does (leave ioms_winrm_client out)";

/// `CredSSP` is not among what the host takes.
#[cfg(feature = "winrm-rs")]
pub(super) const CREDSSP_OFF: &str =
    "CredSSP is off on the host as installed: `Enable-WSManCredSSP -Role Server -Force` there";

/// Another host than a moment ago.
#[cfg(feature = "winrm-rs")]
pub(super) const CHANGED_MEANWHILE: &str = "it is not the certificate that the host showed a moment ago: are there several hosts behind the address?";

/// Anything else.
#[cfg(feature = "winrm-rs")]
pub(super) const SAID_BY_WINRM_RS: &str =
    "this is what the crate winrm-rs says; without ioms_winrm_client our own client is used";

/// The command was on its way when the connection went.
pub(super) const MAY_HAVE_STARTED: &str =
    "the host took the request or did not; look before you run it again";

/// A seal that does not fit.
pub(super) const CHANGED_ON_THE_WAY: &str = "somebody or something between here and the host changes bytes: use HTTPS, and look for a proxy";

/// NTLM is switched off.
pub(super) const NTLM_REFUSED: &str = "a policy forbids NTLM there (`Network security: Restrict NTLM`): use Kerberos or, over HTTPS with a local account, basic";

/// 400 and 500 without an envelope.
pub(super) const NOT_UNDERSTOOD: &str = "the service did not take the message and says no more; its event log may \
     (Applications and Services Logs, Microsoft, Windows, Windows Remote Management)";

/// The limits of a host, and where they are set.
pub(super) fn quota(quota: Quota) -> &'static str {
    match quota {
        Quota::Shells => {
            "too many open shells of this user: on the host `winrm set winrm/config/winrs @{MaxShellsPerUser=\"50\"}` \
             (5 on 2008 R2, 30 since 2012); shells that were left open go after two hours, or with `Restart-Service WinRM`"
        }
        Quota::Operations => {
            "too many operations of this user at once: on the host \
             `winrm set winrm/config/service @{MaxConcurrentOperationsPerUser=\"1500\"}` (15 on 2008 R2)"
        }
        Quota::Users => {
            "too many users have shells open: on the host `winrm set winrm/config/winrs @{MaxConcurrentUsers=\"25\"}` (5 on 2008 R2)"
        }
        Quota::Commands => {
            "too many commands in one shell: on the host `winrm set winrm/config/winrs @{MaxProcessesPerShell=\"100\"}`"
        }
        Quota::Memory => {
            "not enough memory for a shell: on the host `winrm set winrm/config/winrs @{MaxMemoryPerShellMB=\"1024\"}` (150 on 2008 R2 and 2012 \
             without update KB2842230, which makes the setting work), or the machine itself has too little"
        }
        Quota::Throttled => {
            "the service throttles this user: fewer requests at once (--forks), or wait"
        }
        Quota::Other => {
            "the host's limits are reached: `winrm get winrm/config/winrs` and `winrm get winrm/config/service` show them"
        }
    }
}

/// What TCP says, with what it means where WinRM is expected.
pub(super) fn of_dialing(error: HostError) -> HostError {
    match error.kind {
        ErrorKind::Refused => error.hint(REFUSED),
        ErrorKind::ConnectTimeout => error.hint(SILENT),
        ErrorKind::Reset => error.hint(RESET),
        _ => error,
    }
}
