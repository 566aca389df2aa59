//! WinRM by the crate `winrm-rs`, behind the same traits as ours: for CredSSP, and for Kerberos by the
//! system's libraries. Chosen per host by `ioms_winrm_client: winrm-rs`; built in with the cargo
//! feature of that name. docs/decisions/0004 says why it is not the default.
//!
//! Who the host is, is judged by ours, on a connection of its own before anything else; the crate is
//! then held to the very certificate that was judged. So authorities, pins, records and `--host-key`
//! mean the same with both clients.

mod command;
mod errors;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::winrm_rs::{
    AuthMethod, EncryptionMode, TlsProvider, WinrmClient, WinrmConfig, WinrmCredentials,
};
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use self::command::Open;
use self::errors::{Doing, explain};
use super::auth::complete;
use super::certificates::Certificates;
use super::hints;
use super::tls::secure;
use crate::base::digest::hex;
use crate::event::{ErrorKind, HostError, Timings};
use crate::target::{WinrmAuth, WinrmTarget};
use crate::transport::Kept;
use crate::transport::dial::dial;
use crate::transport::types::{Connection, ExecRequest, Process};

/// The crate has a limit for connecting always; this is for when there is none.
const UNLIMITED: Duration = Duration::from_hours(1);

/// Lines up to here pass through `cmd.exe`.
const LINE_MAX: usize = 8000;

/// Looks who is there, logs in, and opens a shell, which shows that the host lets us in.
pub(super) async fn connect(
    certificates: &Arc<Certificates>,
    target: &Arc<WinrmTarget>,
) -> Result<Arc<dyn Connection>, HostError> {
    possible(target)?;
    let mut stage = "connecting";
    let connecting = log_in(certificates, target, &mut stage);
    let limit = target.options.connect_timeout;
    if limit.is_zero() {
        return connecting.await;
    }
    match timeout(limit, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(HostError::new(
            ErrorKind::ConnectTimeout,
            format!(
                "{}:{}: no answer within {} while {stage}",
                target.address,
                target.port,
                crate::base::quantity::show_duration(limit)
            ),
        )
        .hint(hints::SILENT)),
    }
}

async fn log_in(
    certificates: &Arc<Certificates>,
    target: &Arc<WinrmTarget>,
    stage: &mut &str,
) -> Result<Arc<dyn Connection>, HostError> {
    let began = Instant::now();
    let certificate = look(certificates, target).await?;
    let connect = began.elapsed();
    *stage = "logging in";
    let session = Session {
        target: target.clone(),
        certificate,
        closing: CancellationToken::new(),
        tasks: Mutex::default(),
    };
    let client = session.client(Vec::new(), None)?;
    let shell = session.open(client.clone()).await?;
    Ok(Arc::new(LoggedIn {
        timings: Timings {
            connect,
            auth: began.elapsed().saturating_sub(connect),
        },
        client,
        first: Mutex::new(Some(shell)),
        kept: Kept::default(),
        session,
    }))
}

/// What the crate can't do is said before anything is sent, rather than left undone.
fn possible(target: &WinrmTarget) -> Result<(), HostError> {
    let options = &target.options;
    let refuse = |what: &str, hint: &str| {
        Err(HostError::new(
            ErrorKind::Unsupported,
            format!("the client winrm-rs {what}"),
        )
        .hint(hint))
    };
    if options.path != "/wsman" {
        return refuse("knows no path but /wsman", hints::OURS_CAN);
    }
    let bound = !matches!(options.auth, WinrmAuth::Basic | WinrmAuth::Certificate);
    if options.https && bound && !options.channel_binding && options.auth != WinrmAuth::Credssp {
        return refuse(
            "ties every login to the TLS connection (ansible_winrm_send_cbt can't be off)",
            hints::OURS_CAN,
        );
    }
    let kerberos = &options.kerberos;
    if options.auth == WinrmAuth::Kerberos {
        let service = kerberos.service.as_deref().unwrap_or("HTTP");
        let name = kerberos.hostname.as_ref().unwrap_or(&target.address);
        if service != "HTTP" || *name != target.address {
            return refuse(
                "asks for a ticket for HTTP and the host's address, and for no other name",
                hints::BY_NAME,
            );
        }
        if kerberos.kdc.is_some() {
            return refuse(
                "finds the key distribution centre by krb5.conf only",
                hints::BY_NAME,
            );
        }
    }
    complete(target)
}

/// Connects, and judges the host's certificate as with our own client. Gives its SHA-256; none over
/// HTTP.
async fn look(
    certificates: &Arc<Certificates>,
    target: &Arc<WinrmTarget>,
) -> Result<Option<String>, HostError> {
    let options = &target.options;
    let stream = dial(&target.address, target.port, options.connect_timeout)
        .await
        .map_err(hints::of_dialing)?;
    if !options.https {
        return Ok(None);
    }
    let secured = Box::pin(secure(certificates, target, stream)).await?;
    let shown = secured.stream.get_ref().1.peer_certificates();
    match shown.and_then(<[_]>::first) {
        Some(leaf) => Ok(Some(hex(&Sha256::digest(leaf)))),
        None => Err(HostError::new(
            ErrorKind::Certificate,
            format!("{}:{} shows no certificate", target.address, target.port),
        )),
    }
}

/// What all commands of a host need.
struct Session {
    target: Arc<WinrmTarget>,
    /// The SHA-256 of the certificate that was judged.
    certificate: Option<String>,
    /// Said when it is time to go.
    closing: CancellationToken,
    /// Each has a shell to delete.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Session {
    /// A client of the crate: variables and folder belong to it.
    fn client(
        &self,
        env: Vec<(String, String)>,
        chdir: Option<String>,
    ) -> Result<Arc<WinrmClient>, HostError> {
        let target = &self.target;
        let (domain, user) = match target.user.split_once('\\') {
            Some((domain, user)) => (domain, user),
            None => ("", target.user.as_str()),
        };
        let password = target
            .password
            .as_ref()
            .map_or("", |password| password.expose());
        let mut builder = WinrmClient::builder(config(target, env, chdir))
            .credentials(WinrmCredentials::new(user, password, domain))
            .tls_provider(TlsProvider::Ring);
        if let Some(certificate) = &self.certificate {
            builder = builder.pin_server_certificate_sha256(certificate);
        }
        let built = builder.build();
        let client = built.map_err(|error| explain(target, Doing::SettingUp, &error))?;
        Ok(Arc::new(client))
    }

    /// A shell, on a task of its own that sees to its end.
    async fn open(&self, client: Arc<WinrmClient>) -> Result<Open, HostError> {
        let (opening, task) = Open::start(client, self.target.clone(), self.closing.child_token());
        if let Ok(mut tasks) = self.tasks.lock() {
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
        opening.ready().await
    }
}

fn config(target: &WinrmTarget, env: Vec<(String, String)>, chdir: Option<String>) -> WinrmConfig {
    let options = &target.options;
    let auth = match options.auth {
        WinrmAuth::Negotiate | WinrmAuth::Ntlm => AuthMethod::Ntlm,
        WinrmAuth::Kerberos => AuthMethod::Kerberos,
        WinrmAuth::Basic => AuthMethod::Basic,
        WinrmAuth::Certificate => AuthMethod::Certificate,
        WinrmAuth::Credssp => AuthMethod::CredSsp,
    };
    // Sealed within TLS too, where it can be: then one login serves many messages. Else each message
    // would bring one of its own.
    let encryption = match options.auth {
        WinrmAuth::Negotiate | WinrmAuth::Ntlm | WinrmAuth::Kerberos => EncryptionMode::Always,
        WinrmAuth::Basic | WinrmAuth::Certificate | WinrmAuth::Credssp => EncryptionMode::Auto,
    };
    let limit = match options.connect_timeout {
        Duration::ZERO => UNLIMITED,
        limit => limit,
    };
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let certificate = options.client_certificate.as_ref();
    WinrmConfig {
        port: Some(target.port),
        use_tls: options.https,
        connect_timeout_secs: limit.as_secs().max(1),
        operation_timeout_secs: options.operation_timeout.as_secs().max(1),
        auth_method: auth,
        client_cert_pem: certificate.map(|(path, _)| text(path)),
        client_key_pem: certificate.map(|(_, path)| text(path)),
        encryption,
        working_directory: chdir,
        env_vars: env,
        ..WinrmConfig::default()
    }
}

/// The host as the crate takes it: it makes a URL of it.
fn host(target: &WinrmTarget) -> String {
    if target.address.contains(':') {
        format!("[{}]", target.address)
    } else {
        target.address.clone()
    }
}

/// A host that has let us in.
struct LoggedIn {
    session: Session,
    client: Arc<WinrmClient>,
    /// The shell that showed it, for the first command.
    first: Mutex<Option<Open>>,
    kept: Kept,
    timings: Timings,
}

impl LoggedIn {
    fn first(&self) -> Option<Open> {
        self.first.lock().ok().and_then(|mut first| first.take())
    }
}

impl Drop for LoggedIn {
    fn drop(&mut self) {
        self.session.closing.cancel();
    }
}

#[async_trait]
impl Connection for LoggedIn {
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError> {
        let line = line(&request)?.to_owned();
        let shell = if request.env.is_empty() && request.chdir.is_none() {
            match self.first() {
                Some(shell) => shell,
                None => self.session.open(self.client.clone()).await?,
            }
        } else {
            let client = self.session.client(request.env, request.chdir)?;
            self.session.open(client).await?
        };
        shell.run(line).await
    }

    fn kept(&self) -> &Kept {
        &self.kept
    }

    fn timings(&self) -> Timings {
        self.timings
    }

    fn is_closed(&self) -> bool {
        self.session.closing.is_cancelled()
    }

    async fn close(&self) {
        self.session.closing.cancel();
        let tasks = match self.session.tasks.lock() {
            Ok(mut tasks) => std::mem::take(&mut *tasks),
            Err(_) => return,
        };
        futures::future::join_all(tasks).await;
    }
}

/// What of a request the crate can carry. It knows no way around `cmd.exe`: what wants one goes through
/// it all the same if nothing in it means anything there.
fn line(request: &ExecRequest) -> Result<&str, HostError> {
    let line = std::str::from_utf8(&request.command).map_err(|_| {
        HostError::new(
            ErrorKind::Arguments,
            "the command is not UTF-8, which WinRM wants",
        )
    })?;
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./\\:".contains(c);
    let refused = if request.pty.is_some() {
        Some("has no terminals")
    } else if request.bare && (line.len() > LINE_MAX || !line.chars().all(plain)) {
        Some("starts no program but by cmd.exe, which takes no line over 8191 characters")
    } else {
        None
    };
    match refused {
        None => Ok(line),
        Some(why) => Err(HostError::new(
            ErrorKind::Unsupported,
            format!("the client winrm-rs {why}"),
        )
        .hint(hints::OURS_CAN)),
    }
}
