//! Modules on Unix hosts: one shell a connection, kept beside it, does one program after another. What
//! it is told and how what it says is taken apart is `shell`'s ([`Frame`]); here its process is lent to
//! one task at a time, as if it were the task's own. A program that does not end in time takes the shell
//! with it; the next one begins another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::drive::{Drive, Start, mark, open, request};
use super::outcome::End;
use super::speak;
use crate::event::{HostError, Stream};
use crate::shell::{Conversation as _, Frame, HostShell, ModuleScript, PosixConversation, Told};
use crate::target::{Become, BecomeMethod, ShellKind, Target};
use crate::transport::{Exit, Holding, Input, Output, OutputEvent, Process};

/// How long the end of a program's standard error may come after that of its standard output.
const ERRORS: Duration = Duration::from_secs(1);

/// A shell that nobody has spoken to for so long is not spoken to again: whether its connection still
/// lives is asked by opening another, before there is work that may or may not have begun.
const IDLE: Duration = Duration::from_secs(2);

/// A shell and its process.
struct Kept {
    input: Arc<Mutex<Box<dyn Input>>>,
    output: Arc<Mutex<Box<dyn Output>>>,
    secret: String,
    told: Told,
    /// Known once it has said hello.
    shell: Option<HostShell>,
    /// As whom it runs.
    user: Option<Become>,
}

/// A shell that nobody works with. It is listened to all the same: what nobody reads of one channel is in
/// the way of all others of its connection. One that speaks unasked is given up at once.
struct Resting {
    /// Said, or dropped, when it is wanted or let go of.
    wake: oneshot::Sender<()>,
    /// Where it has kept quiet.
    shell: JoinHandle<Option<Box<Kept>>>,
    since: Instant,
}

/// Whether a shell for modules can be kept for a host: not where it begins at a terminal, which has no
/// end of input.
pub(super) fn can_be_kept(target: &Target) -> bool {
    let terminal = |how: &Become| how.method != BecomeMethod::Sudo;
    target.shell == ShellKind::Posix && !target.r#become.as_ref().is_some_and(terminal)
}

/// Does a module's program by the shell that is kept in `holding`, or by one that is kept there from now
/// on. `drive` is what else a command needs.
pub(super) async fn run(drive: Drive<'_>, script: &ModuleScript, mut holding: Holding<'_>) -> End {
    let user = drive.target.r#become.as_ref();
    let escalation = match user.map(speak::escalation).transpose() {
        Ok(escalation) => escalation,
        Err(error) => return End::failed(error),
    };
    let kept = match holding.take::<Resting>() {
        Some(resting) => resting.wake().await,
        None => None,
    };
    let kept = kept.filter(|kept| kept.user.as_ref() == user);
    let (mut conversation, mut kept) = if let Some((mut kept, shell)) = kept.and_then(with_shell) {
        let (secret, told) = (&kept.secret, &mut kept.told);
        let within = PosixConversation::within(drive.plan, script, escalation, secret, told, shell);
        (within, kept)
    } else {
        let (secret, mut told, hello) = (mark(), Told::default(), mark());
        let beginning = PosixConversation::beginning(
            drive.plan, script, escalation, &secret, &mut told, &hello,
        );
        let opening = request(beginning.begin());
        match open(drive.connection, opening, drive.halt).await {
            Ok(process) => (
                beginning,
                Box::new(Kept::new(process, secret, told, user.cloned())),
            ),
            Err(end) => return end,
        }
    };
    let over = Arc::new(AtomicBool::new(false));
    let process = kept.lend(&script.mark, over.clone());
    let end = drive.run(Start::Begun(process), &mut conversation).await;
    if over.load(Ordering::Relaxed) {
        kept.shell = conversation.shell();
        holding.put(Box::new(kept.rest()));
    }
    end
}

fn with_shell(kept: Box<Kept>) -> Option<(Box<Kept>, HostShell)> {
    let shell = kept.shell?;
    Some((kept, shell))
}

impl Kept {
    fn new(process: Process, secret: String, told: Told, user: Option<Become>) -> Self {
        Self {
            input: Arc::new(Mutex::new(process.input)),
            output: Arc::new(Mutex::new(process.output)),
            secret,
            told,
            shell: None,
            user,
        }
    }

    /// Lets it be until it is wanted again.
    fn rest(self: Box<Self>) -> Resting {
        let (wake, woken) = oneshot::channel();
        Resting {
            wake,
            shell: tokio::spawn(self.listen(woken)),
            since: Instant::now(),
        }
    }

    /// Itself, unless anything is said before it is wanted: then others write there too.
    async fn listen(self: Box<Self>, woken: oneshot::Receiver<()>) -> Option<Box<Self>> {
        let quiet = {
            // Whoever works with it has let go of it: where not, it is fit for nobody else.
            let mut output = self.output.try_lock().ok()?;
            tokio::select! {
                biased;
                _ = output.next() => false,
                _ = woken => true,
            }
        };
        quiet.then_some(self)
    }

    /// Its process as that of one program.
    fn lend(&self, mark: &str, over: Arc<AtomicBool>) -> Process {
        Process {
            input: Box::new(LentInput(self.input.clone())),
            output: Box::new(LentOutput {
                output: self.output.clone(),
                frame: Frame::new(mark),
                exit_said: false,
                until: None,
                over,
            }),
        }
    }
}

impl Resting {
    /// The shell, where it is fit for another task.
    async fn wake(self) -> Option<Box<Kept>> {
        let rested = self.since.elapsed();
        drop(self.wake);
        let shell = self.shell.await.ok().flatten();
        shell.filter(|_| rested <= IDLE)
    }
}

impl Drop for Kept {
    /// The end of its input is what a shell ends by: no channel is closed by letting go of it.
    fn drop(&mut self) {
        let input = self.input.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let closed = input.lock().await.close().await;
                closed.unwrap_or_else(|error| tracing::debug!(%error, "a shell had ended"));
            });
        }
    }
}

/// The shell's input in the hands of one program.
struct LentInput(Arc<Mutex<Box<dyn Input>>>);

#[async_trait]
impl Input for LentInput {
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError> {
        self.0.lock().await.write(bytes).await
    }

    /// The program knows how much it is given; the shell reads on.
    async fn close(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

/// The shell's output in the hands of one program: closed where the program ends.
struct LentOutput {
    output: Arc<Mutex<Box<dyn Output>>>,
    frame: Frame,
    exit_said: bool,
    /// How long the end of standard error is waited for, once that of standard output was seen.
    until: Option<Instant>,
    /// Told when it came to its end, and the shell is free.
    over: Arc<AtomicBool>,
}

#[async_trait]
impl Output for LentOutput {
    async fn next(&mut self) -> OutputEvent {
        loop {
            if self.frame.is_over() {
                self.over.store(true, Ordering::Relaxed);
            }
            if let Some(status) = self.frame.status() {
                let until = *self.until.get_or_insert_with(|| Instant::now() + ERRORS);
                if self.frame.is_over() || Instant::now() >= until {
                    if std::mem::replace(&mut self.exit_said, true) {
                        return OutputEvent::Closed;
                    }
                    return OutputEvent::Exit(Exit::Status(status));
                }
            }
            let next = async { self.output.lock().await.next().await };
            let event = match self.until {
                None => next.await,
                Some(until) => match timeout_at(until, next).await {
                    Ok(event) => event,
                    Err(_) => continue,
                },
            };
            let OutputEvent::Data(stream, bytes) = event else {
                return event;
            };
            let said = match stream {
                Stream::Stdout => self.frame.stdout(bytes),
                Stream::Stderr => self.frame.stderr(bytes),
            };
            if !said.is_empty() {
                return OutputEvent::Data(stream, said);
            }
        }
    }

    async fn end(&mut self, grace: Duration) -> Option<Result<(), HostError>> {
        self.output.lock().await.end(grace).await
    }

    /// The shell goes on.
    async fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that takes everything and says nothing.
    struct Silent;

    #[async_trait]
    impl Input for Silent {
        async fn write(&mut self, _: Bytes) -> Result<(), HostError> {
            Ok(())
        }
        async fn close(&mut self) -> Result<(), HostError> {
            Ok(())
        }
    }

    #[async_trait]
    impl Output for Silent {
        async fn next(&mut self) -> OutputEvent {
            std::future::pending().await
        }
        async fn end(&mut self, _: Duration) -> Option<Result<(), HostError>> {
            None
        }
        async fn close(&mut self) {}
    }

    fn kept() -> Box<Kept> {
        let process = Process {
            input: Box::new(Silent),
            output: Box::new(Silent),
        };
        Box::new(Kept::new(process, "S".into(), Told::default(), None))
    }

    #[tokio::test]
    async fn a_shell_that_somebody_still_listens_to_is_given_up() {
        assert!(kept().rest().wake().await.is_some());
        let kept = kept();
        let output = kept.output.clone();
        let _held = output.lock().await;
        let resting = kept.rest();
        assert!(resting.wake().await.is_none());
    }
}
