//! One host of `doctor`: how it is reached, and what was found so far.

use std::sync::Arc;

use crate::cli::targets::RunTargets;
use crate::doctor::{Check, Finding, Shell, State, Support, Tier};
use crate::engine::Targets as _;
use crate::event::{HostError, HostIx};
use crate::target::{ShellKind, Target, Via};

/// A host.
pub struct Case {
    /// Its name.
    pub host: Arc<str>,
    /// How it is reached, where that is known.
    pub target: Option<Arc<Target>>,
    /// What was found, in the order of the way.
    pub findings: Vec<Finding>,
    /// Its row in the support table.
    pub support: Support,
}

impl Case {
    /// A host whose way is still to be walked.
    pub fn new(host: Arc<str>, at: u32, targets: &RunTargets) -> Self {
        let mut case = Self {
            host,
            target: None,
            findings: Vec::new(),
            support: Support {
                tier: Tier::Unknown,
                system: None,
            },
        };
        match targets.resolve(HostIx(at)) {
            Ok(target) => case.target = Some(target),
            Err(error) => case.findings.push(failed(Check::Settings, &error)),
        }
        case
    }

    /// `ssh`, `winrm`, `local`.
    pub fn transport(&self) -> Option<&'static str> {
        self.target.as_ref().map(|target| match target.via {
            Via::Ssh(_) => "ssh",
            Via::Winrm(_) => "winrm",
            Via::Local => "local",
        })
    }

    /// Whose words its questions are asked in, while nothing before them has failed.
    pub fn can_be_asked(&self) -> Option<(Shell, &Arc<Target>)> {
        let target = self.target.as_ref()?;
        let shell = match target.shell {
            ShellKind::Posix => Shell::Posix,
            ShellKind::Powershell => Shell::Powershell,
            ShellKind::Cmd => Shell::Cmd,
        };
        (!self.stopped()).then_some((shell, target))
    }

    /// Whether something failed already, so that the way ends here.
    fn stopped(&self) -> bool {
        self.findings.iter().any(|one| one.state == State::Fail)
    }

    /// It answered, and nothing failed.
    pub fn good(&self) -> bool {
        let answered = self.findings.iter().any(|one| one.check == Check::Shell);
        answered && !self.stopped()
    }

    /// Something is to be mended on a host that was reached, or in what is said of it here.
    pub fn failed(&self) -> bool {
        self.stopped() && !self.unreachable()
    }

    /// The host was not reached, or did not let us in.
    pub fn unreachable(&self) -> bool {
        self.findings
            .iter()
            .any(|one| one.state == State::Fail && one.check.is_before_the_shell())
    }

    /// What the host's greeting was, where it has one.
    pub fn greeting(&self) -> Option<&str> {
        self.findings
            .iter()
            .find(|one| one.check == Check::Banner && one.state == State::Ok)
            .map(|one| one.detail.as_str())
    }
}

/// A failure with the words of its error; what hosts have in common of it is its kind.
pub fn failed(check: Check, error: &HostError) -> Finding {
    let kind = error.kind.name().replace('_', " ");
    let finding = Finding::fail(check, error.message.clone()).topic(kind);
    match &error.hint {
        Some(hint) => finding.hint(hint.clone()),
        None => finding,
    }
}
