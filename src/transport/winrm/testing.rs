//! A WinRM host in this process, for tests: NTLM by the acceptor of `sspi`, sealed answers, and faults
//! wherever a test wants one. It runs nothing: what a command says is made up.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sspi::{
    AuthIdentity, AuthIdentityBuffers, BufferType, CredentialUse, DataRepresentation,
    EncryptionFlags, Ntlm, SecurityBuffer, SecurityBufferRef, SecurityStatus, ServerRequestFlags,
    Sspi as _, SspiImpl as _, Username,
};

use super::seal::unframe;
use crate::base::secret::Secret;
use crate::target::{
    HostKeyMode, KerberosOptions, ShellKind, Target, Via, WinrmAuth, WinrmClient, WinrmOptions,
    WinrmTarget,
};

/// What a test wants to happen to a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A body in an envelope, sealed.
    Body(String),
    /// A fault with its code, sealed.
    Fault(u32),
    /// A body whose seal is broken.
    Tampered(String),
    /// An answer without a seal.
    Open(u16, &'static str, &'static str),
    /// The request is done, and the connection gone without an answer.
    HangUp,
    /// So many bytes of the sealed answer, then the connection is gone.
    Cut(String, usize),
    /// The answer comes byte by byte.
    Slow(String),
    /// The answer comes after a while.
    Late(Duration, String),
}

/// A request that the host has seen.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// `Create`, `Receive`.
    pub(super) action: String,
    /// The envelope, opened.
    pub(super) envelope: String,
}

type Script = dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync;

/// The host.
pub(super) struct Host {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    script: Box<Script>,
    seen: Mutex<Vec<Request>>,
    bodies: Mutex<Vec<Vec<u8>>>,
    connections: Mutex<usize>,
}

pub(super) const PASSWORD: &str = "P@ss w0rd!";

impl Host {
    /// A host; `script` is asked about each request, with how many of its kind came before. What it
    /// has no opinion on gets an ordinary answer.
    pub(super) fn start(
        script: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
            bodies: Mutex::default(),
            connections: Mutex::default(),
        });
        let of_thread = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = of_thread.clone();
                std::thread::spawn(move || Connection::serve(stream, &shared));
            }
        });
        Self { port, shared }
    }

    /// How often each was asked for, in order of first appearance.
    pub(super) fn actions(&self) -> Vec<String> {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().map(|request| request.action.clone()).collect()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// All bodies as they came over the wire.
    pub(super) fn bodies(&self) -> Vec<Vec<u8>> {
        self.shared.bodies.lock().unwrap().clone()
    }

    /// How it is reached.
    pub(super) fn target(&self) -> Target {
        target(self.port, PASSWORD)
    }
}

/// A target on this machine.
pub(super) fn target(port: u16, password: &str) -> Target {
    Target {
        host: Arc::from("win1"),
        via: Via::Winrm(Arc::new(WinrmTarget {
            address: "127.0.0.1".to_owned(),
            port,
            user: "Administrator".to_owned(),
            password: Some(Secret::new(password)),
            options: Arc::new(options()),
        })),
        shell: ShellKind::Cmd,
        r#become: None,
        encoding: None,
        tmpdir: None,
    }
}

/// NTLM over HTTP.
pub(super) fn options() -> WinrmOptions {
    WinrmOptions {
        https: false,
        path: "/wsman".to_owned(),
        auth: WinrmAuth::Ntlm,
        client: WinrmClient::Ours,
        host_key: HostKeyMode::Strict,
        ca: None,
        pin: None,
        tls_name: None,
        client_certificate: None,
        channel_binding: true,
        kerberos: KerberosOptions::default(),
        connect_timeout: Duration::from_secs(5),
        operation_timeout: Duration::from_secs(2),
    }
}

/// The body of an ordinary answer.
pub(super) fn ordinary(action: &str) -> String {
    match action {
        "Create" => "<x:ResourceCreated><w:SelectorSet><w:Selector Name=\"ShellId\">SHELL</w:Selector></w:SelectorSet></x:ResourceCreated>".to_owned(),
        "Command" => "<rsp:CommandResponse><rsp:CommandId>COMMAND</rsp:CommandId></rsp:CommandResponse>".to_owned(),
        "Receive" => received("hi\r\n", Some(0)),
        _ => String::new(),
    }
}

/// Output, and the end where there is an exit code.
pub(super) fn received(output: &str, exit: Option<u32>) -> String {
    let output = STANDARD.encode(output);
    let state = match exit {
        Some(exit) => format!("State=\"x/CommandState/Done\"><rsp:ExitCode>{exit}</rsp:ExitCode>"),
        None => "State=\"x/CommandState/Running\">".to_owned(),
    };
    format!(
        "<rsp:ReceiveResponse><rsp:Stream Name=\"stdout\">{output}</rsp:Stream><rsp:CommandState {state}</rsp:CommandState></rsp:ReceiveResponse>"
    )
}

struct Connection<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    ntlm: Ntlm,
    credentials: Option<AuthIdentityBuffers>,
    logged_in: bool,
}

impl<'a> Connection<'a> {
    fn serve(stream: TcpStream, shared: &'a Shared) {
        *shared.connections.lock().unwrap() += 1;
        let mut ntlm = Ntlm::new();
        let identity = AuthIdentity {
            username: Username::new("Administrator", None).unwrap(),
            password: PASSWORD.to_owned().into(),
        };
        let credentials = ntlm
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Inbound)
            .with_auth_data(&identity)
            .execute(&mut ntlm)
            .unwrap()
            .credentials_handle;
        let mut connection = Self {
            stream,
            shared,
            ntlm,
            credentials,
            logged_in: false,
        };
        while let Some((head, body)) = connection.request() {
            if connection.answer(&head, body).is_none() {
                return;
            }
        }
    }

    fn request(&mut self) -> Option<(String, Vec<u8>)> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 65536];
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
                break end;
            }
            let count = self
                .stream
                .read(&mut chunk)
                .ok()
                .filter(|count| *count > 0)?;
            bytes.extend_from_slice(&chunk[..count]);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut body = bytes.split_off(end + 4);
        let length: usize = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        while body.len() < length {
            let count = self
                .stream
                .read(&mut chunk)
                .ok()
                .filter(|count| *count > 0)?;
            body.extend_from_slice(&chunk[..count]);
        }
        Some((head, body))
    }

    fn answer(&mut self, head: &str, body: Vec<u8>) -> Option<()> {
        self.shared.bodies.lock().unwrap().push(body.clone());
        if let Some(token) = header(head, "authorization") {
            assert!(body.is_empty(), "a login has no body");
            let token = STANDARD.decode(token.strip_prefix("Negotiate ").unwrap());
            return self.login(token.unwrap());
        }
        if !self.logged_in {
            return self.respond(401, "WWW-Authenticate: Negotiate\r\n", b"");
        }
        let envelope = self.unseal(&body);
        let action = between(
            &envelope,
            "<a:Action s:mustUnderstand=\"true\">",
            "</a:Action>",
        );
        let request = Request {
            action: action.rsplit('/').next().unwrap_or_default().to_owned(),
            envelope,
        };
        let before = {
            let mut seen = self.shared.seen.lock().unwrap();
            let before = seen
                .iter()
                .filter(|one| one.action == request.action)
                .count();
            seen.push(request.clone());
            before
        };
        let reply = (self.shared.script)(&request, before)
            .unwrap_or_else(|| Reply::Body(ordinary(&request.action)));
        self.reply(&request, reply)
    }

    fn reply(&mut self, request: &Request, reply: Reply) -> Option<()> {
        let id = between(&request.envelope, "<a:MessageID>", "</a:MessageID>").to_owned();
        match reply {
            Reply::Body(body) => {
                let sealed = self.seal(&envelope(&id, &body));
                self.sealed(200, &sealed)
            }
            Reply::Fault(code) => {
                let body = format!(
                    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>no</s:Text></s:Reason><s:Detail><f:WSManFault Code=\"{code}\"><f:Message>not now</f:Message></f:WSManFault></s:Detail></s:Fault>"
                );
                let sealed = self.seal(&envelope(&id, &body));
                self.sealed(500, &sealed)
            }
            Reply::Tampered(body) => {
                let mut sealed = self.seal(&envelope(&id, &body));
                let at = sealed.len() - 40;
                sealed[at] ^= 1;
                self.sealed(200, &sealed)
            }
            Reply::Open(status, kind, body) => self.respond(
                status,
                &format!("Content-Type: {kind}\r\n"),
                body.as_bytes(),
            ),
            Reply::HangUp => None,
            Reply::Cut(body, count) => {
                let sealed = self.seal(&envelope(&id, &body));
                let answer = http(200, SEALED, &sealed);
                let _ = self.stream.write_all(&answer[..answer.len() - count]);
                None
            }
            Reply::Slow(body) => {
                let sealed = self.seal(&envelope(&id, &body));
                for byte in http(200, SEALED, &sealed) {
                    self.stream.write_all(&[byte]).ok()?;
                    std::thread::sleep(Duration::from_micros(200));
                }
                Some(())
            }
            Reply::Late(after, body) => {
                std::thread::sleep(after);
                let sealed = self.seal(&envelope(&id, &body));
                self.sealed(200, &sealed)
            }
        }
    }

    fn login(&mut self, token: Vec<u8>) -> Option<()> {
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let builder = self
            .ntlm
            .accept_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        let status = self
            .ntlm
            .accept_security_context_impl(builder)
            .and_then(|mut step| step.resolve_to_result())
            .map(|result| result.status);
        match status {
            Ok(SecurityStatus::ContinueNeeded) => {
                let token = STANDARD.encode(&output[0].buffer);
                self.respond(
                    401,
                    &format!("WWW-Authenticate: Negotiate {token}\r\n"),
                    b"",
                )
            }
            Ok(_) if self.ntlm.complete_auth_token(&mut output).is_ok() => {
                self.logged_in = true;
                self.respond(200, "", b"")
            }
            _ => self.respond(401, "WWW-Authenticate: Negotiate\r\n", b""),
        }
    }

    fn unseal(&mut self, body: &[u8]) -> String {
        let sealed = unframe(body).unwrap();
        let (mut signature, mut message) = (sealed.signature.to_vec(), sealed.message.to_vec());
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut message),
        ];
        self.ntlm.decrypt_message(&mut buffers).unwrap();
        assert_eq!(message.len(), sealed.length);
        String::from_utf8(message).unwrap()
    }

    fn seal(&mut self, envelope: &str) -> Vec<u8> {
        let (mut signature, mut message) = (vec![0; 16], envelope.as_bytes().to_vec());
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut message),
        ];
        self.ntlm
            .encrypt_message(EncryptionFlags::empty(), &mut buffers)
            .unwrap();
        let head = format!(
            "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={}\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n",
            envelope.len()
        );
        let end = b"--Encrypted Boundary--\r\n".as_slice();
        [head.as_bytes(), &[16, 0, 0, 0], &signature, &message, end].concat()
    }

    fn sealed(&mut self, status: u16, body: &[u8]) -> Option<()> {
        self.stream.write_all(&http(status, SEALED, body)).ok()
    }

    fn respond(&mut self, status: u16, headers: &str, body: &[u8]) -> Option<()> {
        self.stream.write_all(&http(status, headers, body)).ok()
    }
}

const SEALED: &str = "Content-Type: multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"\r\n";

fn http(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} x\r\nServer: Microsoft-HTTPAPI/2.0\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn envelope(id: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header><a:RelatesTo>{id}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let Some((_, rest)) = text.split_once(from) else {
        return "";
    };
    rest.split_once(to).map_or("", |(found, _)| found)
}
