//! The flags of the verbs that work on hosts: how many at a time, how long, when to stop, and what
//! is shown and kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::{CliError, OutputForm};
use crate::base::quantity::{self, Share};
use crate::engine::Limits;
use crate::report::{Form, Options};

/// Bounds of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Hosts at work at a time [default: 500, fewer where open files are limited]
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,
    /// A command's time on a host; 0 for none [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub timeout: Option<Duration>,
    /// End a command that says nothing for so long
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub idle_timeout: Option<Duration>,
    /// End the whole run after so long
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub deadline: Option<Duration>,
    /// Rolling batches: `10`, `25%`, or a list such as `1,10%,50%` whose last is repeated
    #[arg(long, value_name = "N|N%|LIST", value_delimiter = ',', value_parser = Share::parse)]
    pub serial: Vec<Share>,
    /// Stop when more hosts than this are failed, timed out or unreachable
    #[arg(long, value_name = "N|N%", value_parser = Share::parse)]
    pub max_fail: Option<Share>,
    /// Try hosts again whose command was not started
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,
}

/// What the limits are where no flag says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct LimitDefaults {
    /// Hosts at a time.
    pub forks: usize,
    /// A command's time.
    pub timeout: Duration,
    /// A command's silence.
    pub idle_timeout: Duration,
    /// More attempts.
    pub retries: u32,
}

impl LimitArgs {
    /// The limits of this run. Zero durations mean none.
    pub fn limits(&self, defaults: LimitDefaults) -> Result<Limits, CliError> {
        let bound = |given: Option<Duration>, default: Duration| {
            Some(given.unwrap_or(default)).filter(|duration| !duration.is_zero())
        };
        let forks = self.forks.unwrap_or(defaults.forks);
        if forks == 0 {
            return Err(CliError::new("--forks 0 would never begin")
                .hint("give the number of hosts to work on at a time, 1 or more"));
        }
        if self
            .serial
            .iter()
            .any(|share| matches!(share, Share::Count(0) | Share::Percent(0)))
        {
            return Err(CliError::new(
                "--serial: a batch of 0 hosts would never end",
            ));
        }
        Ok(Limits {
            forks,
            timeout: bound(self.timeout, defaults.timeout),
            idle_timeout: bound(self.idle_timeout, defaults.idle_timeout),
            deadline: bound(self.deadline, Duration::ZERO),
            serial: self.serial.clone(),
            max_fail: self.max_fail,
            retries: self.retries.unwrap_or(defaults.retries),
        })
    }
}

/// How results are shown, and where else they are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output and record")]
pub struct FormArgs {
    /// Show how each group of outputs differs from the majority's
    #[arg(long)]
    pub fold_diff: bool,
    /// Pass control characters of hosts to the terminal
    #[arg(long)]
    pub raw: bool,
    /// Write a JUnit report; `-` is standard output, and nothing else is written there
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write each host's whole output to `DIR/HOST.stdout` and `DIR/HOST.stderr`
    #[arg(long, value_name = "DIR")]
    pub outdir: Option<PathBuf>,
}

impl FormArgs {
    /// For a report.
    pub fn options(&self, form: OutputForm, progress: bool) -> Result<Options, CliError> {
        let to_stdout = self.junit.as_deref() == Some(Path::new("-"));
        let form = match form {
            OutputForm::Json | OutputForm::Jsonl if to_stdout => {
                return Err(
                    CliError::new("--junit - and --output json both want standard output")
                        .hint("give the report a file: --junit FILE"),
                );
            }
            _ if to_stdout => Form::Quiet,
            OutputForm::Human => Form::Human,
            OutputForm::Live => Form::Live,
            OutputForm::Fold => Form::Fold,
            OutputForm::Host => Form::Host,
            OutputForm::Json => Form::Json,
            OutputForm::Jsonl => Form::Jsonl,
            OutputForm::Quiet => Form::Quiet,
        };
        Ok(Options {
            form,
            fold_diff: self.fold_diff,
            verbose: 0,
            progress: progress && form != Form::Quiet,
            junit: if to_stdout {
                Some("/dev/stdout".into())
            } else {
                self.junit.clone()
            },
            outdir: self.outdir.clone(),
        })
    }
}

/// What is shown, kept and asked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output and record")]
pub struct OutputArgs {
    #[command(flatten)]
    pub form: FormArgs,
    /// Keep at most so much of a host's output, each stream [default: 10M]
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub max_output: Option<u64>,
    /// Keep command and output out of the record
    #[arg(long)]
    pub no_log: bool,
    /// Print the chosen hosts and do nothing
    #[arg(long)]
    pub list_hosts: bool,
    /// Say what would be done where, without contacting any host
    #[arg(long)]
    pub dry_run: bool,
    /// Answer questions with yes
    #[arg(long)]
    pub yes: bool,
    /// Nothing matched is not an error
    #[arg(long)]
    pub allow_empty: bool,
}
