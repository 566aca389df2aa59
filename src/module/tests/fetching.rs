//! What hosts fetch over HTTP, from a little server here.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value as Json, json};

use super::files::{DO, settles};
use super::{everywhere, in_shell};

/// Serves until the test ends: `/echo` gives back the request, `/f` a file, `/to` leads to it, `/sums`
/// is a list of digests, `/json` is JSON, `/lead/STATUS/PLACE` leads to a path or URL; all else is not there.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let read = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request).to_lowercase();
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                let length = text
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.lines().next()?.parse().ok());
                if read == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            let sums = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  ./f\n";
            let path = text.split(' ').nth(1).unwrap_or_default();
            let lead = path
                .strip_prefix("/lead/")
                .and_then(|to| to.split_once('/'));
            let (led, location) = lead.map_or_else(Default::default, |(status, place)| {
                let slash = if place.contains(':') { "" } else { "/" };
                (
                    format!("{status} Led"),
                    format!("Location: {slash}{place}\r\n"),
                )
            });
            let (status, more, body) = match path {
                _ if lead.is_some() => (led.as_str(), location.as_str(), "led"),
                "/echo" => (
                    "200 OK",
                    "Content-Type: text/plain\r\nSet-Cookie: a=b; Path=/\r\n",
                    text.as_str(),
                ),
                "/f" => (
                    "200 OK",
                    "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n",
                    "hello\n",
                ),
                "/sums" => ("200 OK", "", sums),
                "/json" => (
                    "200 OK",
                    "Content-Type: application/json\r\n",
                    r#"{"a": [1]}"#,
                ),
                "/to" => ("302 Found", "Location: /f\r\n", ""),
                _ => ("404 Not Found", "", "none"),
            };
            let status = if text.contains("If-Modified-Since") {
                "304 Not Modified"
            } else {
                status
            };
            let body = if status.starts_with("304") || text.starts_with("HEAD") {
                ""
            } else {
                body
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn a_file_is_fetched_once_and_checked() {
    let server = server();
    everywhere(|run, folder| {
        let args = json!({"url": format!("{server}/f"), "dest": folder.join("f"), "mode": "0600", "checksum": format!("sha256:{server}/sums")});
        let did = settles(run, "get_url", &args);
        assert_eq!(
            (&did["status_code"], &did["mode"], &did["msg"]),
            (&json!(200), &json!("0600"), &json!("OK (6 bytes)"))
        );
        assert_eq!(fs::read_to_string(folder.join("f")).unwrap(), "hello\n");
        let again = run(
            "get_url",
            json!({"url": format!("{server}/f"), "dest": folder.join("f")}),
            DO,
        );
        assert_eq!(
            (&again["status_code"], &again["changed"]),
            (&json!(304), &json!(false)),
            "{again}"
        );
        fs::create_dir(folder.join("d")).unwrap();
        let led = run(
            "get_url",
            json!({"url": format!("{server}/to"), "dest": folder.join("d")}),
            DO,
        );
        assert_eq!(led["dest"], json!(folder.join("d/f")), "{led}");
        let wrong = run(
            "get_url",
            json!({"url": format!("{server}/f"), "dest": folder.join("g"), "checksum": "md5:00"}),
            DO,
        );
        assert!(
            wrong["msg"].as_str().unwrap().contains("did not match 00")
                && !folder.join("g").exists(),
            "{wrong}"
        );
        let none = run(
            "get_url",
            json!({"url": format!("{server}/no"), "dest": folder.join("g")}),
            DO,
        );
        assert_eq!(
            (&none["failed"], &none["status_code"]),
            (&json!(true), &json!(404))
        );
    });
}

#[test]
fn a_service_is_asked_and_its_answer_is_a_result() {
    let server = server();
    everywhere(|run, folder| {
        let args = json!({
            "url": format!("{server}/echo"), "method": "POST", "body_format": "json", "body": {"a": "é"},
            "headers": {"X-One": "two \"three\""}, "user": "me", "password": "se'cr\"et", "return_content": true,
        });
        let did = run("uri", args, DO);
        let content = did["content"].as_str().unwrap_or_else(|| panic!("{did}"));
        assert!(
            content.starts_with("POST /echo ") && content.ends_with("{\"a\": \"é\"}"),
            "{content}"
        );
        for header in [
            "X-One: two \"three\"",
            "Content-Type: application/json",
            "Authorization: Basic bWU6c2UnY3IiZXQ=",
            "User-Agent: ansible-httpget",
        ] {
            assert!(content.contains(header), "{header} in {content}");
        }
        assert_eq!(
            (&did["status"], &did["cookies"]["a"], &did["content_type"]),
            (&json!(200), &json!("b"), &json!("text/plain"))
        );
        assert_eq!(
            run("uri", json!({"url": format!("{server}/json")}), DO)["json"],
            json!({"a": [1]})
        );
        let none = run("uri", json!({"url": format!("{server}/no")}), DO);
        assert_eq!(
            none["msg"],
            "Status code was 404 and not [200]: HTTP Error 404: Not Found"
        );
        assert_eq!(
            run(
                "uri",
                json!({"url": format!("{server}/no"), "status_code": "404, 200"}),
                DO
            )
            .get("failed"),
            None
        );
        let to = json!({"url": format!("{server}/to"), "dest": folder.join("out")});
        let led = run("uri", to.clone(), DO);
        assert_eq!(
            (&led["redirected"], &led["changed"], &led["path"]),
            (&json!(true), &json!(true), &json!(folder.join("out")))
        );
        assert_eq!(run("uri", to, DO)["changed"], false);
        let stay =
            json!({"url": format!("{server}/to"), "follow_redirects": "none", "status_code": 302});
        assert_eq!(run("uri", stay, DO)["location"], format!("{server}/f"));
        let refused = run("uri", json!({"url": "http://127.0.0.1:1/"}), DO);
        assert!(
            refused["msg"]
                .as_str()
                .unwrap()
                .starts_with("Status code was -1 and not [200]: Request failed"),
            "{refused}"
        );
    });
}

#[test]
fn no_value_becomes_a_line_of_the_tools_configuration() {
    everywhere(|run, folder| {
        for name in ["http_agent", "url_password", "client_cert"] {
            let mut args = json!({"url": "http://127.0.0.1:1/", "url_username": "me", "dest": folder.join("f")});
            args[name] = json!("a\noutput = b");
            let refused = run("get_url", args, DO);
            assert_eq!(
                refused["msg"],
                format!("{name} holds a newline"),
                "{refused}"
            );
        }
    });
}

/// A folder of the tools that modules need on a host that has no curl.
fn tools_without_curl() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for name in [
        "awk", "cat", "chmod", "cp", "date", "grep", "head", "id", "ls", "mkdir", "mktemp", "mv",
        "printf", "readlink", "rm", "rmdir", "sed", "sh", "sort", "stat", "tail", "tr", "wc",
        "wget",
    ] {
        let found = std::env::split_paths(&path).map(|each| each.join(name));
        if let Some(tool) = found.into_iter().find(|tool| tool.exists()) {
            std::os::unix::fs::symlink(tool, folder.path().join(name)).unwrap();
        }
    }
    folder
}

/// Asks with each tool in turn.
fn with_curl_and_wget(ask: impl Fn(&dyn Fn(Json) -> Json)) {
    let tools = tools_without_curl();
    let path = format!("PATH={}", tools.path().display());
    ask(&|args| in_shell(&["/bin/sh"], "uri", args, DO));
    ask(&|args| in_shell(&["env", &path, "/bin/sh"], "uri", args, DO));
}

#[test]
fn a_redirection_changes_method_and_body_as_ansible_does() {
    let server = server();
    with_curl_and_wget(|ask| {
        for (method, body, status, then, body_then) in [
            ("GET", false, 302, "GET", false),
            ("POST", false, 302, "GET", false),
            ("POST", true, 303, "GET", false),
            ("POST", true, 301, "GET", false),
            ("POST", true, 307, "POST", true),
            ("PUT", true, 302, "GET", false),
            ("PUT", true, 301, "PUT", false),
            ("PATCH", true, 308, "PATCH", true),
            ("DELETE", false, 303, "GET", false),
        ] {
            let case = format!("{method} {body} {status}");
            let mut args = json!({
                "url": format!("{server}/lead/{status}/echo"), "method": method,
                "follow_redirects": "all", "return_content": true, "headers": {"X-One": "1"},
            });
            if body {
                args["body"] = json!({"a": 1});
                args["body_format"] = json!("json");
            }
            let did = ask(args);
            let content = did["content"]
                .as_str()
                .unwrap_or_else(|| panic!("{case}: {did}"));
            assert!(
                content.starts_with(&format!("{then} /echo ")),
                "{case}: {content}"
            );
            assert!(content.contains("X-One: 1"), "{case}: {content}");
            assert_eq!(
                content.contains("Content-Type: application/json"),
                body_then,
                "{case}: {content}"
            );
            assert_eq!(
                content.ends_with("{\"a\": 1}"),
                body_then,
                "{case}: {content}"
            );
            assert_eq!(did["url"], format!("{server}/echo"), "{case}");
        }
        let head = ask(json!({"url": format!("{server}/lead/302/echo"), "method": "HEAD"}));
        assert_eq!(
            (&head["status"], &head["redirected"]),
            (&json!(200), &json!(true)),
            "{head}"
        );
    });
}

#[test]
fn a_redirection_that_is_not_followed_is_the_answer() {
    let server = server();
    with_curl_and_wget(|ask| {
        for (method, follow, to) in [
            ("POST", "safe", "302/echo"),
            ("GET", "none", "302/echo"),
            ("POST", "urllib2", "307/echo"),
            ("PUT", "urllib2", "302/echo"),
            ("GET", "all", "302/file:///etc/passwd"),
            ("GET", "all", "300/echo"),
        ] {
            let status: i64 = to.split('/').next().unwrap().parse().unwrap();
            let did = ask(json!({
                "url": format!("{server}/lead/{to}"), "method": method, "follow_redirects": follow,
                "status_code": status, "return_content": true,
            }));
            assert_eq!(did["status"], status, "{did}");
            // (wget shows no content of a redirection.)
            assert!(matches!(did["content"].as_str(), Some("led" | "")), "{did}");
        }
        let posted = json!({"url": format!("{server}/lead/302/echo"), "method": "POST", "follow_redirects": "urllib2", "return_content": true});
        assert!(
            ask(posted)["content"]
                .as_str()
                .unwrap()
                .starts_with("GET /echo ")
        );
        // Ten of them, no more.
        let far = |n: usize| format!("{server}{}/echo", "/lead/302".repeat(n));
        assert_eq!(ask(json!({"url": far(10)}))["status"], 200);
        assert_eq!(ask(json!({"url": far(11)}))["status"], 302);
    });
}

#[test]
fn credentials_are_the_first_servers_alone() {
    let (server, other) = (server(), server());
    with_curl_and_wget(|ask| {
        for (to, theirs) in [("echo".to_owned(), true), (format!("{other}/echo"), false)] {
            let did = ask(json!({
                "url": format!("{server}/lead/302/{to}"), "user": "me", "password": "secret", "force_basic_auth": true,
                "headers": {"Cookie": "a=b", "X-One": "1"}, "return_content": true,
            }));
            let content = did["content"].as_str().unwrap_or_else(|| panic!("{did}"));
            assert!(content.contains("X-One: 1"), "{content}");
            for header in ["Cookie: a=b", "Authorization: Basic bWU6c2VjcmV0"] {
                assert_eq!(content.contains(header), theirs, "{to}: {content}");
            }
        }
    });
}
