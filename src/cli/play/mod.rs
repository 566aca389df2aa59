//! `iomsctl play`: runs playbooks.

mod asking;
pub(super) mod denied;
mod ends;
pub(super) mod hosts;
pub(super) mod kept;
mod listing;
pub(super) mod perform;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::ask::Terminal;
use super::connection::ConnectionArgs;
use super::execution::FormArgs;
use super::fleet::Fleet;
use super::rerun::RerunArgs;
use super::standard_input::has_one_reader;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::base::prompt::Prompt;
use crate::base::quantity;
use crate::base::seen::Seen;
use crate::playbook::{Loader, Playbook, TagSelection};
use hosts::Limits;
use kept::{Resumed, Started};
use perform::Keeping;

const EXAMPLES: &str = "\
Examples:
  iomsctl play site.yml
  iomsctl play site.yml --limit 'web:&idc_a' --tags deploy -e version=1.2.3
  iomsctl play site.yml --check --diff
  iomsctl play site.yml --list-tasks
  iomsctl play site.yml --expect-no-change --junit report.xml   # in CI
  iomsctl play site.yml --rerun failed

Ends with 0 when all is well, 2 when a host failed, 4 when one was unreachable, 6 with both, 1 when
the playbook was refused before anything ran; docs/play.md has the rest.";

/// Arguments of `play`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The playbooks, run in this order
    #[arg(value_name = "PLAYBOOK", required_unless_present = "rerun")]
    playbooks: Vec<PathBuf>,
    /// Only hosts that came out so in your newest run of playbooks, or in RUN: failed, unreachable, ok,
    /// all; without PLAYBOOK those of that run
    #[arg(
        long,
        value_name = "WHICH[:RUN]",
        help_heading = "What to do, and where"
    )]
    rerun: Option<String>,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    mode: ModeArgs,
    /// Run notified handlers also on hosts that failed
    #[arg(long, help_heading = "How to do it")]
    force_handlers: bool,
    /// Forget the facts that earlier runs have found
    #[arg(long, help_heading = "How to do it")]
    flush_cache: bool,
    #[command(flatten)]
    show: ShowArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// What of the playbooks is done, and where.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What to do, and where")]
pub struct ChoiceArgs {
    /// Of the hosts of each play, only those
    #[arg(short, long, value_name = "PATTERN")]
    limit: Vec<String>,
    /// Of these, not those
    #[arg(short = 'x', long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Only tasks with one of these tags (`all`, `tagged`, `untagged` too)
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// No task with one of these tags
    #[arg(long, value_name = "TAGS")]
    skip_tags: Vec<String>,
    /// Begin at the task of this name
    #[arg(long, value_name = "NAME")]
    start_at_task: Option<String>,
    /// Ask before each task
    #[arg(long)]
    step: bool,
    /// A variable, stronger than all others: NAME=VALUE, JSON, or @FILE
    #[arg(short, long, value_name = "VARS")]
    extra_vars: Vec<String>,
    /// Print the hosts of each play and do nothing
    #[arg(long)]
    list_hosts: bool,
    /// Print the tasks of each play and do nothing
    #[arg(long)]
    list_tasks: bool,
    /// Print the tags of each play and do nothing
    #[arg(long)]
    list_tags: bool,
    /// Load and check the playbooks and do nothing
    #[arg(long)]
    syntax_check: bool,
}

/// How tasks are done.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How to do it")]
pub struct ModeArgs {
    /// Change nothing: say what would be changed
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show how contents change
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Hosts at work at a time [default: 500, fewer where open files are limited]
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,
    /// A task's time on a host; 0 for none [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub timeout: Option<Duration>,
    /// End the whole run after so long
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub deadline: Option<Duration>,
    /// End with 3 where something was changed (or would be, with --check)
    #[arg(long)]
    pub expect_no_change: bool,
}

/// What is shown and written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output and record")]
pub struct ShowArgs {
    /// Keep at most so much of a command's output, each stream [default: 10M]
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    max_output: Option<u64>,
    /// Write a JUnit report; `-` is standard output, and nothing else is written there
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Pass control characters of hosts to the terminal
    #[arg(long)]
    raw: bool,
    /// Nothing matched is not an error
    #[arg(long)]
    allow_empty: bool,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    setup.seen = Seen::noting();
    has_one_reader(&[&args.connection, &args.vaults])?;
    for warning in setup.settings.warnings_of_plays() {
        setup.warn(&warning);
    }
    let earlier = RerunArgs {
        rerun: args.rerun.clone(),
    }
    .look_up_of(&mut setup, Some("play"))?;
    let playbooks = match &earlier {
        Some(earlier) if args.playbooks.is_empty() => earlier.playbooks(&args.flags())?,
        _ => args.playbooks.clone(),
    };
    let only = earlier.map(|earlier| earlier.hosts().to_vec());
    run(&setup, args, &playbooks, only, None)
}

/// Goes on with a run that was started with these arguments.
pub(super) fn resume(setup: &Setup, args: &Args, resumed: Resumed) -> Result<Status, CliError> {
    let playbooks = resumed.started.playbooks.clone();
    let only = resumed.started.only.as_ref();
    let only = only.map(|hosts| hosts.iter().map(|host| host.as_str().into()).collect());
    run(setup, args, &playbooks, only, Some(resumed))
}

fn run(
    setup: &Setup,
    args: &Args,
    playbooks: &[PathBuf],
    only: Option<Vec<Arc<str>>>,
    resumed: Option<Resumed>,
) -> Result<Status, CliError> {
    let limits = limits(&args.choice, only, resumed.as_ref())?;
    let started = started(setup, playbooks, &limits);
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let vault = Arc::new(args.vaults.vault(&setup.settings, &prompt));
    let fleet = Fleet::load_for_plays(setup, &args.vaults, &args.choice.extra_vars, &prompt)?;
    let mut options = super::playbooks::options(setup, vault);
    options.extra_vars = fleet.extra_vars().values();
    for piece in limits.unmatched(&fleet.inventory) {
        setup.warn(&format!("no host or group is called `{piece}`"));
    }
    // The one that loads what is included too: it knows which uses of a role are the same role.
    let mut loader = Loader::new(options.clone());
    let mut books = Vec::new();
    for path in playbooks {
        books.push(load(path, &mut loader)?);
    }
    let selection = args.choice.tag_selection();
    if args.choice.lists() {
        return listing::list(setup, &fleet, &args.choice, &limits, &selection, &books);
    }
    if let Some(resumed) = &resumed {
        resumed.check(setup, &setup.seen)?;
    }
    let playbook = together(books);
    let hosts = hosts::of(&fleet.inventory, &limits, &playbook);
    let choice = &args.choice;
    let as_then = resumed.as_ref().map(|resumed| &resumed.started);
    let seed = as_then.or(started.as_ref()).map(|started| started.seed);
    let begin = args.begin(resumed.is_some(), seed);
    perform::perform(
        setup,
        perform::Work {
            verb: "play",
            keeping: match resumed {
                Some(resumed) => Keeping::Resumed(Box::new(resumed)),
                None => started.map_or(Keeping::Nothing, Keeping::Fresh),
            },
            command: names_of(playbooks),
            playbooks: playbooks
                .iter()
                .filter_map(|path| std::path::absolute(path).ok())
                .collect(),
            has_extra_vars: !choice.extra_vars.is_empty(),
            pattern: match choice.limit.as_slice() {
                [] => "all".to_owned(),
                limit => limit.join(":"),
            },
            fleet,
            playbook,
            modules: options.modules,
            loader,
            selection,
            hosts,
            chosen: hosts::Chosen::ByPlays(limits),
            begin,
            mode: &args.mode,
            connection: &args.connection,
            form: args.show.form(),
            max_output: args.show.max_output,
            allow_empty: args.show.allow_empty,
            no_log: false,
            prompt,
        },
    )
}

/// Whom the plays are limited to.
fn limits(
    choice: &ChoiceArgs,
    only: Option<Vec<Arc<str>>>,
    resumed: Option<&Resumed>,
) -> Result<Limits, CliError> {
    // As it was read then: what a file of hosts or standard input held.
    let (limit, exclude) = match resumed {
        Some(resumed) => (
            resumed.started.limit.clone(),
            resumed.started.exclude.clone(),
        ),
        None => (
            written_out(&choice.limit, Some(NOBODY))?,
            written_out(&choice.exclude, None)?,
        ),
    };
    Ok(Limits {
        limit,
        exclude,
        only: only.map(|hosts| hosts.into_iter().collect()),
    })
}

fn names_of(playbooks: &[PathBuf]) -> String {
    let names = playbooks.iter().map(|path| path.display().to_string());
    names.collect::<Vec<_>>().join(" ")
}

/// How the run is started, for who resumes it; `None` where that can't be said.
fn started(setup: &Setup, playbooks: &[PathBuf], limits: &Limits) -> Option<Started> {
    let words = std::env::args_os().map(std::ffi::OsString::into_string);
    Some(Started {
        args: words.collect::<Result<_, _>>().ok()?,
        folder: std::env::current_dir().ok()?,
        inventories: setup.inventories().to_vec(),
        playbooks: playbooks.to_vec(),
        limit: limits.limit.clone(),
        exclude: limits.exclude.clone(),
        only: (limits.only.as_ref()).map(|hosts| hosts.iter().map(ToString::to_string).collect()),
        seed: rand::random(),
    })
}

/// A pattern that no host is of.
const NOBODY: &str = "all:!all";

/// Patterns with what `@file` and `-` hold; `empty` stands for one that holds nothing.
fn written_out(patterns: &[String], empty: Option<&str>) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    for pattern in patterns {
        let text = super::selection::written_out(pattern)?;
        all.extend(text.or(empty.map(str::to_owned)));
    }
    Ok(all)
}

/// Playbooks that run one after the other, as one.
fn together(books: Vec<Playbook>) -> Playbook {
    let mut books = books.into_iter();
    let mut all = books.next().unwrap_or_else(|| Playbook {
        path: std::path::Path::new("").into(),
        plays: Vec::new(),
    });
    all.plays.extend(books.flat_map(|book| book.plays));
    all
}

impl Args {
    fn begin(&self, resumed: bool, seed: Option<u64>) -> perform::Begin {
        perform::Begin {
            force_handlers: self.force_handlers,
            start_at_task: self.choice.start_at_task.clone(),
            step: self.choice.step,
            // What the resumed run has found is not forgotten again.
            flush_cache: self.flush_cache && !resumed,
            seed: seed.unwrap_or_else(rand::random),
        }
    }

    /// The flags that bear on what is done, as far as they are given.
    fn flags(&self) -> Vec<&'static str> {
        let choice = &self.choice;
        [
            ("--become", self.connection.r#become),
            ("--check", self.mode.check),
            ("--tags", !choice.tags.is_empty()),
            ("--skip-tags", !choice.skip_tags.is_empty()),
            ("--start-at-task", choice.start_at_task.is_some()),
            ("--extra-vars", !choice.extra_vars.is_empty()),
        ]
        .into_iter()
        .filter_map(|(flag, given)| given.then_some(flag))
        .collect()
    }
}

impl Args {
    /// Hosts are reached, and vaults opened, as these say where they say something.
    pub(super) fn connect(&mut self, connection: ConnectionArgs, vaults: VaultArgs) {
        let earlier = std::mem::take(&mut self.connection);
        self.connection = connection.or(earlier);
        let earlier = std::mem::take(&mut self.vaults);
        self.vaults = vaults.or(earlier);
    }

    /// Writes the JUnit report here.
    pub(super) fn report_to(&mut self, junit: PathBuf) {
        self.show.junit = Some(junit);
    }

    /// The run's time, in place of what is said, where one is given.
    pub(super) fn end_after(&mut self, deadline: Option<Duration>) {
        self.mode.deadline = deadline.or(self.mode.deadline);
    }
}

impl ShowArgs {
    fn form(&self) -> FormArgs {
        FormArgs {
            fold_diff: false,
            raw: self.raw,
            junit: self.junit.clone(),
            outdir: None,
        }
    }
}

impl ChoiceArgs {
    /// Whether nothing is to be done but to say what would be.
    fn lists(&self) -> bool {
        self.list_hosts || self.list_tasks || self.list_tags || self.syntax_check
    }

    /// Which tasks are chosen by tags. A list of tags names all there are, unless some are asked for.
    fn tag_selection(&self) -> TagSelection {
        let all = self.list_tags && self.tags.is_empty() && self.skip_tags.is_empty();
        if all {
            TagSelection::new(&["never".to_owned(), "all".to_owned()], &[])
        } else {
            TagSelection::new(&self.tags, &self.skip_tags)
        }
    }
}

/// Loads a playbook; all that is wrong with it is said.
fn load(path: &std::path::Path, loader: &mut Loader) -> Result<Playbook, CliError> {
    loader
        .load(path)
        .map_err(|refused| CliError::new(refused.to_string()).hint("nothing was run"))
}
