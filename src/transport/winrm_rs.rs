//! WinRM by the crate `winrm-rs`, behind the same traits as ours: for CredSSP, and for Kerberos by the
//! system's libraries. Chosen per host by `ioms_winrm_client: winrm-rs`; built in with the cargo
//! feature of that name. docs/decisions/0004 says why it is not the default.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use winrm_rs::{
    AuthMethod, EncryptionMode, TlsProvider, WinrmClient, WinrmConfig, WinrmCredentials, WinrmError,
};

use super::types::{Connection, ExecRequest, Exit, Input, Output, OutputEvent, Process};
use crate::event::{ErrorKind, HostError, Stream, Timings};
use crate::target::{HostKeyMode, WinrmAuth, WinrmTarget};

/// The most bytes of standard input in one message: base64 makes four of three, and the envelope
/// that every host takes is 150 KiB.
const PIECE: usize = 64 * 1024;

/// How many pieces of output or input may wait.
const QUEUE: usize = 4;

/// Makes a client for the host and shows that it lets us in, by a shell that is opened and deleted.
pub(super) async fn connect(target: &WinrmTarget) -> Result<Arc<dyn Connection>, HostError> {
    let began = Instant::now();
    let client = Arc::new(client(target, Vec::new(), None)?);
    let shell = client
        .open_shell(&target.address)
        .await
        .map_err(|error| explain(target, error))?;
    let auth = began.elapsed();
    shell
        .close()
        .await
        .map_err(|error| explain(target, error))?;
    Ok(Arc::new(Client {
        target: target.clone(),
        timings: Timings {
            connect: Duration::ZERO,
            auth,
        },
    }))
}

fn client(
    target: &WinrmTarget,
    env: Vec<(String, String)>,
    chdir: Option<String>,
) -> Result<WinrmClient, HostError> {
    let options = &target.options;
    if options.path != "/wsman" {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            "winrm-rs knows no path but /wsman",
        ));
    }
    let auth = match options.auth {
        WinrmAuth::Negotiate | WinrmAuth::Ntlm => AuthMethod::Ntlm,
        WinrmAuth::Kerberos => AuthMethod::Kerberos,
        WinrmAuth::Basic => AuthMethod::Basic,
        WinrmAuth::Certificate => AuthMethod::Certificate,
        WinrmAuth::Credssp => AuthMethod::CredSsp,
    };
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let certificate = options.client_certificate.as_ref();
    let config = WinrmConfig {
        port: Some(target.port),
        use_tls: options.https,
        accept_invalid_certs: options.host_key == HostKeyMode::Off && options.pin.is_none(),
        connect_timeout_secs: options.connect_timeout.as_secs(),
        operation_timeout_secs: options.operation_timeout.as_secs().max(1),
        auth_method: auth,
        client_cert_pem: certificate.map(|(path, _)| text(path)),
        client_key_pem: certificate.map(|(_, path)| text(path)),
        encryption: if options.https {
            EncryptionMode::Auto
        } else {
            EncryptionMode::Always
        },
        working_directory: chdir,
        env_vars: env,
        ..WinrmConfig::default()
    };
    let (domain, user) = match target.user.split_once('\\') {
        Some((domain, user)) => (domain, user),
        None => ("", target.user.as_str()),
    };
    let password = target
        .password
        .as_ref()
        .map_or("", |password| password.expose());
    let mut builder = WinrmClient::builder(config)
        .credentials(WinrmCredentials::new(user, password, domain))
        .tls_provider(TlsProvider::Ring);
    if let Some(ca) = &options.ca {
        builder = builder.add_root_certificates_pem(ca);
    }
    if let Some(pin) = &options.pin {
        let hex: String = pin.iter().map(|byte| format!("{byte:02x}")).collect();
        builder = builder.pin_server_certificate_sha256(&hex);
    }
    builder.build().map_err(|error| explain(target, error))
}

/// "Connected" to a host: the crate keeps its own connections.
struct Client {
    target: WinrmTarget,
    timings: Timings,
}

#[async_trait]
impl Connection for Client {
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError> {
        if request.bare || request.pty.is_some() {
            return Err(HostError::new(
                ErrorKind::Unsupported,
                "winrm-rs has no terminals and no lines over 8191 characters",
            ));
        }
        let client = client(&self.target, request.env, request.chdir)?;
        let line = String::from_utf8_lossy(&request.command).into_owned();
        let (events, heard) = mpsc::channel(QUEUE);
        let (input, said) = mpsc::channel(QUEUE);
        let (begun, started) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let work = Work {
            client,
            target: self.target.clone(),
            events,
            said,
            ended,
        };
        tokio::spawn(work.run(line, begun));
        started.await.unwrap_or_else(|_| {
            Err(HostError::new(
                ErrorKind::Disconnected,
                "the client ended before the command was started",
            ))
        })?;
        Ok(Process {
            input: Box::new(ClientInput(Some(input))),
            output: Box::new(ClientOutput {
                heard,
                end: Some(end),
            }),
        })
    }

    fn timings(&self) -> Timings {
        self.timings
    }

    fn is_closed(&self) -> bool {
        false
    }

    async fn close(&self) {}
}

/// One command in a shell of its own, on a task of its own.
struct Work {
    client: WinrmClient,
    target: WinrmTarget,
    events: mpsc::Sender<OutputEvent>,
    said: mpsc::Receiver<Bytes>,
    ended: oneshot::Receiver<()>,
}

impl Work {
    async fn run(mut self, line: String, begun: oneshot::Sender<Result<(), HostError>>) {
        let host = self.target.address.clone();
        let shell = match self.client.open_shell(&host).await {
            Ok(shell) => shell,
            Err(error) => {
                let _ = begun.send(Err(explain(&self.target, error)));
                return;
            }
        };
        let command = match shell.start_command(&line, &[]).await {
            Ok(command) => command,
            Err(error) => {
                let _ = begun.send(Err(explain(&self.target, error)));
                let _ = shell.close().await;
                return;
            }
        };
        let _ = begun.send(Ok(()));
        let mut reads = true;
        loop {
            // Input first: a receive waits as long as the host has nothing to say.
            while reads {
                match self.said.try_recv() {
                    Ok(bytes) => reads = shell.send_input(&command, &bytes, false).await.is_ok(),
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => {
                        let _ = shell.send_input(&command, &[], true).await;
                        reads = false;
                    }
                }
            }
            let received = tokio::select! {
                received = self.client.receive_output_raw(&host, shell.shell_id(), &command) => received,
                _ = &mut self.ended => {
                    let _ = self.client.signal_terminate(&host, shell.shell_id(), &command).await;
                    break;
                }
            };
            let Ok(received) = received else { break };
            for (stream, bytes) in [
                (Stream::Stdout, received.stdout),
                (Stream::Stderr, received.stderr),
            ] {
                if !bytes.is_empty() {
                    let _ = self
                        .events
                        .send(OutputEvent::Data(stream, bytes.into()))
                        .await;
                }
            }
            if received.done {
                let status = received.exit_code.unwrap_or(0);
                let _ = self
                    .events
                    .send(OutputEvent::Exit(Exit::Status(status)))
                    .await;
                break;
            }
        }
        let _ = shell.close().await;
    }
}

struct ClientInput(Option<mpsc::Sender<Bytes>>);

#[async_trait]
impl Input for ClientInput {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), HostError> {
        while let (Some(input), false) = (&self.0, bytes.is_empty()) {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            input
                .send(piece)
                .await
                .map_err(|_| HostError::new(ErrorKind::RemoteIo, "the command reads no more"))?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.0 = None;
        Ok(())
    }
}

struct ClientOutput {
    heard: mpsc::Receiver<OutputEvent>,
    end: Option<oneshot::Sender<()>>,
}

#[async_trait]
impl Output for ClientOutput {
    async fn next(&mut self) -> OutputEvent {
        self.heard.recv().await.unwrap_or(OutputEvent::Closed)
    }

    async fn end(&mut self, _grace: Duration) -> Option<Result<(), HostError>> {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        // The shell is deleted after it, and what it has started dies with it.
        while self.heard.recv().await.is_some() {}
        Some(Ok(()))
    }

    async fn close(&mut self) {
        self.end = None;
        self.heard.close();
    }
}

fn explain(target: &WinrmTarget, error: WinrmError) -> HostError {
    let kind = match &error {
        WinrmError::AuthFailed(_) | WinrmError::Ntlm(_) | WinrmError::CredSsp(_) => {
            ErrorKind::AuthDenied
        }
        WinrmError::Timeout(_) => ErrorKind::ConnectTimeout,
        WinrmError::Http(error) if error.is_timeout() => ErrorKind::ConnectTimeout,
        WinrmError::Http(error) if error.is_connect() => ErrorKind::Refused,
        _ => ErrorKind::Protocol,
    };
    HostError::new(kind, format!("{}:{}: {error}", target.address, target.port)).hint(
        "this is what the crate winrm-rs says; without ioms_winrm_client our own client is used",
    )
}
