//! From the result of asking a host to findings: identity, login, and what the answers say.

use std::time::Duration;

use super::case::{Case, failed};
use crate::doctor::{Answers, Check, Circumstances, Finding, findings, support};
use crate::event::{ErrorKind, HostError, HostResult};
use crate::target::{HostKeyMode, Target, Via, WinrmAuth};

/// A login that lacks user or password is not tried.
pub fn is_possible(case: &mut Case) {
    let Some((_, target)) = case.can_be_asked() else {
        return;
    };
    if let Via::Winrm(winrm) = &target.via
        && let Err(error) = winrm.check_login()
    {
        let finding = failed(Check::Authentication, &error);
        case.findings.push(finding);
    }
}

/// What a host's result says.
pub fn read(case: &mut Case, result: &HostResult, output: &[u8]) {
    let Some(target) = case.target.clone() else {
        return;
    };
    // Only a connection that was made has times: without one nobody was let in, whatever the outcome.
    let Some(timings) = result.timings else {
        let error = result
            .error
            .clone()
            .unwrap_or_else(|| HostError::new(ErrorKind::Disconnected, "the connection was lost"));
        not_let_in(case, &target, &error);
        return;
    };
    if !matches!(target.via, Via::Local) {
        case.findings.push(identity(&target).took(timings.connect));
        case.findings
            .push(authentication(&target).took(timings.auth));
    }
    let answers = Answers::read(output);
    if answers.shell.is_none()
        && let Some(error) = &result.error
    {
        case.findings.push(no_answer(case, error));
        return;
    }
    let asking = result
        .duration
        .saturating_sub(timings.connect + timings.auth);
    case.support = support(&answers);
    let about = circumstances(&target, result, asking);
    for mut finding in findings(&answers, &about) {
        if finding.check == Check::Shell {
            finding = finding.took(asking);
            if let Some(error) = result.error.as_ref().filter(|_| !answers.complete) {
                finding.detail = format!("{}: {}", finding.detail, error.message);
                finding.hint = error.hint.clone().or(finding.hint);
            }
        }
        case.findings.push(finding);
    }
    if answers.shell.is_none() && result.error.is_none() {
        wrong_shell(case);
    }
}

fn circumstances(target: &Target, result: &HostResult, asking: Duration) -> Circumstances {
    let (winrm, auth) = match &target.via {
        Via::Winrm(winrm) => (true, Some(winrm.options.auth)),
        Via::Ssh(_) | Via::Local => (false, None),
    };
    let finished = result
        .started
        .saturating_add(jiff::SignedDuration::try_from(result.duration).unwrap_or_default());
    let began = finished.as_ref().ok().and_then(|finished| {
        let asking = jiff::SignedDuration::try_from(asking).ok()?;
        finished.checked_sub(asking).ok()
    });
    Circumstances {
        host: target.host.to_string(),
        winrm,
        kerberos: auth == Some(WinrmAuth::Kerberos),
        hands_on: auth == Some(WinrmAuth::Credssp),
        encoding: target
            .encoding
            .map(|encoding| encoding.name().to_ascii_lowercase()),
        becomes: target.r#become.as_ref().map(|how| how.user.clone()),
        asked: began.zip(finished.ok()),
    }
}

/// The host proved who it is, or was not asked to.
fn identity(target: &Target) -> Finding {
    let (mode, what) = match &target.via {
        Via::Ssh(ssh) => (ssh.options.host_key, "host key"),
        Via::Winrm(winrm) if !winrm.options.https => {
            return Finding::skipped(Check::Identity, "HTTP: the host shows no certificate");
        }
        Via::Winrm(winrm) if winrm.options.pin.is_some() => {
            return Finding::ok(Check::Identity, "the certificate is the pinned one");
        }
        Via::Winrm(winrm) => (winrm.options.host_key, "certificate"),
        Via::Local => return Finding::ok(Check::Identity, "the controller itself"),
    };
    match mode {
        HostKeyMode::Off => Finding::warn(
            Check::Identity,
            format!("the {what} was not checked"),
            "bring it in with `iomsctl hostkeys scan` and `approve`, then turn the check on",
        ),
        HostKeyMode::Strict | HostKeyMode::AcceptNew => {
            Finding::ok(Check::Identity, format!("the {what} is believed"))
        }
    }
}

fn authentication(target: &Target) -> Finding {
    let detail = match &target.via {
        Via::Ssh(ssh) => format!("logged in as {}", ssh.user),
        Via::Winrm(winrm) if winrm.options.auth == WinrmAuth::Certificate => {
            "logged in by certificate".to_owned()
        }
        Via::Winrm(winrm) => {
            format!(
                "logged in as {} ({})",
                winrm.user,
                winrm.options.auth.name()
            )
        }
        Via::Local => "nobody has to log in".to_owned(),
    };
    Finding::ok(Check::Authentication, detail)
}

/// No login: where the way ended.
fn not_let_in(case: &mut Case, target: &Target, error: &HostError) {
    let check = match error.kind {
        // Wrong on our side: a file, a name, a value.
        ErrorKind::Arguments | ErrorKind::Template | ErrorKind::LocalIo => Check::Settings,
        ErrorKind::HostKeyUnknown
        | ErrorKind::HostKeyChanged
        | ErrorKind::HostKeyRevoked
        | ErrorKind::Certificate => Check::Identity,
        ErrorKind::Dns => Check::Dns,
        ErrorKind::Refused | ErrorKind::ConnectTimeout if !reached(case) => Check::Tcp,
        _ => Check::Authentication,
    };
    // What the way around it did not let us look at was looked at now.
    case.findings.retain(|one| one.check != check);
    // Who denies a login was believed before, unless it was a bastion on the way.
    let asked_itself = !matches!(&target.via, Via::Ssh(ssh) if !ssh.jump.is_empty());
    if error.kind == ErrorKind::AuthDenied && asked_itself {
        case.findings.push(identity(target));
    }
    let topic = match error.kind {
        ErrorKind::AuthDenied => Some("the login was denied"),
        ErrorKind::HostKeyUnknown => Some("the host key or certificate is not on record"),
        ErrorKind::HostKeyChanged => Some("the host key or certificate is not the one on record"),
        _ => None,
    };
    let finding = failed(check, error);
    case.findings.push(match topic {
        Some(topic) => finding.topic(topic),
        None => finding,
    });
}

fn reached(case: &Case) -> bool {
    case.findings
        .iter()
        .any(|one| one.check == Check::Tcp && one.state == crate::doctor::State::Ok)
}

/// A login, and then no answer.
fn no_answer(case: &Case, error: &HostError) -> Finding {
    let check = match error.kind {
        ErrorKind::BecomeDenied => Check::Rights,
        ErrorKind::Quota => Check::Quota,
        ErrorKind::NoSpace => Check::Disk,
        _ => Check::Shell,
    };
    let finding = failed(check, error);
    match windows_behind_ssh(case) {
        Some(hint) if check == Check::Shell => finding.hint(hint),
        _ => finding,
    }
}

/// The shell said something else: better advice, where the banner gives it.
fn wrong_shell(case: &mut Case) {
    if let Some(hint) = windows_behind_ssh(case)
        && let Some(finding) = case
            .findings
            .iter_mut()
            .find(|one| one.check == Check::Shell)
    {
        finding.hint = Some(hint.to_owned());
    }
}

fn windows_behind_ssh(case: &Case) -> Option<&'static str> {
    let (windows, unix) = (
        case.greeting()?.contains("Windows"),
        case.target.as_ref()?.shell == crate::target::ShellKind::Posix,
    );
    (windows && unix).then_some(
        "this is Windows: set ansible_shell_type: cmd or powershell, whichever its sshd starts",
    )
}
