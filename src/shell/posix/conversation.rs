//! What is said to a Unix host and when: a state machine from bytes seen to bytes to send. It moves
//! no bytes itself and knows no time; `engine` drives it over any transport's `exec`.
//!
//! ```text
//! exec the constant ─► hello ─► script ─► (report) ─► the command's own streams
//! with become:         hello ─► sudo ... ─► prompt? password ─► inner hello ─► script ─► ...
//! a session:           ... ─► script ─► program ─► its streams ─► program ─► its streams ...
//! ```

use bytes::{Bytes, BytesMut};

use super::escalating;
use super::script::{self, Escalation, Footing};
use super::session::{self, Told};
use crate::base::secret::Secret;
use crate::shell::conversation::{Conversation, Failure, Opening, Step};
use crate::shell::find;
use crate::shell::module::ModuleScript;
use crate::shell::plan::{Command, Plan};

/// How much a host may say before its hello: banners and start-up files.
const NOISE_MAX: usize = 64 * 1024;

/// The mark of the hello that the work begins with.
fn inner(mark: &str, escalated: bool) -> String {
    if escalated {
        format!("{mark}i")
    } else {
        mark.to_owned()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting for the first hello.
    Hello,
    /// sudo, su or doas is at work.
    Escalating,
    /// The script is said; waiting for its report.
    Reporting,
    /// What comes is the command's.
    Started,
}

/// One command's conversation with a Unix shell.
#[derive(Debug)]
pub struct PosixConversation {
    stage: Stage,
    mark: String,
    inner_mark: String,
    prompt: String,
    escalation: Option<(Escalation, Option<Secret>)>,
    pty: bool,
    script: Bytes,
    payload: Bytes,
    reports: bool,
    /// Whether what follows the script is sent after its report only.
    waits: bool,
    /// Standard output before the command's own.
    seen: BytesMut,
    /// Standard error while escalating.
    complaints: BytesMut,
    password_sent: bool,
    shell: Option<HostShell>,
    /// Whether other programs are done by the same shell.
    shared: bool,
    folder: Option<String>,
}

/// A shell that answers on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostShell {
    /// Its process group.
    pub group: u32,
    /// Its process, where it was said.
    pub process: Option<u32>,
}

impl PosixConversation {
    /// A conversation for `plan`. `mark` is random and of letters and digits only; `become` with
    /// the password to give, if there is one.
    pub fn new(
        plan: &Plan,
        escalation: Option<(Escalation, Option<Secret>)>,
        tmpdir: Option<&str>,
        mark: &str,
    ) -> Self {
        let inner_mark = inner(mark, escalation.is_some());
        let dialogue = escalation
            .as_ref()
            .is_some_and(|(how, _)| how.method.needs_pty());
        let footing = Footing {
            escalated: escalation.is_some(),
            terminal: dialogue && !plan.tty,
        };
        let words = script::script(plan, tmpdir, &inner_mark, footing);
        let waits = script::waits_for_report(plan, footing);
        let mut words = words.into_bytes();
        let payload = match &plan.command {
            // On a terminal it waits until that takes no byte for a signal any more.
            Command::Module(module) if waits => {
                let mut text = Vec::new();
                script::add_module(module, &inner_mark, &mut text);
                text.into()
            }
            Command::Module(module) => {
                script::add_module(module, &inner_mark, &mut words);
                Bytes::new()
            }
            Command::Script(script) => script.body.clone(),
            Command::Files(task) => super::files::payload(task),
            _ => Bytes::new(),
        };
        Self {
            pty: plan.tty || dialogue,
            payload,
            reports: script::needs_report(plan) || waits,
            waits,
            ..Self::saying(words, escalation, mark)
        }
    }

    /// A conversation that begins a session ([`session`]) with its first program. `secret` is the
    /// session's, `mark` that of its hello; both are random and of letters and digits only. Not with what
    /// needs a terminal.
    pub fn beginning(
        plan: &Plan,
        module: &ModuleScript,
        escalation: Option<(Escalation, Option<Secret>)>,
        secret: &str,
        told: &mut Told,
        mark: &str,
    ) -> Self {
        let mut script = session::begin(secret).into_bytes();
        script.extend(session::say(plan, module, secret, told));
        Self {
            shared: true,
            ..Self::saying(script, escalation, mark)
        }
    }

    /// A conversation about one more program with the shell of a session.
    pub fn within(
        plan: &Plan,
        module: &ModuleScript,
        escalation: Option<(Escalation, Option<Secret>)>,
        secret: &str,
        told: &mut Told,
        shell: HostShell,
    ) -> Self {
        Self {
            stage: Stage::Started,
            shell: Some(shell),
            shared: true,
            ..Self::saying(session::say(plan, module, secret, told), escalation, "")
        }
    }

    /// The shell, once it has said hello.
    pub fn shell(&self) -> Option<HostShell> {
        self.shell
    }

    /// A conversation that ends the process group of another one, as the same user.
    fn ending_of(other: &Self, mark: &str) -> Option<Self> {
        let shell = other.shell?;
        let escalation = other.escalation.clone();
        let pty = escalation
            .as_ref()
            .is_some_and(|(how, _)| how.method.needs_pty());
        let ending = Self {
            pty,
            ..Self::saying(Vec::new(), escalation, mark)
        };
        let mark = &ending.inner_mark;
        let script = match shell.process.filter(|_| other.shared) {
            Some(process) => script::kill_tree(process, shell.group, mark),
            None => script::kill(shell.group, other.folder.as_deref(), mark),
        };
        Some(Self {
            script: script.into(),
            ..ending
        })
    }

    /// A conversation that says a script and nothing after it.
    fn saying(
        script: Vec<u8>,
        escalation: Option<(Escalation, Option<Secret>)>,
        mark: &str,
    ) -> Self {
        Self {
            stage: Stage::Hello,
            mark: mark.to_owned(),
            inner_mark: inner(mark, escalation.is_some()),
            prompt: format!("[{mark}p]"),
            escalation,
            pty: false,
            script: script.into(),
            payload: Bytes::new(),
            reports: false,
            waits: false,
            seen: BytesMut::new(),
            complaints: BytesMut::new(),
            password_sent: false,
            shell: None,
            shared: false,
            folder: None,
        }
    }

    fn first_script(&self) -> Bytes {
        match &self.escalation {
            _ if self.stage == Stage::Started => self.script.clone(),
            None => self.script.clone(),
            Some((how, _)) => script::escalate(how, &self.inner_mark, &self.prompt).into(),
        }
    }

    fn advance(&mut self, step: &mut Step) -> bool {
        match self.stage {
            Stage::Hello => {
                let Some(shell) = self.hello(&self.mark.clone()) else {
                    return false;
                };
                self.shell = Some(shell);
                if self.pty {
                    step.write.extend(self.first_script());
                }
                if self.escalation.is_some() {
                    self.stage = Stage::Escalating;
                    self.complaints.clear();
                } else {
                    self.said_script(step);
                }
                true
            }
            Stage::Escalating => {
                if let Some(shell) = self.hello(&self.inner_mark.clone()) {
                    self.shell = Some(shell);
                    step.write.extend(self.script.clone());
                    self.said_script(step);
                    return true;
                }
                if self.pty {
                    let seen = std::mem::take(&mut self.seen);
                    self.answer(&seen, step);
                    if step.write.is_empty() {
                        self.seen = seen;
                    }
                }
                false
            }
            Stage::Reporting => self.report(step),
            Stage::Started => {
                step.stdout = self.seen.split().freeze();
                false
            }
        }
    }

    fn said_script(&mut self, step: &mut Step) {
        step.started = !self.waits;
        self.stage = if self.reports {
            Stage::Reporting
        } else {
            Stage::Started
        };
    }

    /// Takes everything up to the hello line away; the shell that said it.
    fn hello(&mut self, mark: &str) -> Option<HostShell> {
        let mut from = 0;
        let text = self.seen.as_ref();
        let needle = format!("{mark} ");
        while let Some(at) = find(text.get(from..)?, needle.as_bytes()) {
            let start = from + at + needle.len();
            let rest = text.get(start..)?;
            let length = rest.iter().position(|b| *b == b'\n')?;
            let words = std::str::from_utf8(rest.get(..length)?).ok()?;
            let mut words = words.split_whitespace().map(|word| word.parse().ok());
            if let Some(group) = words.next().flatten().filter(|group| *group > 1) {
                let process = words.next().flatten().filter(|process| *process > 1);
                let _ = self.seen.split_to(start + length + 1);
                return Some(HostShell { group, process });
            }
            from = start;
        }
        None
    }

    /// Reads the line by which a script says how its preparations went.
    fn report(&mut self, step: &mut Step) -> bool {
        let Some(length) = self.seen.iter().position(|b| *b == b'\n') else {
            return false;
        };
        let line = self.seen.split_to(length + 1);
        let line = String::from_utf8_lossy(&line);
        let Some(rest) = line
            .trim_end()
            .strip_prefix(&format!("{} ", self.inner_mark))
        else {
            step.failed = Some(Failure::Remote(line.trim_end().to_owned()));
            return false;
        };
        let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
        let message = message.to_owned();
        match kind {
            "ok" => {
                self.folder = Some(message).filter(|folder| !folder.is_empty());
                self.stage = Stage::Started;
                step.started |= self.waits;
                return true;
            }
            "no_such_interpreter" => step.failed = Some(Failure::NoInterpreter(message)),
            "no_space" => step.failed = Some(Failure::NoSpace(message)),
            _ => step.failed = Some(Failure::Remote(message)),
        }
        false
    }

    /// Answers a prompt in `text`, once.
    fn answer(&mut self, text: &[u8], step: &mut Step) {
        let text = String::from_utf8_lossy(text);
        let Some((how, password)) = &self.escalation else {
            return;
        };
        if !escalating::asks(how.method, &text, &self.prompt) {
            return;
        }
        let program = how.method.name();
        match password {
            _ if self.password_sent => {
                step.failed = Some(Failure::Denied(format!("{program}: wrong password")));
            }
            None => {
                step.failed = Some(Failure::Denied(format!(
                    "{program} asks for a password and none was given"
                )));
            }
            Some(password) => {
                self.password_sent = true;
                step.write = format!("{}\n", password.expose()).into_bytes();
            }
        }
    }

    /// The first of what was said in place of an answer, for a message.
    fn excerpt(&self) -> String {
        let mut said = String::from_utf8_lossy(&self.complaints).into_owned();
        said.push_str(&String::from_utf8_lossy(&self.seen));
        let said = said.replace(&self.prompt, "");
        let method = self.escalation.as_ref().map(|(how, _)| how.method);
        escalating::excerpt(&said, method)
    }
}

impl Conversation for PosixConversation {
    fn says_gone(&self, stdout: &[u8]) -> bool {
        let gone = format!("{} gone", self.inner_mark);
        String::from_utf8_lossy(stdout)
            .lines()
            .any(|line| line.trim_end() == gone)
    }

    fn begin(&self) -> Opening {
        Opening {
            command: script::begin(&self.mark).into(),
            pty: self.pty,
            ..Opening::default()
        }
    }

    fn opening(&self) -> Bytes {
        if self.pty {
            Bytes::new()
        } else {
            self.first_script()
        }
    }

    fn payload(&self) -> Bytes {
        self.payload.clone()
    }

    fn opens_with_the_work(&self) -> bool {
        self.starts_at_once() || (!self.pty && self.escalation.is_none())
    }

    fn starts_at_once(&self) -> bool {
        self.stage == Stage::Started
    }

    fn opens_with_all(&self) -> bool {
        self.opens_with_the_work() && self.payload.is_empty()
    }

    fn is_started(&self) -> bool {
        self.stage == Stage::Started
    }

    fn group(&self) -> Option<u32> {
        self.shell.map(|shell| shell.group)
    }

    fn stdout(&mut self, bytes: Bytes) -> Step {
        if self.stage == Stage::Started {
            return Step {
                stdout: bytes,
                ..Step::default()
            };
        }
        self.seen.extend_from_slice(&bytes);
        let mut step = Step::default();
        while self.advance(&mut step) {}
        if step.failed.is_none() && self.stage != Stage::Started && self.seen.len() > NOISE_MAX {
            step.failed = Some(Failure::NoShell(self.excerpt()));
        }
        step
    }

    fn stderr(&mut self, bytes: Bytes) -> Step {
        if self.stage == Stage::Hello && self.escalation.is_some() {
            // What the login shell has to say: nobody was asked for anything yet.
            let room = NOISE_MAX.saturating_sub(self.complaints.len());
            self.complaints
                .extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
            return Step::default();
        }
        if self.stage == Stage::Escalating {
            self.complaints.extend_from_slice(&bytes);
            let mut step = Step::default();
            let complaints = std::mem::take(&mut self.complaints);
            self.answer(&complaints, &mut step);
            if !step.write.is_empty() {
                return step; // the prompt is answered; what follows is judged anew
            }
            self.complaints = complaints;
            if self.complaints.len() > NOISE_MAX {
                step.failed = Some(Failure::NoShell(self.excerpt()));
            }
            return step;
        }
        Step {
            stderr: bytes,
            ..Step::default()
        }
    }

    fn ended(&self) -> Option<Failure> {
        match self.stage {
            Stage::Started => None,
            Stage::Hello => Some(Failure::NoShell(self.excerpt())),
            Stage::Escalating => Some(Failure::Denied(self.excerpt())),
            Stage::Reporting => Some(Failure::Remote(self.excerpt())),
        }
    }

    fn ending(&self, mark: &str) -> Option<Box<dyn Conversation>> {
        Some(Box::new(Self::ending_of(self, mark)?))
    }
}
