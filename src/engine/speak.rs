//! In which shell's words a plan is said to a host.

use super::drive::mark;
use super::outcome::failure_error;
use crate::event::{ErrorKind, HostError};
use crate::shell::windows::{self, Carrier, Runas, Situation, WindowsShell};
use crate::shell::{self, Conversation, Plan, PosixConversation};
use crate::target::{Become, BecomeMethod, ShellKind, Target, Via};

/// The conversation by which a host is told the plan.
pub(super) fn conversation(
    plan: &Plan,
    target: &Target,
) -> Result<Box<dyn Conversation>, HostError> {
    let mark = mark();
    let tmpdir = target.tmpdir.as_deref();
    let shell = match target.shell {
        ShellKind::Posix => {
            let escalation = target.r#become.as_ref().map(escalation).transpose()?;
            return Ok(Box::new(PosixConversation::new(
                plan, escalation, tmpdir, &mark,
            )));
        }
        ShellKind::Cmd => WindowsShell::Cmd,
        ShellKind::Powershell => WindowsShell::Powershell,
    };
    let situation = Situation {
        shell,
        carrier: match target.via {
            Via::Winrm(_) => Carrier::Winrm,
            Via::Ssh(_) | Via::Local => Carrier::Channel,
        },
        runas: target.r#become.as_ref().map(runas).transpose()?,
        tmpdir,
    };
    windows::conversation(plan, &situation, &mark).map_err(failure_error)
}

/// How one becomes another user of a Unix host.
pub(super) fn escalation(
    how: &Become,
) -> Result<(shell::Escalation, Option<crate::base::secret::Secret>), HostError> {
    let method = match how.method {
        BecomeMethod::Sudo => shell::Method::Sudo,
        BecomeMethod::Su => shell::Method::Su,
        BecomeMethod::Doas => shell::Method::Doas,
        BecomeMethod::Runas => {
            return Err(HostError::new(
                ErrorKind::Unsupported,
                "become method runas is for Windows hosts",
            ));
        }
    };
    let escalation = shell::Escalation {
        method,
        user: how.user.clone(),
        exe: how.exe.clone(),
        flags: how.flags.clone(),
    };
    Ok((escalation, how.password.clone()))
}

fn runas(how: &Become) -> Result<Runas, HostError> {
    if how.method != BecomeMethod::Runas {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!("become method {} is for Unix hosts", how.method.name()),
        )
        .hint("Windows hosts want ansible_become_method: runas"));
    }
    Ok(Runas {
        user: how.user.clone(),
        password: how.password.clone(),
    })
}
