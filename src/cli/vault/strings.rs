//! `vault encrypt-string`: values, to be pasted into YAML.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::files::write_to;
use super::replace::{self, whole};
use super::{Desk, KeyArgs, OutputArgs};
use crate::cli::CliError;
use crate::cli::standard_input::{Operand, has_one_reader};
use crate::cli::vaults::VaultArgs;

/// How far ansible-vault sets the lines of a value in.
const INDENT: &str = "          ";

/// What to encrypt.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault encrypt-string --name db_password             # asks for the value, hidden\n  iomsctl vault encrypt-string -p --name user --name password # asks for both\n  printf %s \"$TOKEN\" | iomsctl vault encrypt-string --stdin-name api_token\n  iomsctl vault encrypt-string --file key.pem --name tls_key --vault-id prod@~/.vault-prod\n\nThe value is never an argument, which every process of the machine could read. All of standard\ninput and of a file is the value, a newline at its end included."
)]
pub(super) struct StringArgs {
    /// `-`: the value is standard input, as it is where that is not a terminal
    #[arg(value_name = "-")]
    text: Vec<String>,
    /// Name of the variable; one for each value, in their order: standard input, files, asked for
    #[arg(short, long)]
    name: Vec<String>,
    /// Name of the variable whose value is standard input
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// A file whose content is a value; may be given several times
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Ask for the values at the terminal, hidden
    #[arg(short, long)]
    prompt: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

impl StringArgs {
    fn reads_input(&self) -> bool {
        let nothing_else = self.file.is_empty() && !self.prompt;
        !self.text.is_empty()
            || self.stdin_name.is_some()
            || (nothing_else && !std::io::stdin().is_terminal())
    }
}

/// A value and its name.
struct Value {
    name: Option<String>,
    plain: Zeroizing<Vec<u8>>,
}

pub(super) fn encrypt(desk: &Desk, args: &StringArgs) -> Result<(), CliError> {
    if args.text.iter().any(|text| text != "-") {
        return Err(CliError::new(
            "a value is not taken from an argument, which every process of the machine can read",
        )
        .hint("leave it out to be asked for it, or give it by standard input or --file"));
    }
    for name in args.name.iter().chain(&args.stdin_name) {
        check_name(name)?;
    }
    let input = Operand("the value -", args.reads_input().then_some("-"));
    has_one_reader(&[&input, &args.vault])?;
    // What is new is asked for in the order of ansible-vault: the password, then the values.
    let key = desk.key(&desk.vault(&args.vault), &args.key)?;
    let mut text = String::new();
    for value in values(desk, args)? {
        let sealed = key.encrypt(&*value.plain);
        text.push_str(&block(value.name.as_deref(), &sealed));
    }
    let file = args.output.file().map_or(Path::new("-"), PathBuf::as_path);
    write_to(desk, file, text.as_bytes())
}

/// A name is written to YAML as it is.
fn check_name(name: &str) -> Result<(), CliError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if begins && name.chars().all(plain) {
        return Ok(());
    }
    Err(CliError::new(format!("`{name}` is no name of a variable")))
}

fn block(name: Option<&str>, sealed: &str) -> String {
    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let lines = sealed.lines().map(|line| format!("{INDENT}{line}\n"));
    format!("{name}!vault |\n{}", lines.collect::<String>())
}

/// The values: standard input, files, what is asked for.
fn values(desk: &Desk, args: &StringArgs) -> Result<Vec<Value>, CliError> {
    let mut names = args.name.iter().cloned();
    let mut values = Vec::new();
    if args.reads_input() {
        let plain = whole(std::io::stdin().lock(), 0)?;
        if plain.ends_with(b"\n") {
            desk.setup
                .note("note: the newline at the end of standard input is a part of the value");
        }
        let name = args.stdin_name.clone().or_else(|| names.next());
        values.push(("standard input".to_owned(), Value { name, plain }));
    }
    for file in &args.file {
        let plain = replace::read(file);
        let plain = plain.map_err(|e| CliError::new(format!("{}: {e}", file.display())))?;
        let name = names.next();
        values.push((file.display().to_string(), Value { name, plain }));
    }
    if args.prompt || values.is_empty() {
        let mut name = names.next();
        loop {
            values.push(ask(desk, name)?);
            name = names.next();
            if name.is_none() {
                break;
            }
        }
    }
    if let Some(name) = names.next() {
        return Err(CliError::new(format!("there is no value for `{name}`"))
            .hint("-p asks for those that neither standard input nor a --file gives"));
    }
    for (source, value) in &values {
        if value.plain.is_empty() {
            return Err(CliError::new(format!(
                "{source} is empty: nothing is encrypted"
            )));
        }
    }
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

fn ask(desk: &Desk, name: Option<String>) -> Result<(String, Value), CliError> {
    let of = name.as_deref().map(|name| format!(" of {name}"));
    let question = format!("Value{} (hidden)", of.unwrap_or_default());
    let answer = desk.prompt.secret(&question)?;
    let plain = Zeroizing::new(answer.expose().as_bytes().to_vec());
    Ok((question, Value { name, plain }))
}
