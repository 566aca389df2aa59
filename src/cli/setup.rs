//! What every verb begins with: the settings with the flags on top, the log, and the one redactor.

use std::path::PathBuf;
use std::sync::Arc;

use super::globals::{ColorWhen, Output};
use super::{CliError, Globals, OutputForm, logging};
use crate::base::seen::Seen;
use crate::config::{self, Settings};
use crate::event::Redactor;
use crate::report::Screen;
use crate::store::DatabaseUrl;

/// Settings, log and secrets of this process.
pub struct Setup {
    /// The settings.
    pub settings: Settings,
    /// Takes secrets out of all that is shown or written.
    pub redactor: Arc<Redactor>,
    /// Notes the files that are read, for verbs that want to know.
    pub seen: Seen,
    globals: Globals,
}

impl Setup {
    /// Loads the settings and starts the log.
    pub fn new(globals: &Globals) -> Result<Self, CliError> {
        let redactor = Arc::new(Redactor::default());
        logging::start(globals, &redactor)?;
        let setup = Self {
            settings: settings(globals)?,
            redactor,
            seen: Seen::default(),
            globals: globals.clone(),
        };
        for warning in setup.settings.warnings() {
            setup.warn(&warning);
        }
        Ok(setup)
    }

    /// Takes over what the flags of an earlier run said of every verb, where those of this one say
    /// nothing; not how it was shown.
    pub fn adopt(&mut self, earlier: &Globals, inventories: &[String]) -> Result<(), CliError> {
        let globals = &mut self.globals;
        globals.config = globals.config.take().or_else(|| earlier.config.clone());
        self.settings = settings(globals)?;
        self.adopt_inventories(inventories);
        Ok(())
    }

    /// Takes over the inventories of an earlier run, where none is named.
    pub fn adopt_inventories(&mut self, inventories: &[String]) {
        if self.globals.inventory.is_empty() {
            self.globals.inventory = inventories.to_vec();
        }
    }

    /// The form of output that was asked for.
    pub fn form(&self) -> OutputForm {
        match self.globals.output {
            Some(Output::Form(form)) => form,
            _ => OutputForm::Human,
        }
    }

    /// Whether machines read the output.
    pub fn json(&self) -> bool {
        matches!(self.form(), OutputForm::Json | OutputForm::Jsonl)
    }

    /// `-v`, counted.
    pub fn verbosity(&self) -> u8 {
        self.globals.verbose
    }

    /// This process's screen.
    pub fn screen(&self, raw: bool) -> Screen {
        let color = match self.globals.color {
            Some(ColorWhen::Always) => Some(true),
            Some(ColorWhen::Never) => Some(false),
            Some(ColorWhen::Auto) => None,
            None => self.settings.color(),
        };
        Screen::of_process(color, raw, self.globals.quiet)
    }

    /// Whether notes are unwanted.
    pub fn quiet(&self) -> bool {
        self.globals.quiet
    }

    /// The folder of the database and the journals.
    pub fn data_dir(&self) -> PathBuf {
        self.settings.data_dir().to_owned()
    }

    /// Makes that folder, for its owner alone, where it is not there yet.
    pub fn make_data_dir(&self) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.data_dir())
    }

    /// Where the record is.
    pub fn database(&self) -> Result<DatabaseUrl, CliError> {
        Ok(match self.settings.database() {
            Some(url) => DatabaseUrl::parse(url)?,
            None => DatabaseUrl::in_folder(&self.data_dir()),
        })
    }

    /// The inventories that were named, else those of the settings.
    pub fn inventories(&self) -> &[String] {
        if self.globals.inventory.is_empty() {
            self.settings.inventory()
        } else {
            &self.globals.inventory
        }
    }

    /// Prints a document in the form machines asked for: on one line where they read lines.
    pub fn print_document(&self, document: &serde_json::Value) -> Result<(), CliError> {
        if self.form() == OutputForm::Jsonl {
            super::print(&format!("{document}\n"))
        } else {
            super::print(&format!("{document:#}\n"))
        }
    }

    /// Prints what people read, unless only the exit status is wanted.
    pub fn print(&self, text: &str) -> Result<(), CliError> {
        if self.form() == OutputForm::Quiet {
            return Ok(());
        }
        super::print(text)
    }

    /// Warns on standard error.
    pub fn warn(&self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    /// Says something on standard error.
    pub fn note(&self, text: &str) {
        use std::io::Write as _;
        if !self.globals.quiet {
            let text = self.redactor.text(text);
            let safe = crate::base::text::terminal_safe(&text);
            let _ = writeln!(std::io::stderr().lock(), "{safe}");
        }
    }
}

/// The settings with the flags of every verb on top.
fn settings(globals: &Globals) -> Result<Settings, CliError> {
    let data_dir = globals.data_dir.as_ref().map(|path| path.to_string_lossy());
    let mut flags = Vec::new();
    if let Some(database) = &globals.database {
        flags.push(("database", "--database", database.as_str()));
    }
    if let Some(data_dir) = &data_dir {
        flags.push(("data_dir", "--data-dir", data_dir));
    }
    let environment = config::Environment::of_process();
    Ok(config::load(
        &environment,
        globals.config.as_deref(),
        &flags,
    )?)
}
