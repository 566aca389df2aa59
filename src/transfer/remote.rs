//! One host's files behind one interface, whatever does the tasks there: a Unix shell, PowerShell, or
//! SFTP alone.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::link::{Input, Link, Pulse, Sink, Trouble};
use super::sftp;
use crate::event::{ErrorKind, HostError, Route};
use crate::shell::files::{Answer, FileFailure, FileTask, HostPath, Said};
use crate::shell::{posix, windows};
use crate::target::{ShellKind, Via};
use crate::transport::Files;

/// Who does the tasks.
enum Doer {
    Posix,
    Windows,
    /// No shell answers: SFTP's requests, one by one.
    Sftp(Arc<dyn Files>),
}

/// Whether single files can go by SFTP beside a shell.
enum Channel {
    NotAsked,
    /// On its way. (A set of one: ended when it is dropped.)
    Coming(JoinSet<Result<Arc<dyn Files>, HostError>>),
    None,
    Open(Arc<dyn Files>),
}

/// One host's files.
pub(super) struct Remote<'a> {
    link: &'a mut dyn Link,
    doer: Doer,
    channel: Channel,
}

impl<'a> Remote<'a> {
    pub(super) fn new(link: &'a mut dyn Link) -> Self {
        let target = link.target();
        let doer = match target.shell {
            ShellKind::Posix => Doer::Posix,
            ShellKind::Cmd | ShellKind::Powershell => Doer::Windows,
        };
        // SFTP is the account's that logs in, whoever it becomes.
        let fit = matches!(target.via, Via::Ssh(_))
            && target.r#become.is_none()
            && matches!(doer, Doer::Posix);
        Self {
            link,
            doer,
            channel: if fit {
                Channel::NotAsked
            } else {
                Channel::None
            },
        }
    }

    /// The host's name.
    pub(super) fn host(&self) -> String {
        self.link.target().host.to_string()
    }

    /// Whether the host is one of Windows.
    pub(super) fn is_windows(&self) -> bool {
        matches!(self.doer, Doer::Windows)
    }

    /// How content goes to the host but by SFTP.
    pub(super) fn stream(&self) -> Route {
        match (&self.doer, &self.link.target().via) {
            (Doer::Sftp(_), _) => Route::Sftp,
            (_, Via::Winrm(_)) => Route::Winrm,
            _ => Route::Stream,
        }
    }

    /// Begins to open that channel while other things are asked: it takes four round trips.
    pub(super) fn expect_channel(&mut self) {
        if let Channel::NotAsked = self.channel {
            let mut coming = JoinSet::new();
            coming.spawn(self.link.files());
            self.channel = Channel::Coming(coming);
        }
    }

    /// The channel by which single files go, where there is one beside a shell.
    pub(super) async fn channel(&mut self) -> Option<Arc<dyn Files>> {
        self.expect_channel();
        if let Channel::Coming(coming) = &mut self.channel {
            self.channel = match coming.join_next().await {
                Some(Ok(Ok(files))) => Channel::Open(files),
                Some(Ok(Err(error))) => {
                    tracing::debug!(%error, "no SFTP, content goes through the shell");
                    Channel::None
                }
                Some(Err(_)) | None => Channel::None,
            };
        }
        match &self.channel {
            Channel::Open(files) => Some(files.clone()),
            _ => None,
        }
    }

    /// To be called whenever the host has done something.
    pub(super) fn pulse(&self) -> Pulse {
        self.link.pulse()
    }

    /// Whether many files can go in one stream.
    pub(super) fn takes_streams(&self) -> bool {
        !matches!(self.doer, Doer::Sftp(_))
    }

    /// Has a task done.
    pub(super) async fn ask(&mut self, task: FileTask) -> Result<Answer, Trouble> {
        self.feed(task, None).await
    }

    /// The same with content for it.
    pub(super) async fn feed(
        &mut self,
        task: FileTask,
        input: Option<Input>,
    ) -> Result<Answer, Trouble> {
        let mut answer = Vec::new();
        let first = matches!(task, FileTask::Stat { .. } | FileTask::Walk(_)) && input.is_none();
        let task = Arc::new(task);
        match self.perform(&task, input, &mut answer).await {
            Err(trouble) if first && self.can_do_without_a_shell(&trouble) => {
                let Some(files) = self.channel().await else {
                    return Err(trouble);
                };
                tracing::info!("no shell answers, SFTP alone does it");
                self.doer = Doer::Sftp(files);
                let mut answer = Vec::new();
                self.perform(&task, None, &mut answer).await
            }
            done => done,
        }
    }

    /// The same with its content going to `sink`.
    pub(super) async fn fetch(
        &mut self,
        task: FileTask,
        sink: &mut dyn Sink,
    ) -> Result<(), Trouble> {
        let task = Arc::new(task);
        if let Doer::Sftp(files) = &self.doer {
            return sftp::fetch(files, &task, sink, &self.link.pulse()).await;
        }
        let said = self.link.perform(task.clone(), None, sink).await?;
        self.read(&task, &said).map(drop)
    }

    async fn perform(
        &mut self,
        task: &Arc<FileTask>,
        input: Option<Input>,
        answer: &mut Vec<u8>,
    ) -> Result<Answer, Trouble> {
        if let Doer::Sftp(files) = &self.doer {
            let done = sftp::perform(files, task, input, &self.link.pulse()).await;
            return done.map_err(|mut trouble| {
                if trouble.error.hint.is_none() {
                    trouble.error.hint = hint(&trouble.error.message).map(str::to_owned);
                }
                trouble
            });
        }
        let mut said = self.link.perform(task.clone(), input, answer).await?;
        said.stdout = std::mem::take(answer).into();
        self.read(task, &said)
    }

    fn read(&self, task: &FileTask, said: &Said) -> Result<Answer, Trouble> {
        let answer = match self.doer {
            Doer::Windows => windows::files::read(task, said),
            Doer::Posix | Doer::Sftp(_) => posix::files::read(task, said),
        };
        answer.map_err(|failure| {
            let error = match (&self.doer, failure) {
                // PowerShell says what is lacking in a sentence.
                (Doer::Windows, FileFailure::NoTool(said)) => {
                    HostError::new(ErrorKind::Unsupported, said)
                }
                (_, failure) => failed(failure),
            };
            if reads(task) {
                return of_a_source(error).into();
            }
            error.into()
        })
    }

    /// No shell answered, where SFTP may.
    fn can_do_without_a_shell(&self, trouble: &Trouble) -> bool {
        matches!(self.doer, Doer::Posix)
            && trouble.error.kind == ErrorKind::Unsupported
            && !matches!(self.channel, Channel::None)
    }
}

/// A host's no, as an error.
pub(super) fn failed(failure: FileFailure) -> HostError {
    match failure {
        FileFailure::NoSpace(why) => HostError::new(ErrorKind::NoSpace, why),
        FileFailure::Refused(why) => {
            let hint = hint(&why);
            let error = HostError::new(ErrorKind::RemoteIo, why);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
        FileFailure::NoTool(tool) => HostError::new(
            ErrorKind::Unsupported,
            format!("the host lacks what is needed for it: {tool}"),
        ),
        FileFailure::Garbled(why) => HostError::new(ErrorKind::Protocol, why),
    }
}

/// Whether a task makes nothing.
fn reads(task: &FileTask) -> bool {
    matches!(
        task,
        FileTask::Walk(_) | FileTask::ReadLinks(_) | FileTask::Send(_) | FileTask::Pack(_)
    )
}

/// The same error where nothing was to be made.
fn of_a_source(mut error: HostError) -> HostError {
    if error.kind == ErrorKind::RemoteIo && error.message.contains("No such file") {
        error.hint = Some("it may have gone while it was fetched".to_owned());
    }
    error
}

/// What to do about what a file system says.
fn hint(why: &str) -> Option<&'static str> {
    let why = why.to_ascii_lowercase();
    let hints = [
        ("permission denied", "another account may: --become, or -u"),
        ("not permitted", "another account may: --become, or -u"),
        (
            "read-only file system",
            "the file system is mounted read-only there",
        ),
        ("no such file or directory", "--mkdir makes the folder"),
        ("name too long", "the file system takes shorter names only"),
    ];
    hints
        .iter()
        .find(|(words, _)| why.contains(words))
        .map(|(_, hint)| *hint)
}

/// Unwraps an answer of the kind that was asked for.
macro_rules! expect_answer {
    ($answer:expr, $pattern:pat => $value:expr) => {
        match $answer {
            $pattern => Ok($value),
            other => Err($crate::transfer::remote::unexpected(&other)),
        }
    };
}
pub(super) use expect_answer;

/// An answer to another question: a defect of ours.
pub(super) fn unexpected(answer: &Answer) -> Trouble {
    tracing::error!(?answer, "an answer to another question");
    HostError::new(ErrorKind::Protocol, "internal error in a transfer").into()
}

/// A path as SFTP takes it: relative to where the account begins. `None`: another account's home.
pub(super) fn for_sftp(path: &HostPath) -> Option<&[u8]> {
    match path.as_bytes() {
        b"" | b"~" | b"~/" => Some(b"."),
        [b'~', b'/', rest @ ..] => Some(rest),
        [b'~', ..] => None,
        bytes => Some(bytes),
    }
}
