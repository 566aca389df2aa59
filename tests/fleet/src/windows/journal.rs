//! What the server saw: complete up to the last answer it gave.

use std::fs;

use serde_json::Value;

use super::Windows;

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `Create`, `Receive`, ...; none while logging in.
    pub operation: Option<String>,
    /// The HTTP status of its answer.
    pub status: u64,
    /// What its body was.
    pub body: Body,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The host's address.
    pub address: String,
    /// The client's port, by which a connection is known.
    pub peer: u64,
    /// The number of the fault that it was answered with.
    pub fault: Option<u64>,
}

/// A body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// Sealed by the login.
    Sealed,
    /// To be read by all who see it.
    Plain,
}

impl Windows {
    /// All requests, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.events("request").iter().map(request).collect()
    }

    /// Those with a body that everybody on the way could read: there must be none.
    pub fn plaintext(&self) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.body == Body::Plain && !request.tls);
        requests
    }

    /// The command lines that were started, in order.
    pub fn commands(&self) -> Vec<String> {
        let lines = self.events("command");
        let lines = lines.iter().filter_map(|event| event["line"].as_str());
        lines.map(str::to_owned).collect()
    }

    /// Why logins were refused.
    pub fn refusals(&self) -> Vec<String> {
        let lines = self.events("login-refused");
        let lines = lines.iter().filter_map(|event| event["why"].as_str());
        lines.map(str::to_owned).collect()
    }

    /// Lines of the log of one kind: `request`, `login`, `login-refused`, `shell`, `command`,
    /// `shell-end`, `bad-seal`, `bad-request`.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.dir().join("log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["event"] == kind)
            .collect()
    }
}

fn request(event: &Value) -> Request {
    Request {
        operation: event["operation"].as_str().map(str::to_owned),
        status: event["status"].as_u64().unwrap_or_default(),
        body: match event["body"].as_str() {
            Some("empty") => Body::Empty,
            Some("sealed") => Body::Sealed,
            _ => Body::Plain,
        },
        tls: event["tls"] == true,
        address: event["address"].as_str().unwrap_or_default().to_owned(),
        peer: event["peer"].as_u64().unwrap_or_default(),
        fault: event["fault"].as_u64(),
    }
}
