//! The requests of the Windows remote shell (MS-WSMV 3.1.4): what each asks for, as an envelope. It
//! knows nothing of how they travel.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::soap::{self, Head, escape};
use crate::base::secret::NamesOnly;
use crate::transport::Departure;

/// The resource that is a shell of `cmd.exe`.
pub(super) const CMD: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
/// The resource that is WinRM's configuration.
const CONFIG: &str = "http://schemas.microsoft.com/wbem/wsman/1/config";

const CREATE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
const DELETE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
const GET: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
const COMMAND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command";
const RECEIVE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";
const SEND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send";
const SIGNAL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Signal";

/// What 2008 R2 takes at most (`MaxEnvelopeSizekb` 150), and so what is asked for until a host says
/// otherwise.
pub(super) const ENVELOPE: usize = 153_600;

/// What WS-Management demands of everybody (DSP0226, R13.1-2): less is refused.
pub(super) const SMALLEST_ENVELOPE: usize = 8192;

/// The default since 2012. Hosts may allow more; what comes at once must fit into memory here, for
/// hundreds of hosts.
pub(super) const LARGEST_ENVELOPE: usize = 512_000;

/// What of an envelope is not for payload: its head, and the seal around it.
const OVERHEAD: usize = 4096;

/// What all requests to one host have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'a> {
    /// The address of the service.
    pub(super) to: &'a str,
    /// How long the host may take.
    pub(super) timeout: Duration,
    /// How long the answer may be.
    pub(super) max_envelope: usize,
}

/// How a shell is to be.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct ShellKey {
    /// Its variables.
    pub(super) env: Vec<(String, String)>,
    /// Its folder.
    pub(super) chdir: Option<String>,
}

impl fmt::Debug for ShellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShellKey")
            .field("env", &NamesOnly(&self.env))
            .field("chdir", &self.chdir)
            .finish_non_exhaustive()
    }
}

/// Where a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its shell.
    pub(super) shell: String,
    /// Its own name.
    pub(super) command: String,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// A new shell.
    Create(ShellKey),
    /// A command in it. `bare`: without `cmd.exe /C`.
    Command {
        shell: String,
        line: String,
        bare: bool,
        departure: Departure,
    },
    /// What the command has said.
    Receive(Place),
    /// What the command is to read; `end`: and no more.
    Send {
        place: Place,
        bytes: bytes::Bytes,
        end: bool,
    },
    /// Ctrl+C.
    Interrupt(Place),
    /// End it, or say that we have seen its end.
    Terminate(Place),
    /// No more shell.
    Delete(String),
    /// Who is there: for ways of logging in that have no handshake.
    Identify,
    /// The service's settings.
    Config,
}

impl Operation {
    /// Its name, for messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "opening a shell",
            Self::Command { .. } => "starting the command",
            Self::Receive(_) => "asking for output",
            Self::Send { .. } => "sending input",
            Self::Interrupt(_) => "interrupting the command",
            Self::Terminate(_) => "ending the command",
            Self::Delete(_) => "closing the shell",
            Self::Identify => "asking who is there",
            Self::Config => "asking for the service's settings",
        }
    }

    /// The request as text; `message_id` names it.
    pub(super) fn render(&self, common: &Common<'_>, message_id: &str) -> String {
        let head = Head {
            action: "",
            resource: CMD,
            to: common.to,
            message_id,
            timeout: common.timeout,
            max_envelope: common.max_envelope,
            options: &[],
            shell: None,
        };
        match self {
            Self::Create(key) => create(&head, key),
            Self::Command {
                shell, line, bare, ..
            } => command(&head, shell, line, *bare),
            Self::Receive(place) => receive(&head, place),
            Self::Send { place, bytes, end } => send(&head, place, bytes, *end),
            Self::Interrupt(place) => signal(&head, place, "ctrl_c"),
            Self::Terminate(place) => signal(&head, place, "terminate"),
            Self::Delete(shell) => {
                let head = Head {
                    action: DELETE,
                    shell: Some(shell),
                    ..head
                };
                soap::envelope(&head, |_| {})
            }
            Self::Identify => IDENTIFY.to_owned(),
            Self::Config => {
                let head = Head {
                    action: GET,
                    resource: CONFIG,
                    ..head
                };
                soap::envelope(&head, |_| {})
            }
        }
    }
}

/// DSP0226, 11: has no head.
const IDENTIFY: &str = concat!(
    r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" "#,
    r#"xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">"#,
    "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
);

/// How many bytes of input fit into one request of so many.
pub(super) fn payload(envelope: usize) -> usize {
    envelope.saturating_sub(OVERHEAD).max(1024) / 4 * 3
}

/// MS-WSMV 2.2.4.36. A shell that nobody knows of, as the answer to its creation was lost or we were
/// killed, is to go soon: after ten minutes without a request, where Windows' default is two hours. No code page is asked for: programs write in the one the host has, and what asks
/// for another changes it for all of them.
fn create(head: &Head<'_>, key: &ShellKey) -> String {
    let head = Head {
        action: CREATE,
        options: &[("WINRS_NOPROFILE", "FALSE")],
        ..*head
    };
    soap::envelope(&head, |out| {
        out.push_str("<rsp:Shell>");
        if !key.env.is_empty() {
            out.push_str("<rsp:Environment>");
            for (name, value) in &key.env {
                out.push_str("<rsp:Variable Name=\"");
                escape(out, name);
                out.push_str("\">");
                escape(out, value);
                out.push_str("</rsp:Variable>");
            }
            out.push_str("</rsp:Environment>");
        }
        if let Some(folder) = &key.chdir {
            out.push_str("<rsp:WorkingDirectory>");
            escape(out, folder);
            out.push_str("</rsp:WorkingDirectory>");
        }
        out.push_str(concat!(
            "<rsp:IdleTimeOut>PT600S</rsp:IdleTimeOut>",
            "<rsp:InputStreams>stdin</rsp:InputStreams>",
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        ));
    })
}

fn command(head: &Head<'_>, shell: &str, line: &str, bare: bool) -> String {
    let head = Head {
        action: COMMAND,
        shell: Some(shell),
        options: &[
            ("WINRS_CONSOLEMODE_STDIN", "FALSE"),
            ("WINRS_SKIP_CMD_SHELL", if bare { "TRUE" } else { "FALSE" }),
        ],
        ..*head
    };
    soap::envelope(&head, |out| {
        out.push_str("<rsp:CommandLine><rsp:Command>");
        escape(out, line);
        out.push_str("</rsp:Command></rsp:CommandLine>");
    })
}

fn receive(head: &Head<'_>, place: &Place) -> String {
    let head = Head {
        action: RECEIVE,
        shell: Some(&place.shell),
        // With it a silent command is a time-out of the operation, and no end of it.
        options: &[("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE")],
        ..*head
    };
    soap::envelope(&head, |out| {
        out.push_str("<rsp:Receive><rsp:DesiredStream CommandId=\"");
        escape(out, &place.command);
        out.push_str("\">stdout stderr</rsp:DesiredStream></rsp:Receive>");
    })
}

fn send(head: &Head<'_>, place: &Place, bytes: &[u8], end: bool) -> String {
    let head = Head {
        action: SEND,
        shell: Some(&place.shell),
        ..*head
    };
    soap::envelope(&head, |out| {
        out.reserve(bytes.len().div_ceil(3) * 4 + 256);
        out.push_str("<rsp:Send><rsp:Stream Name=\"stdin\" CommandId=\"");
        escape(out, &place.command);
        out.push_str(if end { "\" End=\"true\">" } else { "\">" });
        STANDARD.encode_string(bytes, out);
        out.push_str("</rsp:Stream></rsp:Send>");
    })
}

fn signal(head: &Head<'_>, place: &Place, name: &str) -> String {
    let head = Head {
        action: SIGNAL,
        shell: Some(&place.shell),
        ..*head
    };
    soap::envelope(&head, |out| {
        out.push_str("<rsp:Signal CommandId=\"");
        escape(out, &place.command);
        out.push_str(
            "\"><rsp:Code>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/",
        );
        out.push_str(name);
        out.push_str("</rsp:Code></rsp:Signal>");
    })
}
