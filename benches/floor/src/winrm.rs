//! The floor of a `WinRM` fan-out: NTLM and the seals of crate `sspi`, HTTP by hand, and nothing
//! else. Logs in, creates a shell, runs a command, fetches what it prints, deletes the shell.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use sspi::{
    AuthIdentity, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation,
    EncryptionFlags, Ntlm, SecurityBuffer, SecurityBufferRef, SecurityStatus, Sspi, SspiImpl,
    Username,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Tally;

/// How hosts are reached.
#[derive(Args)]
pub(crate) struct Winrm {
    #[arg(long)]
    user: String,
    /// Holds the password
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    #[arg(long)]
    port: u16,
    /// One address a line
    #[arg(long, value_name = "FILE")]
    hosts_file: PathBuf,
    #[arg(long)]
    command: String,
    /// Hosts at work at a time
    #[arg(long, default_value_t = 200)]
    forks: usize,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Sspi(#[from] sspi::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("HTTP status {0}")]
    Http(u16),
    #[error("an answer that can't be understood")]
    Answer,
    #[error("exit status {0}")]
    Status(String),
}

const PLAIN: &str = "application/soap+xml;charset=UTF-8";
const SEALED: &str = "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const OCTETS: &[u8] = b"application/octet-stream\r\n";
const CLOSING: &[u8] = b"--Encrypted Boundary--\r\n";
/// NTLM's signature.
const TOKEN: usize = 16;

/// Runs the command on all hosts.
pub(crate) async fn run(options: Winrm) -> Result<Tally, Error> {
    let hosts = fs::read_to_string(&options.hosts_file)?;
    let password = fs::read_to_string(&options.password_file)?;
    let user = Username::new(&options.user, None).map_err(|_| Error::Answer)?;
    let identity = Arc::new(AuthIdentity {
        username: user,
        password: password.trim_end_matches('\n').to_owned().into(),
    });
    let forks = options.forks;
    let options = Arc::new(options);
    let one = |address| host(options.clone(), identity.clone(), address);
    Ok(crate::fan_out(&hosts, forks, one).await)
}

/// One host; what its command printed.
async fn host(
    options: Arc<Winrm>,
    identity: Arc<AuthIdentity>,
    address: String,
) -> Result<Vec<u8>, Error> {
    let stream = TcpStream::connect((address.as_str(), options.port)).await?;
    stream.set_nodelay(true)?;
    let mut host = Host {
        stream,
        address,
        ntlm: Ntlm::new(),
        received: Vec::new(),
        messages: 0,
    };
    host.log_in(&identity).await?;
    let create = format!("{TRANSFER}/Create");
    let body = "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams>\
                <rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>";
    let answer = host.call(&create, None, body).await?;
    let shell = between(&answer, "<rsp:ShellId>", "</rsp:ShellId>").ok_or(Error::Answer)?;
    let shell = Some(shell.to_owned());
    let line = &options.command;
    let body = format!("<rsp:CommandLine><rsp:Command>{line}</rsp:Command></rsp:CommandLine>");
    let answer = host
        .call(&format!("{SHELL}/Command"), shell.as_deref(), &body)
        .await?;
    let command = between(&answer, "<rsp:CommandId>", "</rsp:CommandId>").ok_or(Error::Answer)?;
    let body = format!(
        "<rsp:Receive><rsp:DesiredStream CommandId=\"{command}\">stdout stderr</rsp:DesiredStream></rsp:Receive>"
    );
    let (status, output) = fetch(&mut host, shell.as_deref(), &body).await?;
    host.call(&format!("{TRANSFER}/Delete"), shell.as_deref(), "")
        .await?;
    match status.as_str() {
        "0" => Ok(output),
        _ => Err(Error::Status(status)),
    }
}

/// Fetches output until the command has ended: its exit code and its output.
async fn fetch(
    host: &mut Host,
    shell: Option<&str>,
    body: &str,
) -> Result<(String, Vec<u8>), Error> {
    let mut output = Vec::new();
    loop {
        let answer = host.call(&format!("{SHELL}/Receive"), shell, body).await?;
        for stream in answer.split("<rsp:Stream ").skip(1) {
            let text = between(stream, ">", "<").unwrap_or_default();
            output.extend(STANDARD.decode(text).map_err(|_| Error::Answer)?);
        }
        if let Some(status) = between(&answer, "<rsp:ExitCode>", "</rsp:ExitCode>") {
            return Ok((status.to_owned(), output));
        }
    }
}

/// A connection that is, or will be, logged in.
struct Host {
    stream: TcpStream,
    address: String,
    ntlm: Ntlm,
    received: Vec<u8>,
    messages: u32,
}

impl Host {
    async fn log_in(&mut self, identity: &AuthIdentity) -> Result<(), Error> {
        let mut credentials = self
            .ntlm
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Outbound)
            .with_auth_data(identity)
            .execute(&mut self.ntlm)?;
        let mut input = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
        for _ in 0..2 {
            let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
            let target = format!("HTTP/{}", self.address);
            let mut step = self
                .ntlm
                .initialize_security_context()
                .with_credentials_handle(&mut credentials.credentials_handle)
                .with_context_requirements(
                    ClientRequestFlags::CONFIDENTIALITY
                        | ClientRequestFlags::INTEGRITY
                        | ClientRequestFlags::SEQUENCE_DETECT
                        | ClientRequestFlags::REPLAY_DETECT,
                )
                .with_target_data_representation(DataRepresentation::Native)
                .with_target_name(&target)
                .with_input(&mut input)
                .with_output(&mut output);
            let step = self
                .ntlm
                .initialize_security_context_impl(&mut step)?
                .resolve_to_result()?;
            if matches!(
                step.status,
                SecurityStatus::CompleteAndContinue | SecurityStatus::CompleteNeeded
            ) {
                self.ntlm.complete_auth_token(&mut output)?;
            }
            let token = output
                .first()
                .map(|token| token.buffer.as_slice())
                .unwrap_or_default();
            let (status, token, _) = self.exchange(Some(token), PLAIN, b"").await?;
            match token {
                Some(token) => input = vec![SecurityBuffer::new(token, BufferType::Token)],
                None if status == 200 => return Ok(()),
                None => return Err(Error::Http(status)),
            }
        }
        Ok(())
    }

    /// An operation: the answer's envelope.
    async fn call(
        &mut self,
        action: &str,
        shell: Option<&str>,
        body: &str,
    ) -> Result<String, Error> {
        let selector = shell.map_or(String::new(), |id| {
            format!("<w:SelectorSet><w:Selector Name=\"ShellId\">{id}</w:Selector></w:SelectorSet>")
        });
        self.messages += 1;
        let envelope = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" xmlns:rsp=\"{SHELL}\">\
             <s:Header><a:To>http://{}/wsman</a:To><a:Action s:mustUnderstand=\"true\">{action}</a:Action>\
             <a:MessageID>uuid:{:032X}</a:MessageID><w:ResourceURI s:mustUnderstand=\"true\">{SHELL}/cmd</w:ResourceURI>\
             <w:MaxEnvelopeSize>512000</w:MaxEnvelopeSize><w:OperationTimeout>PT60S</w:OperationTimeout>{selector}\
             </s:Header><s:Body>{body}</s:Body></s:Envelope>",
            self.address, self.messages
        );
        let sealed = self.seal(envelope.as_bytes())?;
        let (status, _, answer) = self.exchange(None, SEALED, &sealed).await?;
        if status != 200 {
            return Err(Error::Http(status));
        }
        let answer = self.unseal(&answer)?;
        String::from_utf8(answer).map_err(|_| Error::Answer)
    }

    fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (mut token, mut data) = ([0; TOKEN], message.to_vec());
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut token),
            SecurityBufferRef::data_buf(&mut data),
        ];
        self.ntlm
            .encrypt_message(EncryptionFlags::empty(), &mut buffers)?;
        let mut body = format!(
            "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
             \tOriginalContent: type={PLAIN};Length={}\r\n\
             --Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n",
            message.len()
        )
        .into_bytes();
        body.extend([16, 0, 0, 0]);
        body.extend(token);
        body.extend(data);
        body.extend(CLOSING);
        Ok(body)
    }

    fn unseal(&mut self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let start = position(body, OCTETS).ok_or(Error::Answer)? + OCTETS.len() + 4;
        let sealed = body
            .get(start..)
            .and_then(|rest| rest.strip_suffix(CLOSING));
        let (token, data) = sealed
            .and_then(|sealed| sealed.split_at_checked(TOKEN))
            .ok_or(Error::Answer)?;
        let (mut token, mut data) = (token.to_vec(), data.to_vec());
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut token),
            SecurityBufferRef::data_buf(&mut data),
        ];
        self.ntlm.decrypt_message(&mut buffers)?;
        let [_, data] = buffers;
        Ok(data.data().to_vec())
    }

    /// A request and its answer: status, token, body.
    async fn exchange(
        &mut self,
        token: Option<&[u8]>,
        kind: &str,
        body: &[u8],
    ) -> Result<(u16, Option<Vec<u8>>, Vec<u8>), Error> {
        let authorization = token.map_or(String::new(), |token| {
            format!("Authorization: Negotiate {}\r\n", STANDARD.encode(token))
        });
        let mut request = format!(
            "POST /wsman HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\n{authorization}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend(body);
        self.stream.write_all(&request).await?;
        self.received.clear();
        let head = loop {
            self.read().await?;
            if let Some(end) = position(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text =
            String::from_utf8_lossy(self.received.get(..head).unwrap_or_default()).into_owned();
        let status = text
            .get(9..12)
            .and_then(|code| code.parse().ok())
            .ok_or(Error::Answer)?;
        let length = between(&text, "Content-Length: ", "\r\n").and_then(|n| n.parse().ok());
        let length: usize = length.unwrap_or(0);
        while self.received.len() < head + length {
            self.read().await?;
        }
        let token = between(&text, "WWW-Authenticate: Negotiate ", "\r\n");
        let token = token.and_then(|token| STANDARD.decode(token).ok());
        Ok((
            status,
            token,
            self.received.get(head..).unwrap_or_default().to_vec(),
        ))
    }

    async fn read(&mut self) -> Result<(), Error> {
        self.received.reserve(16 * 1024);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(Error::Io(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
