//! One task on one host: settled parameters, the program, and the result that its record means.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::answer::Answering;
use super::error::ModuleError;
use super::spec::{Module, Type};
use super::{args, hooks, library, powershell, result, sh};
use crate::base::text::Charset;
use crate::base::value::{Map, Value};
use crate::shell::record::Record;
use crate::shell::{ModuleScript, Payload};

/// Which system a host is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A Unix shell answers there.
    Posix,
    /// `PowerShell` does.
    Windows,
}

/// How a task is to be done on a host.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// The host's system.
    pub platform: Platform,
    /// Only to say what would be done.
    pub check: bool,
    /// To say how contents differ.
    pub diff: bool,
    /// The encoding of what the host says.
    pub charset: Charset,
}

/// What a module may ask of the controller while a task is prepared. The executor fills it: it knows
/// the playbook's folders and the host's variables.
pub trait Controller {
    /// A file of the controller by the name that a task gives: looked for where Ansible does, a vault
    /// opened.
    fn file(&self, kind: FileKind, name: &str) -> Result<Content, ModuleError>;

    /// A text rendered with the host's variables. `options`: the template module's
    /// (`block_start_string`, `trim_blocks`, ...), as given.
    fn render(
        &self,
        text: &str,
        path: &std::path::Path,
        options: &Map,
    ) -> Result<String, ModuleError>;
}

/// In which folders a file is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `files/`
    Files,
    /// `templates/`
    Templates,
}

/// A file of the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    /// What was a vault, opened; else the file is read where it is.
    pub opened: Option<Bytes>,
}

/// A task under way on a host.
#[derive(Clone)]
pub struct Call {
    /// The module.
    pub module: Arc<Module>,
    /// Its parameters, settled.
    pub params: Map,
    /// How it is done.
    pub situation: Situation,
    /// What goes to the host with the program.
    pub payload: Option<Payload>,
    /// More variables for the program than its parameters.
    pub extra: Map,
    /// What the controller knows of the result already.
    pub known: Map,
    /// What the program is told when it asks.
    pub(super) answering: Answering,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("module", &self.module.name)
            .field("params", &self.params.keys().collect::<Vec<_>>())
            .field("situation", &self.situation)
            .finish_non_exhaustive()
    }
}

/// What a host said of a task.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The record.
    pub record: Record,
    /// The exit status of the shell.
    pub exit: Option<i32>,
    /// Standard error.
    pub stderr: Bytes,
    /// When it began, and how long it took.
    pub time: Option<(jiff::Timestamp, std::time::Duration)>,
}

impl Said {
    /// In which encoding programs on the host wrote: what the user has set, else what the host said.
    pub(super) fn charset(&self, set: Charset) -> Charset {
        let page = self.record.page.filter(|_| set == Charset::UTF_8);
        page.and_then(Charset::from_code_page).unwrap_or(set)
    }
}

impl Module {
    /// What is wrong with arguments of these names, before values are known.
    pub fn check_names<'a>(&self, given: impl Iterator<Item = &'a str>) -> Vec<ModuleError> {
        args::check_names(self, given)
    }

    /// A parameter's constant value held against its type and choices; templates are no constants.
    pub fn check_value(&self, name: &str, value: &Value) -> Result<(), ModuleError> {
        match self.parameter(name) {
            Some(parameter) => args::check_constant(parameter, value),
            None => Ok(()),
        }
    }

    /// The arguments as parameters: types converted, defaults filled in.
    pub fn settle(&self, given: &Map) -> Result<Map, ModuleError> {
        args::settle(self, given)
    }

    /// The texts among the parameters that are secrets.
    pub fn secrets<'a>(&self, params: &'a Map) -> Vec<&'a str> {
        let secret = self.parameters.iter().filter(|each| each.no_log);
        let mut texts = Vec::new();
        for value in secret.filter_map(|each| params.get(each.name.as_str())) {
            secret_texts(value, &mut texts);
        }
        texts
    }

    /// Numbers and flags among the parameters: nothing of them is anybody's text.
    #[must_use]
    pub fn without_texts(&self, params: &Map) -> Map {
        let no_text =
            |value: &Value| matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_));
        let plain = |value: &Value| match value {
            Value::List(items) => items.iter().all(no_text),
            value => no_text(value),
        };
        let mut open = self.without_secrets(params);
        open.retain(|name, value| self.parameter(name).is_some() && plain(value));
        open
    }

    /// Parameters without those that are secrets.
    #[must_use]
    pub fn without_secrets(&self, params: &Map) -> Map {
        let is_secret = |name: &str| self.parameter(name).is_some_and(|each| each.no_log);
        let open = params.iter().filter(|(name, _)| !is_secret(name));
        open.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// The texts of a secret; what it is called, and whose it is, is none.
fn secret_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| secret_texts(item, texts)),
        Value::Map(map) => {
            for (key, value) in map {
                if !matches!(&**key, "name" | "username") {
                    secret_texts(value, texts);
                }
            }
        }
        other => texts.extend(other.as_str()),
    }
}

impl Call {
    /// A task with these arguments, templates rendered.
    pub fn new(
        module: &Arc<Module>,
        given: &Map,
        situation: Situation,
    ) -> Result<Self, ModuleError> {
        let call = Self {
            params: args::of_the_system(module, given, module.settle(given)?, situation.platform)?,
            module: module.clone(),
            situation,
            payload: None,
            extra: Map::new(),
            known: Map::new(),
            answering: Answering::default(),
        };
        call.script_of()?;
        Ok(call)
    }

    /// A task that was begun earlier, to conclude what its record means: nothing is checked, and no
    /// program made.
    pub fn of_earlier(module: &Arc<Module>, params: Map, known: Map, situation: Situation) -> Self {
        Self {
            module: module.clone(),
            params,
            situation,
            payload: None,
            extra: Map::new(),
            known,
            answering: Answering::default(),
        }
    }

    fn script_of(&self) -> Result<&str, ModuleError> {
        let script = match self.situation.platform {
            Platform::Posix => &self.module.posix,
            Platform::Windows => &self.module.windows,
        };
        script.as_deref().ok_or_else(|| {
            let system = match self.situation.platform {
                Platform::Posix => "Unix",
                Platform::Windows => "Windows",
            };
            ModuleError::new(format!(
                "module {} is not there for {system} hosts",
                self.module.name
            ))
        })
    }

    /// The program for the host. `mark` is random, of letters and digits, and this task's alone.
    pub fn prepare(
        &mut self,
        controller: &dyn Controller,
        mark: &str,
    ) -> Result<ModuleScript, ModuleError> {
        if let Some(hook) = hooks::of(&self.module.name) {
            hook.prepare(self, controller)?;
        }
        let script = self.script_of()?;
        // Nobody knows what a user's own leaves running.
        let shares = library::builtin(&self.module.name).is_some();
        let (parts, text) = match self.situation.platform {
            Platform::Posix => sh::program(self, script, mark, shares)?,
            Platform::Windows => (Vec::new(), powershell::program(self, script, mark)?),
        };
        Ok(ModuleScript {
            parts,
            text,
            mark: mark.to_owned(),
            payload: self.payload.clone(),
            answers: self.answers(mark),
            shares,
        })
    }

    /// What the host's record means: a result under Ansible's names.
    pub fn conclude(&self, said: &Said) -> Map {
        let mut result = result::of(self, said);
        if let Some(hook) = hooks::of(&self.module.name) {
            hook.conclude(self, said, &mut result);
        }
        result::lines(&mut result);
        result
    }

    /// A parameter's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// Adds a variable for the program: `x_NAME`, `$x.NAME`.
    pub(super) fn add(&mut self, name: &str, text: impl Into<Arc<str>>) {
        self.extra.insert(name.into(), Value::Unsafe(text.into()));
    }

    /// Whether a parameter is yes.
    pub fn flag(&self, name: &str) -> bool {
        self.params.get(name) == Some(&Value::Bool(true))
    }

    /// Each parameter with its type, for programs.
    pub(super) fn typed(&self) -> impl Iterator<Item = (&str, Type, Option<&Value>)> {
        self.module.parameters.iter().map(|parameter| {
            let value = self.params.get(parameter.name.as_str());
            (parameter.name.as_str(), parameter.kind, value)
        })
    }
}
