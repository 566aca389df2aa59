//! The client against a host in this process: what it sends, and what it makes of a host that fails.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::testing::{Host, PASSWORD, Reply, Request, options, ordinary, received, target};
use super::{Certificates, Winrm};
use crate::event::{ErrorKind, HostError, Stream};
use crate::target::{Target, Via, WinrmAuth, WinrmClient, WinrmOptions, WinrmTarget};
use crate::transport::types::{
    Connection, ExecRequest, Exit, OutputEvent, Process, Pty, Transport as _,
};

fn certificates() -> Arc<Certificates> {
    Arc::new(Certificates::new("/nonexistent/known_certificates".into()))
}

async fn connect(target: &Target) -> Result<Arc<dyn Connection>, HostError> {
    Winrm::new(certificates()).connect(target).await
}

async fn exec(connection: &Arc<dyn Connection>, line: &str) -> Result<Process, HostError> {
    let request = ExecRequest {
        command: Bytes::from(line.to_owned()),
        ..ExecRequest::default()
    };
    connection.exec(request).await
}

/// Everything that happens to a command without input.
async fn events(mut process: Process) -> Vec<OutputEvent> {
    process.input.close().await.unwrap();
    let mut events = Vec::new();
    loop {
        let event = process.output.next().await;
        let last = event == OutputEvent::Closed;
        events.push(event);
        if last {
            process.output.close().await;
            return events;
        }
    }
}

fn output(text: &str) -> OutputEvent {
    OutputEvent::Data(Stream::Stdout, Bytes::from(text.to_owned()))
}

fn exit(status: i32) -> OutputEvent {
    OutputEvent::Exit(Exit::Status(status))
}

fn lost(event: &OutputEvent) -> &HostError {
    match event {
        OutputEvent::Lost(error) => error,
        other => panic!("{other:?}"),
    }
}

/// A script that says something to the nth request of a kind, and nothing to all others.
fn at(
    action: &'static str,
    nth: usize,
    reply: Reply,
) -> impl Fn(&Request, usize) -> Option<Reply> + Send + Sync {
    move |request, before| (request.action == action && before == nth).then(|| reply.clone())
}

#[tokio::test]
async fn one_command_takes_four_messages_on_one_connection_and_all_are_sealed() {
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    let process = exec(&connection, "echo hi & whoami").await.unwrap();
    assert_eq!(
        events(process).await,
        [output("hi\r\n"), exit(0), OutputEvent::Closed]
    );
    connection.close().await;
    assert_eq!(host.actions(), ["Create", "Command", "Receive", "Delete"]);
    assert_eq!(host.connections(), 1);
    let command = &host.requests()[1].envelope;
    assert!(command.contains("<rsp:Command>echo hi &amp; whoami</rsp:Command>"));
    for body in host.bodies() {
        assert!(body.is_empty() || body.starts_with(b"--Encrypted Boundary"));
        let readable = [b"Envelope".as_slice(), b"whoami", PASSWORD.as_bytes()];
        for text in readable {
            assert!(!body.windows(text.len()).any(|part| part == text));
        }
    }
    assert!(connection.is_closed());
}

#[tokio::test]
async fn a_shell_is_used_again_and_the_host_is_told_that_the_last_command_was_seen() {
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    for _ in 0..2 {
        events(exec(&connection, "x").await.unwrap()).await;
    }
    connection.close().await;
    assert_eq!(
        host.actions(),
        [
            "Create", "Command", "Receive", "Signal", "Command", "Receive", "Delete"
        ]
    );
    assert!(host.requests()[3].envelope.contains("signal/terminate"));
}

#[tokio::test]
async fn variables_and_folders_are_a_shells_own() {
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    for folder in [None, Some(r"C:\数据".to_owned()), None] {
        let request = ExecRequest {
            command: Bytes::from_static(b"cd"),
            env: vec![("A".to_owned(), "1 & 2".to_owned())],
            chdir: folder,
            ..ExecRequest::default()
        };
        events(connection.exec(request).await.unwrap()).await;
    }
    connection.close().await;
    let created: Vec<String> = host
        .requests()
        .into_iter()
        .filter(|request| request.action == "Create")
        .map(|request| request.envelope)
        .collect();
    assert_eq!(created.len(), 2);
    assert!(created[0].contains("<rsp:Variable Name=\"A\">1 &amp; 2</rsp:Variable>"));
    assert!(created[1].contains(r"<rsp:WorkingDirectory>C:\数据</rsp:WorkingDirectory>"));
}

#[tokio::test]
async fn a_silent_command_is_asked_again_until_it_says_something() {
    let host = Host::start(|request, before| match (&*request.action, before) {
        ("Receive", 0..3) => Some(Reply::Fault(2_150_858_793)),
        ("Receive", 3) => Some(Reply::Body(received("at last", None))),
        ("Receive", _) => Some(Reply::Body(received("", Some(0xC000_013A)))),
        _ => None,
    });
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(
        events,
        [output("at last"), exit(-1_073_741_510), OutputEvent::Closed]
    );
    connection.close().await;
    // It was still running, so it was told that there is no input: once.
    let sends = host
        .actions()
        .iter()
        .filter(|action| *action == "Send")
        .count();
    assert_eq!(sends, 1);
}

#[tokio::test]
async fn a_question_that_is_given_up_half_way_loses_nothing() {
    let host = Host::start(at(
        "Receive",
        0,
        Reply::Late(Duration::from_millis(300), received("late", Some(3))),
    ));
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    process.input.close().await.unwrap();
    let soon = Duration::from_millis(100);
    assert!(
        tokio::time::timeout(soon, process.output.next())
            .await
            .is_err()
    );
    assert_eq!(process.output.next().await, output("late"));
    assert_eq!(process.output.next().await, exit(3));
    assert_eq!(process.output.next().await, OutputEvent::Closed);
    connection.close().await;
}

#[tokio::test]
async fn nothing_is_asked_while_nobody_waits() {
    let host = Host::start(|request, _| {
        (request.action == "Receive").then(|| Reply::Body(received("ready", None)))
    });
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "powershell").await.unwrap();
    process
        .input
        .write(Bytes::from_static(b"1+1\n"))
        .await
        .unwrap();
    assert_eq!(process.output.next().await, output("ready"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    process
        .input
        .write(Bytes::from_static(b"2+2\n"))
        .await
        .unwrap();
    connection.close().await;
    assert_eq!(
        host.actions(),
        ["Create", "Command", "Send", "Receive", "Send", "Delete"]
    );
    assert_eq!(
        host.connections(),
        1,
        "input did not have to wait, so it needed no second one"
    );
}

#[tokio::test]
async fn input_goes_over_a_second_connection_while_output_is_waited_for() {
    let host = Host::start(at(
        "Receive",
        0,
        Reply::Late(Duration::from_millis(500), received("", Some(0))),
    ));
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    let output = tokio::spawn(async move {
        let event = process.output.next().await;
        (event, std::time::Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut input = process.input;
    input.write(Bytes::from_static(b"y\n")).await.unwrap();
    let written = std::time::Instant::now();
    let (event, ended) = output.await.unwrap();
    assert_eq!(event, exit(0));
    assert!(written < ended, "it did not wait");
    connection.close().await;
    assert_eq!(host.connections(), 2);
}

#[tokio::test]
async fn large_input_arrives_whole_in_pieces() {
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    process.input.write(bytes.clone().into()).await.unwrap();
    process.input.close().await.unwrap();
    let mut arrived = Vec::new();
    let mut ended = 0;
    for request in host.requests() {
        if request.action == "Send" {
            use base64::Engine as _;
            assert!(request.envelope.len() <= 153_600);
            let text = request.envelope.split_once("<rsp:Stream").unwrap().1;
            ended += usize::from(text.contains("End=\"true\""));
            let text = text.split_once('>').unwrap().1.split_once('<').unwrap().0;
            let piece = base64::engine::general_purpose::STANDARD.decode(text);
            arrived.extend(piece.unwrap());
        }
    }
    assert!(arrived == bytes);
    assert_eq!(ended, 1);
    connection.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_the_same_command_goes_on() {
    let host = Host::start(|request, before| match (&*request.action, before) {
        ("Receive", 0) => Some(Reply::Body(received("one ", None))),
        ("Receive", 1) => Some(Reply::HangUp),
        ("Receive", 2) => Some(Reply::Body(received("two", Some(0)))),
        _ => None,
    });
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(
        events,
        [output("one "), output("two"), exit(0), OutputEvent::Closed]
    );
    connection.close().await;
    assert_eq!(host.connections(), 2);
    let commands = host
        .actions()
        .iter()
        .filter(|action| *action == "Command")
        .count();
    assert_eq!(commands, 1, "it was not started twice");
    assert_eq!(host.actions().last().unwrap(), "Delete");
}

#[tokio::test]
async fn an_answer_that_broke_off_is_not_passed_over() {
    let host = Host::start(at("Receive", 0, Reply::Cut(received("half", None), 100)));
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(events[..2], [output("hi\r\n"), exit(0)]);
    let error = lost(&events[2]);
    assert_eq!(error.kind, ErrorKind::Disconnected);
    assert!(error.message.contains("part of its output is missing"));
    connection.close().await;
}

#[tokio::test]
async fn a_command_that_may_have_been_started_is_never_sent_again() {
    for reply in [Reply::HangUp, Reply::Cut(ordinary("Command"), 10)] {
        let host = Host::start(at("Command", 0, reply));
        let connection = connect(&host.target()).await.unwrap();
        let error = exec(&connection, "x").await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Disconnected);
        assert!(error.message.contains("may have been started"));
        connection.close().await;
        let commands = host
            .actions()
            .iter()
            .filter(|action| *action == "Command")
            .count();
        assert_eq!(commands, 1);
    }
}

#[tokio::test]
async fn a_shell_that_the_host_forgot_is_replaced() {
    let host = Host::start(at("Command", 0, Reply::Fault(2_150_858_843)));
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(events[1], exit(0));
    connection.close().await;
    assert_eq!(
        host.actions(),
        [
            "Create", "Command", "Create", "Command", "Receive", "Delete"
        ]
    );
}

#[tokio::test]
async fn a_host_at_its_limits_is_asked_again_later_and_named_when_it_stays_so() {
    let host = Host::start(at("Create", 0, Reply::Fault(2_150_859_173)));
    let connection = connect(&host.target()).await.unwrap();
    assert_eq!(
        events(exec(&connection, "x").await.unwrap()).await[1],
        exit(0)
    );
    connection.close().await;
    let host = Host::start(|request, _| {
        (request.action == "Create").then_some(Reply::Fault(2_150_859_173))
    });
    let connection = connect(&host.target()).await.unwrap();
    let error = exec(&connection, "x").await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Quota);
    assert!(error.hint.unwrap().contains("MaxShellsPerUser"));
}

#[tokio::test]
async fn a_host_that_takes_only_small_messages_is_sent_small_ones() {
    // ERROR_WSMAN_..: only the subcode says it, so the fault is written out.
    let too_large = "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:EncodingLimit</s:Value></s:Subcode></s:Code></s:Fault>";
    let host = Host::start(move |request, _| {
        let limit = if request.action == "Send" {
            20_000
        } else {
            200_000
        };
        (request.envelope.len() > limit).then(|| Reply::Body(too_large.to_owned()))
    });
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    process
        .input
        .write(vec![b'x'; 50_000].into())
        .await
        .unwrap();
    process.input.close().await.unwrap();
    connection.close().await;
    assert!(
        host.requests()
            .iter()
            .any(|request| request.envelope.contains("End=\"true\""))
    );
}

#[tokio::test]
async fn much_output_is_worth_asking_how_large_messages_may_be() {
    let host = Host::start(|request, before| match (&*request.action, before) {
        ("Receive", 0..20) => Some(Reply::Body(received(&"x".repeat(100_000), None))),
        ("Get", _) => Some(Reply::Body(
            "<cfg:Config><cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb></cfg:Config>"
                .to_owned(),
        )),
        _ => None,
    });
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(events.len(), 23);
    connection.close().await;
    let requests = host.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|request| request.action == "Get")
            .count(),
        1
    );
    let asked = |of: &Request| of.envelope.contains(">512000</w:MaxEnvelopeSize>");
    assert!(!asked(&requests[0]) && asked(requests.last().unwrap()));
}

#[tokio::test]
async fn what_is_not_sealed_is_not_believed_and_what_was_changed_is_noticed() {
    let open = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><rsp:CommandResponse><rsp:CommandId>EVIL</rsp:CommandId></rsp:CommandResponse></s:Body></s:Envelope>"#;
    let soap = "application/soap+xml;charset=UTF-8";
    for (reply, said) in [
        (Reply::Open(200, soap, open), "answers without a seal"),
        (Reply::Open(500, soap, open), "it answers 500"),
        (Reply::Tampered(ordinary("Command")), "changed on the way"),
        (
            Reply::Open(404, "text/html", "<html>nothing here</html>"),
            "404",
        ),
        (Reply::Open(503, "text/plain", ""), "503"),
    ] {
        let host = Host::start(at("Command", 0, reply));
        let connection = connect(&host.target()).await.unwrap();
        let error = exec(&connection, "x").await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert!(error.message.contains(said), "{error}");
        assert!(!error.message.contains("nothing here"), "{error}");
        assert_eq!(
            host.actions()
                .iter()
                .filter(|action| *action == "Command")
                .count(),
            1
        );
        connection.close().await;
    }
    let host = Host::start(at("Receive", 0, Reply::Tampered(received("evil", Some(0)))));
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(lost(&events[0]).kind, ErrorKind::Protocol);
    connection.close().await;
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_an_answer() {
    let host = Host::start(|request, _| {
        (request.action == "Receive").then(|| Reply::Slow(received("slow", Some(0))))
    });
    let connection = connect(&host.target()).await.unwrap();
    let events = events(exec(&connection, "x").await.unwrap()).await;
    assert_eq!(events, [output("slow"), exit(0), OutputEvent::Closed]);
    connection.close().await;
}

#[tokio::test]
async fn ending_a_command_is_ctrl_c_then_terminate_then_no_shell() {
    let running = |request: &Request, _: usize| {
        (request.action == "Receive").then(|| {
            std::thread::sleep(Duration::from_millis(50));
            Reply::Fault(2_150_858_793)
        })
    };
    let host = Host::start(running);
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "ping -t x").await.unwrap();
    process.input.close().await.unwrap();
    let wait = Duration::from_millis(200);
    assert!(
        tokio::time::timeout(wait, process.output.next())
            .await
            .is_err()
    );
    let ended = process.output.end(Duration::from_millis(300)).await;
    assert_eq!(ended, Some(Ok(())));
    assert_eq!(process.output.next().await, OutputEvent::Closed);
    let signals: Vec<String> = host
        .requests()
        .into_iter()
        .filter(|request| request.action == "Signal")
        .map(|request| request.envelope)
        .collect();
    assert!(signals[0].contains("signal/ctrl_c") && signals[1].contains("signal/terminate"));
    let deleted = |host: &Host| host.actions().iter().filter(|one| *one == "Delete").count();
    assert_eq!(deleted(&host), 1);
    // The shell is not used again.
    drop(process);
    exec(&connection, "x").await.unwrap();
    connection.close().await;
    assert_eq!(
        host.actions().iter().filter(|one| *one == "Create").count(),
        2
    );
    assert_eq!(deleted(&host), 2);
}

#[tokio::test]
async fn what_a_command_says_while_it_is_ended_is_not_lost() {
    let host = Host::start(|request, before| match (&*request.action, before) {
        ("Receive", 0) => Some(Reply::Late(
            Duration::from_millis(300),
            received("last words", Some(0xC000_013A)),
        )),
        _ => None,
    });
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    let wait = Duration::from_millis(50);
    assert!(
        tokio::time::timeout(wait, process.output.next())
            .await
            .is_err()
    );
    assert_eq!(
        process.output.end(Duration::from_secs(2)).await,
        Some(Ok(()))
    );
    assert_eq!(process.output.next().await, output("last words"));
    assert_eq!(process.output.next().await, exit(-1_073_741_510));
    assert_eq!(
        host.actions().last().unwrap(),
        "Delete",
        "its children go with its shell"
    );
    connection.close().await;
}

#[tokio::test]
async fn shells_are_deleted_whoever_gives_up() {
    let deleted = async |host: &Host| {
        for _ in 0..100 {
            if host
                .actions()
                .last()
                .is_some_and(|action| action == "Delete")
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    };
    // Dropped without goodbye.
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    events(exec(&connection, "x").await.unwrap()).await;
    drop(connection);
    assert!(deleted(&host).await);
    // Given up while the command was being started.
    let host = Host::start(at(
        "Command",
        0,
        Reply::Late(Duration::from_millis(300), ordinary("Command")),
    ));
    let connection = connect(&host.target()).await.unwrap();
    let soon = Duration::from_millis(100);
    assert!(
        tokio::time::timeout(soon, exec(&connection, "x"))
            .await
            .is_err()
    );
    assert!(deleted(&host).await);
    // Let go of while it runs.
    let host = Host::start(|request, _| {
        (request.action == "Receive").then(|| Reply::Body(received("x", None)))
    });
    let connection = connect(&host.target()).await.unwrap();
    let mut process = exec(&connection, "x").await.unwrap();
    process.output.next().await;
    process.output.close().await;
    assert!(deleted(&host).await);
}

#[tokio::test]
async fn hosts_over_http_are_counted_as_ntlm_does_not_prove_their_names() {
    let host = Host::start(|_, _| None);
    let certificates = certificates();
    let winrm = Winrm::new(certificates.clone());
    winrm.connect(&host.target()).await.unwrap();
    assert_eq!(
        certificates.unproven(),
        [format!("127.0.0.1:{}", host.port)]
    );
    assert!(certificates.unchecked().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_explained() {
    let host = Host::start(|_, _| None);
    let error = connect(&target(host.port, "wrong")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::AuthDenied);
    assert!(
        error
            .message
            .contains("NTLM login as Administrator was denied")
    );
    assert!(
        error
            .hint
            .unwrap()
            .contains("LocalAccountTokenFilterPolicy")
    );
    assert_eq!(host.connections(), 1);
    assert_eq!(host.bodies().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_is_said_before_connecting() {
    let with = |change: &dyn Fn(&mut WinrmOptions)| {
        let mut options = options();
        change(&mut options);
        let mut target = target(1, "x");
        target.via = Via::Winrm(Arc::new(WinrmTarget {
            address: "127.0.0.1".to_owned(),
            port: 1,
            user: "u".to_owned(),
            password: None,
            options: Arc::new(options),
        }));
        target
    };
    type Case<'a> = (&'a dyn Fn(&mut WinrmOptions), ErrorKind, &'a str);
    let cases: [Case<'_>; 5] = [
        (
            &|o| o.auth = WinrmAuth::Basic,
            ErrorKind::Arguments,
            "HTTPS",
        ),
        (
            &|o| o.auth = WinrmAuth::Certificate,
            ErrorKind::Arguments,
            "HTTPS",
        ),
        (
            &|o| o.auth = WinrmAuth::Credssp,
            ErrorKind::Unsupported,
            "winrm-rs",
        ),
        (
            &|o| o.client = WinrmClient::WinrmRs,
            ErrorKind::Unsupported,
            "winrm-rs",
        ),
        (&|_| {}, ErrorKind::AuthDenied, "-k"),
    ];
    for (change, kind, hint) in cases {
        let error = connect(&with(change)).await.err().unwrap();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.hint.unwrap().contains(hint));
    }
}

#[tokio::test]
async fn what_winrm_cannot_carry_is_refused_and_not_changed() {
    let host = Host::start(|_, _| None);
    let connection = connect(&host.target()).await.unwrap();
    for command in [&b"echo \x1b[0m"[..], b"echo \xff", b"echo \0"] {
        let request = ExecRequest {
            command: Bytes::copy_from_slice(command),
            ..ExecRequest::default()
        };
        let error = connection.exec(request).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Arguments);
    }
    let request = ExecRequest {
        pty: Some(Pty {
            columns: 80,
            rows: 24,
        }),
        ..ExecRequest::default()
    };
    let error = connection.exec(request).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(host.actions().is_empty());
}

#[tokio::test]
async fn what_answers_without_being_winrm_is_described() {
    use std::io::{Read as _, Write as _};
    for (answer, said) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<h1>nginx\x1b[2J says</h1>",
            "404 Not Found with text/html: <h1>nginx",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n",
            "302 Found and sends us to https://elsewhere/",
        ),
        (
            "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Kerberos\r\nContent-Length: 0\r\n\r\n",
            "does not offer Negotiate or NTLM, but Basic, Kerberos",
        ),
        (
            "HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
            "refuses NTLM",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 OK"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (
            "HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate TlRMTVNTUAACAAAA\r\nContent-Length: 0\r\n\r\n",
            "NTLM",
        ),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.read(&mut request);
        });
        let error = connect(&target(port, "x")).await.err().unwrap();
        assert!(error.message.contains(said), "{error}");
        assert!(!error.message.contains('\x1b'));
        assert!(matches!(
            error.kind,
            ErrorKind::Protocol | ErrorKind::AuthDenied
        ));
    }
}
