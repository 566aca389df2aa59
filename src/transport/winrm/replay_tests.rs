//! What real Windows hosts answered, fed to the parser; and what they took, compared with what we say.
//! (`tests/it/fixtures/winrm/README.md` says where the recordings are from.)

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::fault::Meaning;
use super::request::{Common, Operation, Place, ShellKey};
use super::response::{Malformed, parse};
use crate::base::value::Value;
use crate::base::yaml;
use crate::event::Stream;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/winrm")
}

/// Requests and answers of a recording, in order.
fn recording(name: &str) -> Vec<(String, String)> {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let Value::Map(document) = yaml::parse(&text, &path).unwrap().value() else {
        panic!("{name} is no mapping");
    };
    let Some(Value::List(messages)) = document.get("messages") else {
        panic!("{name} has no messages");
    };
    messages
        .iter()
        .map(|message| {
            let Value::Map(message) = message else {
                panic!("{name}: not a message");
            };
            let text = |key| {
                let text = message.get(key).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            (text("request"), text("response"))
        })
        .collect()
}

fn recordings() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "yml")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_answer_of_a_real_host_is_read() {
    let mut read = 0;
    for name in recordings() {
        for (_, answer) in recording(&name) {
            // Some answers of other clients' tests are no envelopes at all.
            if !answer.contains("<s:Envelope") {
                assert!(parse(answer.as_bytes()).is_err(), "{name}: {answer}");
                continue;
            }
            let response = parse(answer.as_bytes())
                .unwrap_or_else(|error| panic!("{name}: {error} in {answer}"));
            assert!(response.relates_to.is_some(), "{name}");
            let created = answer.contains("<x:ResourceCreated>");
            assert!(response.shell.is_some() || !created, "{name}");
            assert_eq!(
                response.command.is_some(),
                answer.contains("<rsp:CommandResponse>"),
                "{name}"
            );
            assert_eq!(
                response.fault.is_some(),
                answer.contains("<s:Fault>"),
                "{name}"
            );
            assert_eq!(
                response.done,
                answer.contains("CommandState/Done"),
                "{name}"
            );
            read += 1;
        }
    }
    assert_eq!(read, 90, "the recordings are there");
}

#[test]
fn output_exit_code_and_both_streams_are_what_the_host_sent() {
    let answers: Vec<_> = recording("winrs_stderr_rc.yml")
        .iter()
        .map(|(_, answer)| parse(answer.as_bytes()).unwrap())
        .collect();
    assert_eq!(answers[0].shell.as_deref().unwrap().len(), 36);
    assert_eq!(
        answers[1].command.as_deref(),
        Some("D37A8327-79AD-452F-BE0D-4B99A96B4A0B")
    );
    let received = answers.iter().find(|answer| answer.done).unwrap();
    assert_eq!(
        received.output,
        [
            (Stream::Stdout, Bytes::from_static(b"out \r\n")),
            (Stream::Stderr, Bytes::from_static(b"err \r\n")),
        ]
    );
    assert_eq!(received.exit, Some(1));
}

#[test]
fn faults_of_real_hosts_are_understood() {
    let fault = |name: &str| {
        let answers = recording(name);
        let mut faults = answers
            .iter()
            .filter_map(|(_, answer)| parse(answer.as_bytes()).ok()?.fault);
        faults.next().unwrap()
    };
    assert_eq!(fault("winrs_bad_cmd_id.yml").meaning(), Meaning::Gone);
    let no_program = fault("winrs_no_cmd_shell.yml");
    assert_eq!(no_program.meaning(), Meaning::NoProgram);
    assert_eq!(
        no_program
            .error("win1:5985", "starting the command")
            .message,
        "win1:5985: starting the command: The system cannot find the file specified. (0x80070002)"
    );
    let wrong = fault("winrs_fail_poll_process.yml");
    assert_eq!((wrong.code, wrong.meaning()), (Some(87), Meaning::Other));
    assert_eq!(wrong.message, "The parameter is incorrect.");
    for file in ["soap_fault_v1.xml", "soap_fault_v2.xml"] {
        let text = std::fs::read(folder().join(file)).unwrap();
        let fault = parse(&text).unwrap().fault.unwrap();
        assert_eq!(fault.code, Some(2_150_858_778), "{file}");
        assert_eq!(fault.subcode, "CannotProcessFilter", "{file}");
        assert_eq!(
            fault.message,
            "The specified class does not exist in the given namespace."
        );
    }
    let text = std::fs::read(folder().join("wmi_error_v2.xml")).unwrap();
    assert!(!parse(&text).unwrap().fault.unwrap().message.is_empty());
}

#[test]
fn shells_of_old_and_new_hosts_are_named() {
    for (file, id) in [
        (
            "open_shell_v1.xml",
            "uuid:739990FF-1492-4CDD-80BB-6E07ADB06D85",
        ),
        ("open_shell_v2.xml", "62DE33F0-8674-43D9-B6A5-3298012CC4CD"),
    ] {
        let text = std::fs::read(folder().join(file)).unwrap();
        assert_eq!(parse(&text).unwrap().shell.as_deref(), Some(id));
    }
    let settings = recording("wsman_update_envelope_size_4096.yml");
    let settings = parse(settings[0].1.as_bytes()).unwrap();
    assert_eq!(settings.max_envelope_kb, Some(4096));
}

#[test]
fn hostile_answers_are_refused() {
    let envelope = |body: &str| {
        format!(
            r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{body}</s:Body></s:Envelope>"#
        )
    };
    let deep = envelope(&"<a>".repeat(100_000));
    assert_eq!(parse(deep.as_bytes()), Err(Malformed::TooDeep));
    let bomb = format!(
        r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>{}"#,
        envelope("&a;")
    );
    assert_eq!(parse(bomb.as_bytes()), Err(Malformed::Entities));
    assert_eq!(parse(envelope("&a;").as_bytes()), Err(Malformed::Entities));
    assert_eq!(
        parse(b"<html><body>It works!</body></html>"),
        Err(Malformed::NoEnvelope)
    );
    assert_eq!(parse(b""), Err(Malformed::NoEnvelope));
    let cut = envelope("<x/>");
    for at in 1..cut.len() {
        assert!(parse(&cut.as_bytes()[..at]).is_err(), "cut at {at}");
    }
    for (body, what) in [
        ("<rsp:ExitCode>many</rsp:ExitCode>", "ExitCode"),
        ("<rsp:ExitCode>99999999999</rsp:ExitCode>", "ExitCode"),
        (r#"<rsp:Stream Name="stdout">%%%</rsp:Stream>"#, "base64"),
        ("<rsp:CommandId/>", "CommandId"),
    ] {
        assert_eq!(
            parse(envelope(body).as_bytes()),
            Err(Malformed::Value(what))
        );
    }
    let long = envelope(&format!(
        "<rsp:CommandId>{}</rsp:CommandId>",
        "A".repeat(300)
    ));
    assert_eq!(parse(long.as_bytes()), Err(Malformed::Value("CommandId")));
}

#[test]
fn exit_codes_are_signed_as_errorlevel_shows_them() {
    let exit = |code: &str| {
        let text = format!(
            "<Envelope><Body><ReceiveResponse><CommandState State='x/CommandState/Done'><ExitCode>{code}</ExitCode></CommandState></ReceiveResponse></Body></Envelope>"
        );
        let response = parse(text.as_bytes()).unwrap();
        assert!(response.done);
        response.exit.unwrap()
    };
    assert_eq!(exit("0"), 0);
    assert_eq!(exit("9009"), 9009);
    assert_eq!(exit("3221225786"), -1_073_741_510);
    assert_eq!(exit("-1073741510"), -1_073_741_510);
}

#[test]
fn text_in_cdata_and_references_is_text() {
    let text = "<Envelope><Body><CommandResponse><CommandId><![CDATA[A]]>&#66;&amp;</CommandId></CommandResponse></Body></Envelope>";
    assert_eq!(
        parse(text.as_bytes()).unwrap().command.as_deref(),
        Some("AB&")
    );
}

/// What a request means: without prefixes, order of the head, names of messages.
#[derive(Debug, Default, PartialEq)]
struct Meant {
    action: String,
    resource: String,
    selectors: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    /// Elements of the body with their attributes and texts, in order.
    body: Vec<(String, BTreeMap<String, String>, String)>,
}

fn meaning(request: &str) -> Meant {
    let mut reader = Reader::from_str(request);
    reader.config_mut().expand_empty_elements = true;
    let mut meant = Meant::default();
    let mut path: Vec<String> = Vec::new();
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = String::from_utf8(start.local_name().as_ref().to_vec()).unwrap();
                attributes = start
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        let key = attribute.key.local_name();
                        let value = attribute
                            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                            .unwrap();
                        (
                            String::from_utf8_lossy(key.as_ref()).into_owned(),
                            value.into_owned(),
                        )
                    })
                    .collect();
                text.clear();
                path.push(name.clone());
                if path.get(1).is_some_and(|part| part == "Body") && path.len() > 2 {
                    meant.body.push((name, attributes.clone(), String::new()));
                }
            }
            Event::Text(part) => text.push_str(&part.decode().unwrap()),
            Event::GeneralRef(part) => {
                let c = part.resolve_char_ref().unwrap().map(|c| c.to_string());
                let named = quick_xml::escape::resolve_predefined_entity(&part.decode().unwrap())
                    .unwrap_or_default()
                    .to_owned();
                text.push_str(&c.unwrap_or(named));
            }
            Event::End(end) => {
                let name = attributes.get("Name").cloned().unwrap_or_default();
                match end.local_name().as_ref() {
                    b"Action" => meant.action.clone_from(&text),
                    b"ResourceURI" => meant.resource.clone_from(&text),
                    b"Selector" => drop(meant.selectors.insert(name, text.clone())),
                    b"Option" => drop(meant.options.insert(name, text.to_uppercase())),
                    other => {
                        if let Some(last) = meant.body.last_mut()
                            && last.0.as_bytes() == other
                        {
                            last.2.clone_from(&text);
                        }
                    }
                }
                text.clear();
                path.pop();
            }
            Event::Eof => return meant,
            _ => {}
        }
    }
}

fn ours(operation: &Operation) -> Meant {
    let common = Common {
        to: "http://192.168.56.11:5985/wsman",
        timeout: Duration::from_secs(20),
        max_envelope: 153_600,
    };
    let id = "uuid:FC40E3CD-53E9-4315-B486-6D538B25D1F5";
    let request = operation.render(&common, id);
    assert!(request.contains(&format!("<a:MessageID>{id}</a:MessageID>")));
    assert!(request.contains("<w:OperationTimeout>PT20.000S</w:OperationTimeout>"));
    meaning(&request)
}

/// Ours says at least what theirs says, and the same of everything they both say.
fn assert_meant(ours: &Meant, theirs: &Meant) {
    assert_eq!(ours.action, theirs.action);
    assert_eq!(ours.resource, theirs.resource);
    assert_eq!(ours.selectors, theirs.selectors);
    for (name, value) in &theirs.options {
        assert_eq!(ours.options.get(name), Some(value), "{name}");
    }
    let mut ours: Vec<_> = ours.body.clone();
    let mut theirs: Vec<_> = theirs.body.clone();
    // The order of a shell's elements is free.
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}

/// Theirs passes words as arguments, which the host puts together with spaces.
fn joined(mut meant: Meant) -> Meant {
    let words: Vec<String> = meant
        .body
        .iter()
        .filter(|(name, ..)| name == "Command" || name == "Arguments")
        .map(|(_, _, text)| text.clone())
        .collect();
    meant.body.retain(|(name, ..)| name != "Arguments");
    for (name, _, text) in &mut meant.body {
        if name == "Command" {
            *text = words.join(" ");
        }
    }
    meant
}

#[test]
fn our_requests_mean_what_a_real_host_has_taken() {
    let theirs: Vec<Meant> = recording("winrs_standard.yml")
        .iter()
        .map(|(request, _)| meaning(request))
        .collect();
    let shell = theirs[1].selectors["ShellId"].clone();
    let place = Place {
        shell: shell.clone(),
        command: "CF84C20A-0A35-43FA-AF78-0B4711DA5F30".to_owned(),
    };
    assert_meant(&ours(&Operation::Create(ShellKey::default())), &theirs[0]);
    let command = Operation::Command {
        shell: shell.clone(),
        line: "cmd.exe /c echo hi".to_owned(),
        bare: false,
    };
    let theirs_joined = joined(meaning(&recording("winrs_standard.yml")[1].0));
    assert_meant(&ours(&command), &theirs_joined);
    assert_meant(&ours(&Operation::Receive(place.clone())), &theirs[2]);
    assert_meant(&ours(&Operation::Interrupt(place)), &theirs[3]);
    assert_meant(&ours(&Operation::Delete(shell)), &theirs[4]);
    let settings = meaning(&recording("wsman_update_envelope_size_150.yml")[0].0);
    assert_meant(&ours(&Operation::Config), &settings);
}

#[test]
fn variables_folder_and_bare_programs_are_said_as_a_real_host_has_taken_them() {
    let strange = r#"_-(){}[]<>*+-/\?"!@#$^&|;:i,.`~0"#;
    let key = ShellKey {
        env: vec![
            ("env1".to_owned(), "var1".to_owned()),
            ("1234".to_owned(), "5678".to_owned()),
            (strange.to_owned(), strange.to_owned()),
        ],
        chdir: None,
    };
    let theirs = meaning(&recording("winrs_environment.yml")[0].0);
    assert_meant(&ours(&Operation::Create(key)), &theirs);
    let mut theirs = meaning(&recording("winrs_extra_opts.yml")[0].0);
    theirs
        .body
        .retain(|(name, ..)| !["IdleTimeOut", "Lifetime", "Name"].contains(&name.as_str()));
    let key = ShellKey {
        env: Vec::new(),
        chdir: Some(r"C:\Windows".to_owned()),
    };
    assert_meant(&ours(&Operation::Create(key)), &theirs);
    let theirs = joined(meaning(&recording("winrs_no_cmd_shell.yml")[2].0));
    let bare = Operation::Command {
        shell: theirs.selectors["ShellId"].clone(),
        line: r"C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe Write-Host hi".to_owned(),
        bare: true,
    };
    assert_meant(&ours(&bare), &theirs);
}

#[test]
fn input_travels_in_pieces_that_fit_the_envelope() {
    let place = Place {
        shell: "62DE33F0-8674-43D9-B6A5-3298012CC4CD".to_owned(),
        command: "CF84C20A-0A35-43FA-AF78-0B4711DA5F30".to_owned(),
    };
    for envelope in [8192, 153_600, 512_000] {
        let length = super::request::payload(envelope);
        let send = Operation::Send {
            place: place.clone(),
            bytes: vec![0xff; length].into(),
            end: true,
        };
        let common = Common {
            to: "https://a.host.with.quite.a.long.name.example.org:5986/wsman",
            timeout: Duration::from_secs(20),
            max_envelope: envelope,
        };
        let request = send.render(&common, "uuid:FC40E3CD-53E9-4315-B486-6D538B25D1F5");
        assert!(request.len() <= envelope, "{} > {envelope}", request.len());
        assert!(request.contains("End=\"true\">/////"));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]
    #[test]
    fn answers_with_bytes_changed_are_read_or_refused_within_bounds(
        which in 0..6_usize,
        changes in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 1..12),
    ) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/wsman_response");
        let name = ["created", "started", "received", "fault", "settings", "wmi"][which];
        let mut answer = std::fs::read(seeds.join(name)).unwrap();
        for (at, byte) in changes {
            let at = usize::from(at) % answer.len();
            answer[at] = byte;
        }
        if let Ok(response) = parse(&answer) {
            for name in [&response.shell, &response.command].into_iter().flatten() {
                proptest::prop_assert!(!name.is_empty() && name.len() <= 256);
            }
            if let Some(fault) = &response.fault {
                proptest::prop_assert!(fault.message.len() <= 4200);
            }
        }
    }
}
