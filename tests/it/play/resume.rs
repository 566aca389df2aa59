//! `iomsctl resume`: runs that were killed in the middle go on where they were.

mod begun;
mod changed;
mod refused;
mod secrets;
mod stopped;
mod ways;
mod whole;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::pair;
use crate::support::{Desk, Ran, read};

/// A task that is at work until the test lets go of it; it may be done again.
const HOLD: &str = "wait_for: {path: go, timeout: 60}";
/// One that may not.
const HOLD_BY_COMMAND: &str =
    "shell: echo {{ inventory_hostname }} held >> log; until test -e go; do sleep 0.05; done";

/// A run under way, and what it says.
struct Going {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Going {
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let mut child = desk.start(args);
        let stdout = child.stdout.take().unwrap();
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    /// Waits until it says a text.
    #[track_caller]
    fn until(mut self, text: &str) -> Self {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.said.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                }
                Err(error) => panic!("{error}; it never said {text:?}: {}", self.said),
            }
        }
        self
    }

    /// Ends as nobody can hear it coming.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs a playbook until a text is said, and kills it there.
#[track_caller]
fn killed(desk: &Desk, args: &[&str], at: &str) {
    let mut all = vec!["play"];
    all.extend(args);
    Going::start(desk, &all).until(at).kill();
}

/// Writes a playbook of one play of all hosts, runs it with these arguments until a text is said, and kills
/// it there; what holds may go on then.
#[track_caller]
fn broken_off(desk: &Desk, args: &[&str], play: &str, at: &str) {
    let play = format!("- hosts: all\n  gather_facts: false\n{play}");
    site(desk, &play);
    killed(desk, &[args, &["site.yml"]].concat(), at);
    let_go(desk);
}

/// Tasks that hold go on.
fn let_go(desk: &Desk) {
    desk.file("go", "");
}

fn resume(desk: &Desk, args: &[&str]) -> Ran {
    let mut all = vec!["resume"];
    all.extend(args);
    desk.run(&all)
}

/// A playbook as it is written.
fn site(desk: &Desk, text: &str) -> PathBuf {
    desk.file("site.yml", text)
}

/// What tasks have written, sorted: what was done on which host, and how often.
fn log(desk: &Desk) -> Vec<String> {
    let text = read(desk.dir.path().join("log"));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The recap's line of a host, without spaces at its end.
#[track_caller]
fn recap(ran: &Ran, host: &str) -> String {
    let recap = ran.stdout.split("PLAY RECAP").nth(1);
    let recap = recap.unwrap_or_else(|| panic!("no recap: {}", ran.said()));
    let line = recap.lines().find(|line| line.starts_with(host)).unwrap();
    let counts = line.split(':').nth(1).unwrap();
    counts.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The id of the newest run.
fn newest(desk: &Desk) -> String {
    let document = desk.json(&["history", "list", "-n", "1"]);
    document["runs"][0]["run"].as_str().unwrap().to_owned()
}
