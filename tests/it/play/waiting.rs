//! Who waits for something outside does not hold up other hosts, and hears when the run is stopped.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::process::{Pid, Signal, kill_process};

use super::{pair, playbook};
use crate::support::wait_until;

/// A server of one answer, and its address.
fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}/"))
}

/// Whoever asks it, once the question is read.
fn asked(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    let lines = BufReader::new(&stream).lines();
    lines
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .for_each(drop);
    stream
}

#[test]
fn a_lookup_of_one_host_holds_up_no_other() {
    let desk = pair();
    let (listener, url) = server();
    let [begun, done] = ["begun", "done"].map(|name| desk.home().join(name));
    let site = desk.file(
        "site.yml",
        format!(
            "- hosts: all\n  gather_facts: false\n  strategy: free\n  tasks:\n\
             \x20   - debug: {{msg: \"{{{{ lookup('url', '{url}') }}}}\"}}\n      when: inventory_hostname == 'web01'\n\
             \x20   - shell: \"until test -e '{}'; do sleep 0.05; done; touch '{}'\"\n      when: inventory_hostname == 'web02'\n",
            begun.display(),
            done.display()
        ),
    );
    let server = std::thread::spawn(move || {
        let mut stream = asked(&listener);
        std::fs::write(begun, "").unwrap();
        wait_until("the other host is done", || done.exists());
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        stream.write_all(answer).unwrap();
    });
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(0);
    assert!(ran.stdout.contains(r#""msg": "hello""#), "{}", ran.stdout);
    server.join().unwrap();
}

#[test]
fn a_run_that_is_stopped_waits_for_no_lookup() {
    let desk = pair();
    let (listener, url) = server();
    let tasks = format!("- debug: {{msg: \"{{{{ lookup('url', '{url}', timeout=300) }}}}\"}}\n");
    let site = playbook(&desk, &tasks);
    let child = desk.start(&["play", site.to_str().unwrap(), "--limit", "web01"]);
    // It never answers.
    let stream = asked(&listener);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(143), "{ended:?}");
    drop(stream);
}
