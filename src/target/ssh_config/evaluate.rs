//! Evaluation of parsed files for one name: which blocks apply, and the first value of each keyword.

use std::collections::HashMap;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::parse::{Criterion, Line, Source, Statement};
use super::{Local, Settings, SshConfigError, Tokens, find, glob, matches_list};
use crate::base::waiting::blocking;

const EXEC_LIMIT: Duration = Duration::from_secs(10);

/// Whether commands of `Match exec` succeeded, each asked once.
type Answers = HashMap<String, Arc<OnceLock<Result<bool, String>>>>;

/// The configuration of a run.
#[derive(Debug)]
pub struct SshConfig {
    local: Arc<Local>,
    files: Vec<Vec<Line>>,
    execs: Mutex<Answers>,
}

/// What is looked up.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// The name, as a user would give it to ssh.
    pub name: String,
    /// What stronger sources set: as options on ssh's command line.
    pub preset: Settings,
}

struct Evaluation<'a> {
    config: &'a SshConfig,
    original: &'a str,
    /// What `Host` compares: the original name, in the final pass the real one.
    host: String,
    settings: Settings,
    ignored: Vec<String>,
    final_pass: bool,
    wants_final: bool,
}

impl SshConfig {
    /// `~/.ssh/config` and `/etc/ssh/ssh_config`.
    pub fn load(local: Arc<Local>) -> Result<Self, SshConfigError> {
        let ssh = local.home.join(".ssh");
        let user = Source {
            local: &local,
            base: ssh.clone(),
            private: true,
        };
        let system = Source {
            local: &local,
            base: "/etc/ssh".into(),
            private: false,
        };
        let files = [
            user.read(&ssh.join("config"), 0)?,
            system.read(Path::new("/etc/ssh/ssh_config"), 0)?,
        ];
        Ok(Self {
            files: files.into_iter().flatten().collect(),
            ..Self::none(local)
        })
    }

    /// `-F FILE`: this file alone; `-F none`: nothing.
    pub fn load_file(local: Arc<Local>, path: &Path) -> Result<Self, SshConfigError> {
        if path.as_os_str() == "none" {
            return Ok(Self::none(local));
        }
        let source = Source {
            local: &local,
            base: local.home.join(".ssh"),
            private: false,
        };
        let lines = source.read(path, 0)?.ok_or_else(|| {
            SshConfigError::wrong(path.display().to_string(), "there is no such file")
        })?;
        Ok(Self {
            files: vec![lines],
            ..Self::none(local)
        })
    }

    /// No configuration.
    pub fn none(local: Arc<Local>) -> Self {
        Self {
            local,
            files: Vec::new(),
            execs: Mutex::default(),
        }
    }

    /// The controller, as the files see it.
    pub fn local(&self) -> &Arc<Local> {
        &self.local
    }

    /// The settings of a name; `HostName` is always set, its tokens replaced.
    pub fn evaluate(&self, lookup: Lookup) -> Result<Settings, SshConfigError> {
        let mut evaluation = Evaluation {
            config: self,
            original: &lookup.name,
            host: lookup.name.clone(),
            settings: lookup.preset,
            ignored: Vec::new(),
            final_pass: false,
            wants_final: false,
        };
        evaluation.pass()?;
        if evaluation.wants_final {
            evaluation.host = evaluation.real_name()?;
            evaluation.final_pass = true;
            evaluation.pass()?;
        }
        evaluation.settings.check()?;
        Ok(evaluation.settings)
    }

    fn exec(&self, command: &str) -> Result<bool, String> {
        let answer = Arc::clone(
            self.execs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(command.to_owned())
                .or_default(),
        );
        // Whoever comes second waits as well.
        blocking(|| answer.get_or_init(|| self.run(command)).clone())
    }

    fn run(&self, command: &str) -> Result<bool, String> {
        let shell = self
            .local
            .env
            .get("SHELL")
            .map_or("/bin/sh", String::as_str);
        let mut child = Command::new(shell)
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("`Match exec` can't start {shell}: {error}"))?;
        let group = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _ = done.send(child.wait());
        });
        match ended.recv_timeout(EXEC_LIMIT) {
            Ok(Ok(status)) => Ok(status.success()),
            Ok(Err(error)) => Err(format!("`Match exec` can't be waited for: {error}")),
            Err(_) => {
                if let Some(group) = group {
                    let _ =
                        rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                Err(format!(
                    "`Match exec` took longer than {} s",
                    EXEC_LIMIT.as_secs()
                ))
            }
        }
    }
}

impl Evaluation<'_> {
    fn pass(&mut self) -> Result<(), SshConfigError> {
        let config = self.config;
        for file in &config.files {
            self.lines(file)?;
        }
        Ok(())
    }

    fn lines(&mut self, lines: &[Line]) -> Result<(), SshConfigError> {
        let mut active = true;
        for Line { place, statement } in lines {
            match statement {
                Statement::Host(patterns) => {
                    active = matches_list(&self.host, patterns.iter().map(String::as_str));
                }
                Statement::Match(criteria) => active = self.matches(criteria, place)?,
                _ if !active => {}
                Statement::Include(files) => {
                    for file in files {
                        self.lines(file)?;
                    }
                }
                Statement::Set(keyword, words) => self.settings.set(keyword, words, place),
                Statement::Ignore(patterns) => self.ignored.extend(patterns.iter().cloned()),
                Statement::Unknown(name) => {
                    if !self.ignored.iter().any(|pattern| {
                        glob::matches(&name.to_ascii_lowercase(), &pattern.to_ascii_lowercase())
                    }) {
                        return Err(SshConfigError::wrong(
                            place,
                            format!(
                                "`{name}` is no keyword of ssh_config: correct it, or name it in `IgnoreUnknown` above"
                            ),
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    fn matches(&mut self, criteria: &[Criterion], place: &str) -> Result<bool, SshConfigError> {
        let mut result = true;
        for Criterion {
            negated,
            name,
            value,
        } in criteria
        {
            let list = || value.split(',');
            let fits = match name.as_str() {
                "all" => true,
                "canonical" => self.final_pass,
                "final" => {
                    self.wants_final = true;
                    self.final_pass
                }
                "host" => matches_list(&self.real_name()?, list()),
                "originalhost" => matches_list(self.original, list()),
                "user" => matches_list(self.user(), list()),
                "localuser" => matches_list(&self.config.local.user, list()),
                // A command is only run while all before it fits.
                "exec" if !result => continue,
                "exec" => {
                    let command = self
                        .expand(value)
                        .map_err(|message| SshConfigError::wrong(place, message))?;
                    self.config
                        .exec(&command)
                        .map_err(|message| SshConfigError::wrong(place, message))?
                }
                _ if !result => continue,
                _ => {
                    return Err(SshConfigError::unsupported(
                        place,
                        format!("`Match {name}` is not supported"),
                    ));
                }
            };
            result &= fits != *negated;
        }
        Ok(result)
    }

    fn user(&self) -> &str {
        self.settings
            .text("User")
            .unwrap_or(&self.config.local.user)
    }

    fn expand(&self, text: &str) -> Result<String, String> {
        let host = self.real_name().map_err(|error| error.message)?;
        Tokens {
            local: &self.config.local,
            original: self.original,
            host: &host,
            port: self
                .settings
                .text("Port")
                .and_then(|port| port.parse().ok())
                .unwrap_or(22),
            user: self.user(),
            jump: self.settings.text("ProxyJump").unwrap_or_default(),
            key_alias: self.settings.text("HostKeyAlias").unwrap_or(self.original),
        }
        .expand_all(text)
    }

    fn real_name(&self) -> Result<String, SshConfigError> {
        host_name(&self.settings, self.original)
    }
}

/// `HostName` with `%h` replaced, else the name; lower case, as OpenSSH.
pub(super) fn host_name(settings: &Settings, original: &str) -> Result<String, SshConfigError> {
    let Some(setting) = settings.get("HostName") else {
        return Ok(original.to_owned());
    };
    let local = Local {
        home: std::path::PathBuf::new(),
        user: String::new(),
        uid: 0,
        hostname: String::new(),
        env: HashMap::new(),
    };
    Tokens {
        local: &local,
        original,
        host: original,
        port: 22,
        user: "",
        jump: "",
        key_alias: "",
    }
    .expand(setting.first(), "h")
    .map_err(|message| setting.wrong(&message))
}

impl Settings {
    /// The name or address to connect to: `HostName` with `%h` replaced, else the name itself.
    pub fn host_name(&self, original: &str) -> Result<String, SshConfigError> {
        host_name(self, original)
    }

    /// Adds options as `-o` gives them: `Name=value` or `Name value`.
    pub fn option(&mut self, text: &str, place: &str) -> Result<(), SshConfigError> {
        let (name, value) = super::parse::split_keyword(text.trim());
        let keyword = find(name).ok_or_else(|| {
            SshConfigError::wrong(place, format!("`-o {name}`: no keyword of ssh_config"))
        })?;
        let words = super::parse::setting_words(keyword, value)
            .map_err(|message| SshConfigError::wrong(place, message))?;
        if words.is_empty() {
            return Err(SshConfigError::wrong(
                place,
                format!("`-o {name}` has no value"),
            ));
        }
        self.set(keyword, &words, place);
        Ok(())
    }
}
