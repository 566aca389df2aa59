//! What a module is: its file, read.

use std::path::Path;
use std::sync::Arc;

use rust_embed::RustEmbed;

use super::sh;
use crate::base::diag::Diagnostic;
use crate::base::value::Value;
use crate::base::yaml::{self, Node};

/// Parameters that many modules have: `shares: [file]`.
#[derive(RustEmbed)]
#[folder = "src/module/shared"]
struct Shared;

/// A module.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// Its short name.
    pub name: Arc<str>,
    /// Its other names: full ones of collections, aliases.
    pub names: Vec<String>,
    /// What it does, in a line.
    pub short_description: String,
    /// More of it.
    pub description: Vec<String>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What must hold between them.
    pub constraints: Vec<Constraint>,
    /// The parameter that a one-line task gives without a name: `command: ls -l`.
    pub free_form: Option<String>,
    /// Whether parameters of any name are taken (`set_fact`).
    pub any_parameters: bool,
    /// Parts of the prelude that its scripts use.
    pub uses: Vec<String>,
    /// Whether it can say what it would do; else check mode skips it.
    pub check: bool,
    /// Whether it can be begun a second time without harm.
    pub idempotent: bool,
    /// The play executor does it, by its name; there is no script.
    pub control: bool,
    /// Examples, as YAML.
    pub examples: String,
    /// What it returns.
    pub returns: Vec<Returned>,
    /// Remarks for its users.
    pub notes: Vec<String>,
    /// The program for Unix shells, without comments and indentation.
    pub posix: Option<String>,
    /// The program for PowerShell.
    pub windows: Option<String>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// What it is for.
    pub description: String,
    /// What it takes.
    pub kind: Type,
    /// What a list's elements are.
    pub elements: Option<Type>,
    /// Whether it must be given.
    pub required: bool,
    /// What holds where it is not given.
    pub default: Option<Value>,
    /// The only values it takes.
    pub choices: Vec<Value>,
    /// Whether its value is a secret.
    pub no_log: bool,
    /// Only for hosts of this system: `posix` or `windows`.
    pub only: Option<String>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Type {
    /// Text; numbers and booleans become it.
    #[default]
    Str,
    /// A path on the host; `~` is the home folder there.
    Path,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// Yes or no.
    Bool,
    /// A list; a text is split at commas.
    List,
    /// A mapping.
    Dict,
    /// A size: `10M`.
    Bytes,
    /// Text; lists and mappings become JSON.
    Json,
    /// A file's mode: octal or symbolic text; a number is the mode itself, as YAML's `0644` is 420.
    Mode,
    /// Anything.
    Raw,
}

impl Type {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Str,
        Self::Path,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::List,
        Self::Dict,
        Self::Bytes,
        Self::Json,
        Self::Mode,
        Self::Raw,
    ];

    /// The name in module files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Path => "path",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Mode => "mode",
            Self::Raw => "raw",
        }
    }

    /// The type of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What must hold between parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// At most one of them.
    MutuallyExclusive(Vec<String>),
    /// All of them or none.
    RequiredTogether(Vec<String>),
    /// At least one of them.
    RequiredOneOf(Vec<String>),
    /// Where the parameter has the value, all of the others (`any`: at least one).
    RequiredIf {
        /// The parameter.
        parameter: String,
        /// Its value.
        value: Value,
        /// What is required then.
        required: Vec<String>,
        /// One of them suffices.
        any: bool,
    },
}

/// A value that a module returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Returned {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What it says.
    pub description: String,
    /// When it is there, unless always.
    pub when: Option<String>,
}

impl Module {
    /// Reads a module's file. `file` is for messages.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Box<Diagnostic>> {
        let node = yaml::parse(text, file)?;
        Reader { text, file }.module(&node)
    }

    /// A parameter by its name or an alias.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| {
            parameter.name == name || parameter.aliases.iter().any(|alias| alias == name)
        })
    }
}

struct Reader<'a> {
    text: &'a str,
    file: &'a Path,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Reader<'_> {
    fn wrong<T>(&self, node: &Node, message: impl Into<String>) -> Read<T> {
        Err(Box::new(Diagnostic::new(
            message,
            node.place(self.file),
            self.text,
        )))
    }

    fn module(&self, node: &Node) -> Read<Module> {
        let Some(entries) = node.entries() else {
            return self.wrong(node, "a module is a mapping");
        };
        let mut module = Module {
            check: true,
            idempotent: true,
            ..Module::default()
        };
        let mut shared = Vec::new();
        for (key, value) in entries {
            match &*key.name {
                "module" => module.name = Arc::from(self.text_of(value)?),
                "names" => module.names = self.words(value)?,
                "short_description" => module.short_description = self.text_of(value)?,
                "description" => module.description = self.words(value)?,
                "parameters" => module.parameters = self.parameters(value)?,
                "constraints" => module.constraints = self.constraints(value)?,
                "free_form" => module.free_form = Some(self.text_of(value)?),
                "any_parameters" => module.any_parameters = self.flag(value)?,
                "shares" => shared = self.shared(value)?,
                "uses" => module.uses = self.words(value)?,
                "check" => module.check = self.flag(value)?,
                "idempotent" => module.idempotent = self.flag(value)?,
                "control" => module.control = self.flag(value)?,
                "examples" => module.examples = self.text_of(value)?,
                "returns" => module.returns = self.returns(value)?,
                "notes" => module.notes = self.words(value)?,
                "posix" => module.posix = Some(sh::lean(&self.text_of(value)?)),
                "windows" => module.windows = Some(self.text_of(value)?),
                other => return self.wrong(value, format!("a module has no `{other}`")),
            }
        }
        for parameter in shared {
            if module.parameter(&parameter.name).is_none() {
                module.parameters.push(parameter);
            }
        }
        if module.name.is_empty() {
            return self.wrong(node, "the module has no name (`module: NAME`)");
        }
        if !module.control && module.posix.is_none() && module.windows.is_none() {
            return self.wrong(
                node,
                "the module has no script: neither `posix` nor `windows`",
            );
        }
        Ok(module)
    }

    /// Parameters that many modules have.
    fn shared(&self, node: &Node) -> Read<Vec<Parameter>> {
        let mut parameters = Vec::new();
        for name in self.words(node)? {
            let name = format!("{name}.yml");
            let Some(file) = Shared::get(&name) else {
                return self.wrong(node, format!("there are no shared parameters `{name}`"));
            };
            let (text, file) = (String::from_utf8_lossy(&file.data), Path::new(&name));
            let reader = Reader { text: &text, file };
            parameters.extend(reader.parameters(&yaml::parse(&text, file)?)?);
        }
        Ok(parameters)
    }

    fn parameters(&self, node: &Node) -> Read<Vec<Parameter>> {
        let Some(entries) = node.entries() else {
            return self.wrong(node, "parameters are a mapping of names");
        };
        entries
            .iter()
            .map(|(key, value)| self.parameter(&key.name, value))
            .collect()
    }

    fn parameter(&self, name: &str, node: &Node) -> Read<Parameter> {
        let mut parameter = Parameter {
            name: name.to_owned(),
            aliases: Vec::new(),
            description: String::new(),
            kind: Type::Str,
            elements: None,
            required: false,
            default: None,
            choices: Vec::new(),
            no_log: false,
            only: None,
        };
        let Some(entries) = node.entries() else {
            return self.wrong(node, "a parameter is a mapping: type, description, ...");
        };
        for (key, value) in entries {
            match &*key.name {
                "aliases" => parameter.aliases = self.words(value)?,
                "description" => parameter.description = self.words(value)?.join(" "),
                "type" => parameter.kind = self.kind(value)?,
                "elements" => parameter.elements = Some(self.kind(value)?),
                "required" => parameter.required = self.flag(value)?,
                "default" => parameter.default = Some(value.value()),
                "choices" => match value.value() {
                    Value::List(choices) => parameter.choices = choices,
                    _ => return self.wrong(value, "choices are a list"),
                },
                "no_log" => parameter.no_log = self.flag(value)?,
                "only" => parameter.only = Some(self.text_of(value)?),
                other => return self.wrong(value, format!("a parameter has no `{other}`")),
            }
        }
        Ok(parameter)
    }

    fn constraints(&self, node: &Node) -> Read<Vec<Constraint>> {
        let mut constraints = Vec::new();
        for (key, value) in node.entries().unwrap_or_default() {
            let Value::List(items) = value.value() else {
                return self.wrong(value, "a list of lists");
            };
            for item in items {
                let Value::List(parts) = item else {
                    return self.wrong(value, "a list of lists");
                };
                let words = |parts: &[Value]| -> Vec<String> {
                    let texts = parts.iter().filter_map(Value::as_str);
                    texts.map(str::to_owned).collect()
                };
                constraints.push(match (&*key.name, parts.as_slice()) {
                    ("mutually_exclusive", parts) => Constraint::MutuallyExclusive(words(parts)),
                    ("required_together", parts) => Constraint::RequiredTogether(words(parts)),
                    ("required_one_of", parts) => Constraint::RequiredOneOf(words(parts)),
                    (
                        "required_if",
                        [
                            Value::String(name),
                            wanted,
                            Value::List(required),
                            rest @ ..,
                        ],
                    ) => Constraint::RequiredIf {
                        parameter: name.to_string(),
                        value: wanted.clone(),
                        required: words(required),
                        any: matches!(rest, [Value::Bool(true)]),
                    },
                    _ => return self.wrong(value, "no such constraint"),
                });
            }
        }
        Ok(constraints)
    }

    fn returns(&self, node: &Node) -> Read<Vec<Returned>> {
        let mut returns = Vec::new();
        for (key, value) in node.entries().unwrap_or_default() {
            let mut returned = Returned {
                name: key.name.to_string(),
                kind: "str".to_owned(),
                description: String::new(),
                when: None,
            };
            for (key, value) in value.entries().unwrap_or_default() {
                match &*key.name {
                    "type" => returned.kind = self.text_of(value)?,
                    "description" => returned.description = self.words(value)?.join(" "),
                    "when" => returned.when = Some(self.text_of(value)?),
                    other => {
                        return self.wrong(value, format!("a returned value has no `{other}`"));
                    }
                }
            }
            returns.push(returned);
        }
        Ok(returns)
    }

    fn kind(&self, node: &Node) -> Read<Type> {
        let name = self.text_of(node)?;
        match Type::of(&name) {
            Some(kind) => Ok(kind),
            None => self.wrong(node, format!("there is no type `{name}`")),
        }
    }

    fn flag(&self, node: &Node) -> Read<bool> {
        match node.value() {
            Value::Bool(flag) => Ok(flag),
            _ => self.wrong(node, "yes or no is wanted"),
        }
    }

    fn text_of(&self, node: &Node) -> Read<String> {
        match node.value() {
            Value::String(text) => Ok(text.to_string()),
            other => self.wrong(node, format!("text is wanted, this is {}", other.kind())),
        }
    }

    /// A text or a list of texts.
    fn words(&self, node: &Node) -> Read<Vec<String>> {
        match node.value() {
            Value::String(text) => Ok(vec![text.to_string()]),
            Value::List(items) => Ok(items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()),
            other => self.wrong(node, format!("text is wanted, this is {}", other.kind())),
        }
    }
}
