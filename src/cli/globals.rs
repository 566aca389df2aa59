//! The flags that every verb takes.

use std::path::PathBuf;

use clap::builder::{EnumValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, ValueEnum};

/// The flags of every verb; they may also stand after it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Inventory file, folder, executable, or `host1,host2,`; may be given several times
    #[arg(short, long, global = true, value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Settings file in place of the ones looked up
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database: `sqlite:PATH` or `mysql://user@host/db`
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Folder of the database and the journals
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Form of the output
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        value_parser = EnumValueParser::<OutputForm>::new().map(Output::Form)
    )]
    pub output: Option<Output>,
    /// Colours: always, never, or at a terminal [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<ColorWhen>,
    /// Write the log to a file as well
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Say more on standard error; up to -vvvv
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// What `--output` says: a form, but for the verbs whose output is a file, as ansible-vault's is. (Of
/// one type, as clap hands a global flag's value up and down.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// How to print.
    Form(OutputForm),
    /// Where to write; `-` is standard output.
    File(PathBuf),
}

/// The forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// For people: live for one host, else folded
    Human,
    /// For people, as it comes, each line with its host
    Live,
    /// For people, equal outputs shown once
    Fold,
    /// For people, one block a host
    Host,
    /// One JSON document
    Json,
    /// One JSON event a line, as it happens
    Jsonl,
    /// Nothing but the exit status
    Quiet,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// Always
    Always,
    /// Never
    Never,
    /// At a terminal, unless `NO_COLOR` is set
    Auto,
}
