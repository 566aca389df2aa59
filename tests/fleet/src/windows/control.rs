//! The server at work: faults switched on and off, restarts, what there is.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Windows;
use crate::error::{Error, Result, Tried};

/// A fault to switch on: see `tests/winrm/server/faults.py` for the names and their arguments.
#[derive(Debug, Clone)]
#[must_use]
pub struct Fault(Map<String, Value>);

impl Fault {
    /// `drop-receive`, `tamper`, ... until it is switched off.
    pub fn new(name: &str) -> Self {
        Self(Map::from_iter([("fault".to_owned(), json!(name))]))
    }

    /// So many times.
    pub fn times(self, times: u32) -> Self {
        self.with("times", times)
    }

    /// For so long.
    pub fn during(self, time: Duration) -> Self {
        self.with("seconds", time.as_secs_f64())
    }

    /// An argument: `wait`, `after`, `number`, `text`, `code`, `keep`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

/// What the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Shells that were not deleted.
    pub shells: u64,
    /// Commands that run.
    pub commands: u64,
    /// Open connections.
    pub connections: u64,
    /// How often each fault has happened.
    pub taken: Vec<(String, u64)>,
}

impl State {
    /// How often a fault has happened.
    pub fn taken(&self, name: &str) -> u64 {
        let found = self.taken.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, times)| *times)
    }
}

impl Windows {
    /// Switches a fault on; from now on it happens.
    pub fn fault(&self, fault: Fault) -> Result<()> {
        let mut order = fault.0;
        order.insert("do".to_owned(), json!("on"));
        self.order(&Value::Object(order)).map(drop)
    }

    /// Switches all faults off.
    pub fn no_faults(&self) -> Result<()> {
        self.order(&json!({"do": "off"})).map(drop)
    }

    /// Changes an option while it runs: `max_shells`, `max_envelope`, `offer`, `cbt`.
    pub fn set(&self, option: &str, value: impl Into<Value>) -> Result<()> {
        self.order(&json!({"do": "set", "option": option, "value": value.into()}))
            .map(drop)
    }

    /// Cuts all connections.
    pub fn drop_connections(&self) -> Result<()> {
        self.order(&json!({"do": "drop"})).map(drop)
    }

    /// As the restart of the `WinRM` service: connections, shells and commands are gone, and for a
    /// time nothing listens.
    pub fn restart(&self, down: Duration) -> Result<()> {
        self.order(&json!({"do": "restart", "down": down.as_secs_f64()}))
            .map(drop)
    }

    /// What there is now.
    pub fn state(&self) -> Result<State> {
        let answer = self.order(&json!({"do": "state"}))?;
        let number = |name: &str| answer[name].as_u64().unwrap_or_default();
        let taken = answer["taken"].as_object().into_iter().flatten();
        Ok(State {
            shells: number("shells"),
            commands: number("commands"),
            connections: number("connections"),
            taken: taken
                .map(|(name, times)| (name.clone(), times.as_u64().unwrap_or_default()))
                .collect(),
        })
    }

    fn order(&self, order: &Value) -> Result<Value> {
        let what = "the server's control";
        let mut stream = UnixStream::connect(self.dir().join("control")).tried(what)?;
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .tried(what)?;
        writeln!(stream, "{order}").tried(what)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).tried(what)?;
        let answer: Value = serde_json::from_str(&line).tried(what)?;
        match answer["error"].as_str() {
            None => Ok(answer),
            Some(said) => Err(Error::Failed {
                program: format!("{what}: {order}"),
                said: said.to_owned(),
            }),
        }
    }
}
