//! What is said to PowerShell and when: a state machine from bytes seen to bytes to send.
//!
//! ```text
//! exec the constant, loader, program ─► hello ─► (report) ─► the command's own streams
//! runas:             loader, program ─► hello ─► password ─► report ─► the same, of the other user
//! ```
//!
//! The hello is `MARK PID CODEPAGE VERSION` on standard output, `MARK` on standard error: what comes
//! before it on either (profiles, banners) is no output. The report is `MARK ok FOLDER`, or
//! `MARK KIND MESSAGE` when there won't be a command.

use bytes::{Bytes, BytesMut};

use super::powershell::{self, Program};
use super::task::{self, Footing, Task};
use super::{Carrier, Runas, Situation, WindowsShell};
use crate::shell::conversation::{Conversation, Failure, InputCoding, Opening, Step};
use crate::shell::find;
use crate::shell::plan::{Command, Plan};

/// How much a host may say before its hello.
const NOISE_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Hello,
    Reporting,
    Started,
}

/// One command's conversation with PowerShell.
pub struct PowershellConversation {
    stage: Stage,
    mark: String,
    carrier: Carrier,
    tmpdir: Option<String>,
    opening: Opening,
    /// The lines that go out at once.
    lines: String,
    /// A line that goes out after the hello only.
    secret: Option<String>,
    payload: Bytes,
    coded: bool,
    reports: bool,
    folder: bool,
    /// The session as another user, within this one's output.
    inner: Option<Box<Self>>,
    seen: BytesMut,
    complaints: BytesMut,
    /// Whether standard error has said hello.
    complains: bool,
    group: Option<u32>,
    codepage: Option<u16>,
}

impl std::fmt::Debug for PowershellConversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the lines: they hold the user's variables.
        f.debug_struct("PowershellConversation")
            .field("stage", &self.stage)
            .field("mark", &self.mark)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl PowershellConversation {
    /// A conversation for `plan`, whose line is in the words of `shell`.
    pub(super) fn new(plan: &Plan, situation: &Situation<'_>, mark: &str) -> Result<Self, Failure> {
        let footing = Footing {
            shell: situation.shell,
            tmpdir: situation.tmpdir,
            nested: false,
            raw: situation.carrier == Carrier::Winrm,
        };
        match &situation.runas {
            None => {
                let task = task::task(plan, footing, mark)?;
                let mut this = Self::of(task, situation, mark);
                if let (true, WindowsShell::Cmd) =
                    (plan.detach && plan.env.is_empty(), situation.shell)
                    && plan.chdir.is_none()
                    && let Command::Line(line) = &plan.command
                {
                    let otherwise = powershell::or_wmic(situation.carrier, line, mark);
                    this.opening = otherwise.unwrap_or(this.opening);
                }
                Ok(this)
            }
            Some(runas) if plan.detach => {
                let mut task = task::task(plan, footing, mark)?;
                task.program.say("user", &runas.user);
                let mut this = Self::of(task, situation, mark);
                this.secret = Some(password(runas));
                Ok(this)
            }
            Some(runas) => Self::as_another(plan, situation, runas, mark),
        }
    }

    fn as_another(
        plan: &Plan,
        situation: &Situation<'_>,
        runas: &Runas,
        mark: &str,
    ) -> Result<Self, Failure> {
        let inner_mark = format!("{mark}i");
        // The task's folder is the private one.
        let footing = Footing {
            shell: situation.shell,
            tmpdir: Some("."),
            nested: true,
            raw: false,
        };
        let inner = Self::of(
            task::task(plan, footing, &inner_mark)?,
            &Situation {
                shell: WindowsShell::Powershell,
                carrier: Carrier::Channel,
                runas: None,
                tmpdir: Some("."),
            },
            &inner_mark,
        );
        let mut program = Program::new(mark);
        program
            .parts(&[
                powershell::FOLDER,
                powershell::INPUT,
                powershell::TASK,
                powershell::RUNAS,
            ])
            .say("user", &runas.user)
            .say("powershell", powershell::command(Carrier::Channel))
            .say("inner", &inner.lines);
        if let Some(folder) = situation.tmpdir {
            program.say("tmpdir", folder);
        }
        if inner.coded {
            program.say("coded", "1");
        }
        let task = Task {
            program,
            payload: inner.payload.clone(),
            coded: inner.coded,
            reports: true,
            folder: true,
        };
        let mut this = Self::of(task, situation, mark);
        this.secret = Some(password(runas));
        this.inner = Some(Box::new(inner));
        Ok(this)
    }

    fn of(task: Task, situation: &Situation<'_>, mark: &str) -> Self {
        Self {
            stage: Stage::Hello,
            mark: mark.to_owned(),
            carrier: situation.carrier,
            opening: powershell::opening(situation.carrier),
            tmpdir: situation.tmpdir.map(str::to_owned),
            lines: task.program.lines(),
            secret: None,
            payload: task.payload,
            coded: task.coded,
            reports: task.reports,
            folder: task.folder,
            inner: None,
            seen: BytesMut::new(),
            complaints: BytesMut::new(),
            complains: false,
            group: None,
            codepage: None,
        }
    }

    /// A process that was started otherwise, for who has to end it.
    pub(super) fn of_process(process: u32, carrier: Carrier, mark: &str) -> Self {
        let task = Task {
            program: Program::new(mark),
            payload: Bytes::new(),
            coded: false,
            reports: false,
            folder: false,
        };
        let situation = Situation {
            shell: WindowsShell::Powershell,
            carrier,
            runas: None,
            tmpdir: None,
        };
        Self {
            stage: Stage::Started,
            group: Some(process),
            ..Self::of(task, &situation, mark)
        }
    }

    /// A conversation that ends what another one has started, and removes its folder.
    fn ending_of(other: &Self, mark: &str) -> Option<Self> {
        let group = other.group?;
        // Over WinRM the transport has ended the process; what is left is not in its reach.
        if other.carrier == Carrier::Winrm && !other.folder {
            return None;
        }
        let mut program = Program::new(mark);
        program
            .parts(&[powershell::FOLDER, powershell::ENDING])
            .say("of", &other.mark);
        if let Some(folder) = &other.tmpdir {
            program.say("tmpdir", folder);
        }
        if let Some(inner) = &other.inner {
            program.say("task", format!("ioms-{}", other.mark));
            if let Some(group) = inner.group {
                program.say("pid", group.to_string());
            }
        }
        // Its number may be another's already where the transport has ended it.
        if other.carrier != Carrier::Winrm {
            program.say("pid", group.to_string());
        }
        let task = Task {
            program,
            payload: Bytes::new(),
            coded: false,
            reports: false,
            folder: false,
        };
        let situation = Situation {
            shell: WindowsShell::Powershell,
            carrier: other.carrier,
            runas: None,
            tmpdir: None,
        };
        Some(Self::of(task, &situation, mark))
    }

    fn advance(&mut self, step: &mut Step) -> bool {
        match self.stage {
            Stage::Hello => {
                if !self.hello() {
                    return false;
                }
                if let Some(secret) = self.secret.take() {
                    step.write = secret.into_bytes();
                }
                step.started = true;
                self.stage = if self.reports {
                    Stage::Reporting
                } else {
                    Stage::Started
                };
                true
            }
            Stage::Reporting => self.report(step),
            Stage::Started => {
                let bytes = self.seen.split().freeze();
                match &mut self.inner {
                    None => step.stdout = bytes,
                    Some(inner) => {
                        let said = inner.stdout(bytes);
                        step.stdout = said.stdout;
                        step.stderr = said.stderr;
                        step.failed = said.failed;
                    }
                }
                false
            }
        }
    }

    /// Takes everything up to the hello line away.
    fn hello(&mut self) -> bool {
        let needle = format!("{} ", self.mark);
        let mut from = 0;
        while let Some(at) = self
            .seen
            .get(from..)
            .and_then(|rest| find(rest, needle.as_bytes()))
        {
            let start = from + at + needle.len();
            let Some(length) = self
                .seen
                .get(start..)
                .and_then(|rest| rest.iter().position(|b| *b == b'\n'))
            else {
                return false;
            };
            let line = self.seen.get(start..start + length).unwrap_or_default();
            let line = String::from_utf8_lossy(line).into_owned();
            let mut words = line.split_whitespace();
            if let Some(group) = words.next().and_then(|word| word.parse().ok()) {
                // 0 where it is not PowerShell that answers.
                self.group = Some(group).filter(|group| *group > 0);
                self.codepage = words.next().and_then(|word| word.parse().ok());
                let _ = self.seen.split_to(start + length + 1);
                return true;
            }
            from = start;
        }
        false
    }

    /// Reads the line by which the program says how its preparations went.
    fn report(&mut self, step: &mut Step) -> bool {
        let Some(length) = self.seen.iter().position(|b| *b == b'\n') else {
            return false;
        };
        let line = self.seen.split_to(length + 1);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        let Some(rest) = line.strip_prefix(&format!("{} ", self.mark)) else {
            step.failed = Some(Failure::Remote(line.to_owned()));
            return false;
        };
        let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
        let message = message.to_owned();
        step.failed = Some(match kind {
            "ok" => {
                self.stage = Stage::Started;
                if self.complains {
                    let held = std::mem::take(&mut self.complaints).freeze();
                    step.stderr = self.own_stderr(held);
                }
                return true;
            }
            "become_denied" => Failure::Denied(message),
            "no_such_interpreter" => Failure::NoInterpreter(message),
            "no_space" => Failure::NoSpace(message),
            _ => Failure::Remote(message),
        });
        false
    }

    /// Standard error behind the hello.
    fn own_stderr(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.inner {
            None => bytes,
            Some(inner) => inner.stderr(bytes).stderr,
        }
    }

    /// The last of what was said in place of an answer, for a message.
    fn excerpt(&self) -> String {
        let mut said = String::from_utf8_lossy(&self.seen).into_owned();
        said.push('\n');
        said.push_str(&String::from_utf8_lossy(&self.complaints));
        let first = said.lines().map(str::trim).find(|line| !line.is_empty());
        first.unwrap_or_default().chars().take(200).collect()
    }

    fn no_answer(&self) -> Failure {
        let said = self.excerpt();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": it said `{said}`")
        };
        Failure::NoInterpreter(format!(
            "no PowerShell answered{said} (`script`, `--detach`, `runas` and several lines need it on the host; `run` of \
             one line by cmd.exe works without)"
        ))
    }
}

impl Conversation for PowershellConversation {
    fn begin(&self) -> Opening {
        self.opening.clone()
    }

    fn opening(&self) -> Bytes {
        self.lines.clone().into()
    }

    fn payload(&self) -> Bytes {
        self.payload.clone()
    }

    fn input_coding(&self) -> InputCoding {
        if self.coded {
            InputCoding::Lines
        } else {
            InputCoding::Raw
        }
    }

    fn opens_with_the_work(&self) -> bool {
        self.secret.is_none()
    }

    fn is_started(&self) -> bool {
        self.stage == Stage::Started && self.inner.as_ref().is_none_or(|inner| inner.is_started())
    }

    fn stdout(&mut self, bytes: Bytes) -> Step {
        if self.stage == Stage::Started && self.inner.is_none() {
            return Step {
                stdout: bytes,
                ..Step::default()
            };
        }
        self.seen.extend_from_slice(&bytes);
        let mut step = Step::default();
        while self.advance(&mut step) {}
        if step.failed.is_none() && self.stage != Stage::Started && self.seen.len() > NOISE_MAX {
            step.failed = Some(self.no_answer());
        }
        step
    }

    fn stderr(&mut self, bytes: Bytes) -> Step {
        let mut bytes = bytes;
        if !self.complains {
            self.complaints.extend_from_slice(&bytes);
            let Some(at) = find(&self.complaints, self.mark.as_bytes()) else {
                let excess = self.complaints.len().saturating_sub(NOISE_MAX);
                let _ = self.complaints.split_to(excess);
                return Step::default();
            };
            let Some(line) = self
                .complaints
                .get(at..)
                .and_then(|rest| rest.iter().position(|b| *b == b'\n'))
            else {
                return Step::default();
            };
            self.complains = true;
            let _ = self.complaints.split_to(at + line + 1);
            bytes = std::mem::take(&mut self.complaints).freeze();
        }
        if self.stage != Stage::Started {
            // The two streams overtake each other: it may be the command's.
            let room = NOISE_MAX.saturating_sub(self.complaints.len());
            self.complaints
                .extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
            return Step::default();
        }
        Step {
            stderr: self.own_stderr(bytes),
            ..Step::default()
        }
    }

    fn ended(&self) -> Option<Failure> {
        match (self.stage, &self.inner) {
            (Stage::Started, None) => None,
            (Stage::Started, Some(inner)) => inner.ended(),
            (Stage::Hello, _) => Some(self.no_answer()),
            (Stage::Reporting, _) => Some(Failure::Remote(self.excerpt())),
        }
    }

    fn group(&self) -> Option<u32> {
        self.group
    }

    fn codepage(&self) -> Option<u16> {
        self.codepage
    }

    fn ending(&self, mark: &str) -> Option<Box<dyn Conversation>> {
        Some(Box::new(Self::ending_of(self, mark)?))
    }

    fn says_gone(&self, stdout: &[u8]) -> bool {
        let gone = format!("{} gone", self.mark);
        String::from_utf8_lossy(stdout)
            .lines()
            .any(|line| line.trim_end() == gone)
    }
}

fn password(runas: &Runas) -> String {
    powershell::secret_line(
        runas
            .password
            .as_ref()
            .map_or("", crate::base::secret::Secret::expose),
    )
}
