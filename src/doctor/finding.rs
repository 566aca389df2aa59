//! One finding: what was looked at, how it stands, what to do.

use std::time::Duration;

/// What is looked at, in the order of the way to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the document")]
pub enum Check {
    Settings,
    Dns,
    Tcp,
    Banner,
    Tls,
    Identity,
    Authentication,
    Shell,
    Rights,
    Encoding,
    Clock,
    Disk,
    Quota,
    SecondHop,
}

impl Check {
    /// The stable name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Banner => "banner",
            Self::Tls => "tls",
            Self::Identity => "identity",
            Self::Authentication => "authentication",
            Self::Shell => "shell",
            Self::Rights => "rights",
            Self::Encoding => "encoding",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Quota => "quota",
            Self::SecondHop => "second_hop",
        }
    }

    /// Whether a host that fails here was not reached at all.
    pub fn is_before_the_shell(self) -> bool {
        self > Self::Settings && self <= Self::Authentication
    }
}

/// How it stands; the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Not looked at: something before it failed, or it is not there for this host.
    Skipped,
    /// Works, and may trouble somebody.
    Warn,
    /// Must be mended.
    Fail,
}

impl State {
    /// The stable name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// The same without what is of this host alone (address, numbers): hosts with one topic are folded.
    pub topic: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// How long looking took.
    pub took: Option<Duration>,
}

impl Finding {
    /// A finding.
    pub fn new(check: Check, state: State, detail: impl Into<String>) -> Self {
        Self {
            check,
            state,
            detail: detail.into(),
            topic: None,
            hint: None,
            took: None,
        }
    }

    /// All is well.
    pub fn ok(check: Check, detail: impl Into<String>) -> Self {
        Self::new(check, State::Ok, detail)
    }

    /// It works, but.
    pub fn warn(check: Check, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(check, State::Warn, detail).hint(hint)
    }

    /// It does not work.
    pub fn fail(check: Check, detail: impl Into<String>) -> Self {
        Self::new(check, State::Fail, detail)
    }

    /// Not looked at, and why.
    pub fn skipped(check: Check, why: impl Into<String>) -> Self {
        Self::new(check, State::Skipped, why)
    }

    /// With a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what hosts have in common.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// With its time.
    #[must_use]
    pub fn took(mut self, time: Duration) -> Self {
        self.took = Some(time);
        self
    }

    /// By what it is folded with those of other hosts.
    pub fn common(&self) -> &str {
        self.topic.as_deref().unwrap_or(&self.detail)
    }
}
