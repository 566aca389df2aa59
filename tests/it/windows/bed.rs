//! A WinRM server and a desk whose inventory its hosts are.

use ioms_fleet::windows::{Language, Need, Tier, Windows, lacks};
use serde_json::Value;

use crate::support::{Desk, Ran, only};

pub(super) struct Bed {
    pub(super) desk: Desk,
    pub(super) windows: Windows,
}

impl Bed {
    /// `n` hosts over HTTPS, with these further variables, lines `name: value`.
    pub(super) fn of(windows: Windows, n: usize, vars: &str) -> Self {
        let desk = Desk::with(&windows.inventory(n, vars));
        Self { desk, windows }
    }

    /// One host over sealed HTTP; none where the machine lacks what that needs.
    pub(super) fn http(what: &str) -> Option<Self> {
        Self::http_with(what, "")
    }

    /// The same with further variables.
    pub(super) fn http_with(what: &str, vars: &str) -> Option<Self> {
        if lacks(what, &[Need::Server]) {
            return None;
        }
        let windows = Windows::start().unwrap();
        let vars = format!("{}{vars}", windows.over_http());
        Some(Self::of(windows, 1, &vars))
    }

    /// One host over HTTPS.
    pub(super) fn https_with(what: &str, vars: &str) -> Option<Self> {
        if lacks(what, &[Need::Server]) {
            return None;
        }
        Some(Self::of(Windows::start().unwrap(), 1, vars))
    }

    /// One host that is Wine, in this language.
    pub(super) fn wine(what: &str, language: Language) -> Option<Self> {
        if lacks(what, &[Need::Server, Need::Wine, Need::PowershellForWine]) {
            return None;
        }
        let windows = Windows::builder().tier(Tier::Wine(language)).start();
        Some(Self::of(windows.unwrap(), 1, ""))
    }

    /// The same hosts with other variables.
    pub(super) fn again(self, vars: &str) -> Self {
        Self::of(self.windows, 1, vars)
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.desk.run(args)
    }

    /// The one host's object after `run` with these flags and command.
    pub(super) fn host(&self, args: &[&str]) -> Value {
        let all: Vec<&str> = ["run", "-g", "all"].iter().chain(args).copied().collect();
        let document = self.desk.json(&all);
        only(&document).clone()
    }

    /// Nothing of the server's is left behind, and nothing was said in the clear.
    #[track_caller]
    pub(super) fn is_clean(&self) {
        crate::support::wait_until("all shells are deleted", || {
            self.windows.state().unwrap().shells == 0
        });
        assert_eq!(self.windows.plaintext(), [], "in the clear");
    }
}

/// A host's outcome and kind of error.
pub(super) fn came_out(host: &Value) -> (&str, &str) {
    (
        host["outcome"].as_str().unwrap(),
        host["error"]["kind"].as_str().unwrap_or(""),
    )
}

/// What its error says, with the hint.
pub(super) fn said(host: &Value) -> String {
    format!(
        "{} {}",
        host["error"]["message"].as_str().unwrap_or(""),
        host["error"]["hint"].as_str().unwrap_or("")
    )
}
