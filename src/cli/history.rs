//! `iomsctl history`: what was run, where, by whom, and what came out.

mod show;

use std::fmt::Write as _;

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::columns::columns;
use super::execution::FormArgs;
use super::{CliError, Globals, Setup, Status, history_diff, records};
use crate::base::clock::{self, rfc3339};
use crate::base::quantity;
use crate::base::text::{Charset, decode, terminal_safe};
use crate::store::{Filter, HostRun, HostTask, Match, RunRow, Store};

pub(super) use show::scratch;

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl history list --since 2h --status failed\n  iomsctl history show 3f2a --output json\n  iomsctl history host web01\n  iomsctl history grep 'OutOfMemory' --since 1d\n  iomsctl history diff 3f2a 91bc\n\nA run is named by its id, or by at least 4 characters of its beginning or end."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List runs, newest first
    #[command(
        after_help = "Examples:\n  iomsctl history list --since 2h --status failed\n  iomsctl history list --user ops --verb run -n 10 --output json"
    )]
    List(FilterArgs),
    /// Show a run as it was shown: in any form, as JSON the document it printed
    #[command(
        after_help = "Examples:\n  iomsctl history show\n  iomsctl history show 3f2a91bc --output json\n  iomsctl history show 3f2a91bc --outdir /tmp/outputs"
    )]
    Show(ShowArgs),
    /// List the runs a host took part in
    #[command(after_help = "Examples:\n  iomsctl history host web01 --since 7d")]
    Host(HostArgs),
    /// Search outputs for a regular expression
    #[command(
        after_help = "Examples:\n  iomsctl history grep '(?i)outofmemory' --since 1d\n  iomsctl history grep 'version: 2' --host web01 --max 10"
    )]
    Grep(GrepArgs),
    /// Compare two runs: which hosts came out otherwise, and how their outputs differ
    #[command(after_help = "Examples:\n  iomsctl history diff 3f2a91bc 91bc77d0")]
    Diff(DiffArgs),
}

/// How a run can have come out.
const OUTCOMES: [&str; 10] = [
    "ok",
    "changed",
    "skipped",
    "failed",
    "unreachable",
    "timed_out",
    "cancelled",
    "deferred",
    "interrupted",
    "running",
];

#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// Begun since: a time (2026-11-23T08:00), a day, or so long ago (2h, 1d)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Begun before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// In which this host took part
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// By this user of the controller
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// With this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = OUTCOMES)]
    status: Option<String>,
    /// Of this verb: run, script, ping
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// The newest so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    last: usize,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The run; the newest of yours where none is named
    run: Option<String>,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Debug, clap::Args)]
struct HostArgs {
    /// The host
    name: String,
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Debug, clap::Args)]
struct GrepArgs {
    /// The regular expression; `(?i)` at its beginning ignores case
    regex: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// No more than so many lines
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max: usize,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// The earlier run
    one: String,
    /// The later run
    other: String,
}

impl FilterArgs {
    fn filter(&self) -> Result<Filter, CliError> {
        Ok(Filter {
            since: self.since.as_deref().map(moment).transpose()?,
            until: self.until.as_deref().map(moment).transpose()?,
            user: self.user.clone(),
            outcome: self.status.clone(),
            verb: self.verb.clone(),
            host: self.host.clone(),
            limit: self.last,
        })
    }
}

/// A time as people write it: so long ago, a day, a day and an hour (local), or RFC 3339.
fn moment(text: &str) -> Result<Timestamp, CliError> {
    if let Ok(ago) = quantity::duration(text) {
        return records::ago(ago);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let zone = TimeZone::system();
    let local = text.parse::<jiff::civil::DateTime>().or_else(|_| {
        text.parse::<jiff::civil::Date>()
            .map(|day| day.at(0, 0, 0, 0))
    });
    local
        .ok()
        .and_then(|local| local.to_zoned(zone).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| {
            CliError::new(format!("`{text}` is no time"))
                .hint("write 2h or 1d (ago), 2026-11-23, 2026-11-23T08:00, or 2026-11-23T08:00:00Z")
        })
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    super::database_runtime()?.block_on(async {
        let store = records::open(&setup).await?;
        match args.verb {
            Verb::List(filter) => list(&setup, &store, &filter).await,
            Verb::Show(args) => show::show(&setup, &store, &args).await,
            Verb::Host(args) => host(&setup, &store, &args).await,
            Verb::Grep(args) => grep(&setup, &store, &args).await,
            Verb::Diff(args) => history_diff::diff(&setup, &store, &args.one, &args.other).await,
        }
    })
}

pub(super) fn run_json(row: &RunRow) -> Json {
    let header = &row.header;
    json!({
        "run": header.run, "verb": header.verb, "command": header.command, "pattern": header.pattern,
        "user": header.user, "from": header.from, "started": rfc3339(header.started),
        "finished": row.end.as_ref().map(|end| rfc3339(end.finished)), "outcome": row.outcome,
        "summary": row.end.as_ref().map(|end| end.summary), "resumes": header.options["resumes"],
    })
}

/// The end of an id: what tells runs apart at a glance, and names them for `history show`.
fn short(row: &RunRow) -> String {
    let id = row.header.run.to_string();
    id.get(id.len().saturating_sub(8)..)
        .unwrap_or(&id)
        .to_owned()
}

fn command(row: &RunRow) -> String {
    let command = row.header.command.as_deref();
    command.map(one_line).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(60).collect();
    let more = cut.len() < text.len();
    format!("{}{}", terminal_safe(&cut), if more { "…" } else { "" })
}

async fn list(setup: &Setup, store: &Store, args: &FilterArgs) -> Result<Status, CliError> {
    let runs = store.runs(&args.filter()?).await?;
    if setup.json() {
        let runs: Vec<Json> = runs.iter().map(run_json).collect();
        setup.print_document(&json!({ "runs": runs }))?;
        return Ok(Status::OK);
    }
    if runs.is_empty() {
        setup.print("no runs on record\n")?;
        return Ok(Status::OK);
    }
    let rows = runs.iter().map(|row| {
        let well = row.end.as_ref().map(|end| &end.summary).map_or_else(
            || "...".to_owned(),
            |summary| {
                let well = summary.ok + summary.changed + summary.skipped;
                format!("{well}/{}", summary.total)
            },
        );
        [
            short(row),
            clock::local(row.header.started),
            row.outcome.clone(),
            well,
            row.header.user.clone(),
            row.header.verb.clone(),
            one_line(&row.header.pattern),
            command(row),
        ]
    });
    let heading = [
        "RUN", "STARTED", "OUTCOME", "OK", "USER", "VERB", "HOSTS", "COMMAND",
    ];
    setup.print(&columns(heading, rows))?;
    Ok(Status::OK)
}

async fn find(store: &Store, run: Option<&str>) -> Result<RunRow, CliError> {
    if let Some(run) = run {
        return Ok(store.find_run(run).await?);
    }
    let user = crate::target::ssh_config::Local::of_process().user;
    store
        .newest_run(&user, None)
        .await?
        .ok_or_else(|| CliError::new("you have no run on record"))
}

async fn host(setup: &Setup, store: &Store, args: &HostArgs) -> Result<Status, CliError> {
    let runs = store.host_runs(&args.name, &args.filter.filter()?).await?;
    let mut tasks = Vec::with_capacity(runs.len());
    for each in &runs {
        tasks.push(match &*each.run.header.verb {
            "play" => store.host_tasks(each.run.header.run, &args.name).await?,
            _ => Vec::new(),
        });
    }
    if setup.json() {
        let runs = runs.iter().zip(&tasks);
        let runs: Vec<Json> = runs.map(|(run, tasks)| host_run_json(run, tasks)).collect();
        setup.print_document(&json!({ "host": args.name, "runs": runs }))?;
        return Ok(Status::OK);
    }
    if runs.is_empty() {
        setup.print(&format!("no runs of {} on record\n", args.name))?;
        return Ok(Status::OK);
    }
    let rows = runs.iter().zip(&tasks).flat_map(|(each, tasks)| {
        let tasks = tasks.iter().map(host_task_row);
        std::iter::once(host_run_row(each)).chain(tasks)
    });
    let heading = [
        "RUN", "STARTED", "OUTCOME", "TOOK", "USER", "VERB", "COMMAND",
    ];
    setup.print(&columns(heading, rows))?;
    Ok(Status::OK)
}

fn host_run_row(each: &HostRun) -> [String; 7] {
    let exit = each.exit.filter(|exit| *exit != 0);
    let exit = exit.map(|exit| format!(" (exit {exit})"));
    let error = each.error.as_ref();
    let kind = error.and_then(|error| error.get("kind")?.as_str());
    let kind = kind.map(|kind| format!(" ({kind})"));
    [
        short(&each.run),
        clock::local(each.run.header.started),
        format!("{}{}", each.outcome, exit.or(kind).unwrap_or_default()),
        quantity::show_duration(each.duration),
        each.run.header.user.clone(),
        each.run.header.verb.clone(),
        command(&each.run),
    ]
}

/// Below its run.
fn host_task_row(each: &HostTask) -> [String; 7] {
    let nothing = String::new;
    [
        nothing(),
        nothing(),
        each.status.clone(),
        quantity::show_duration(each.duration),
        nothing(),
        nothing(),
        one_line(&each.task.name),
    ]
}

fn host_run_json(each: &HostRun, tasks: &[HostTask]) -> Json {
    let mut run = run_json(&each.run);
    if let Some(object) = run.as_object_mut() {
        object.insert("host_outcome".into(), json!(each.outcome));
        object.insert("exit".into(), json!(each.exit));
        object.insert("duration_ms".into(), json!(each.duration.as_millis()));
        object.insert("error".into(), json!(each.error));
        if each.run.header.verb == "play" {
            let tasks: Vec<Json> = tasks.iter().map(task_json).collect();
            object.insert("tasks".into(), json!(tasks));
        }
    }
    run
}

fn task_json(each: &HostTask) -> Json {
    json!({
        "task": each.task.name, "action": each.task.action, "path": each.task.path,
        "status": each.status, "duration_ms": each.duration.as_millis(),
    })
}

async fn grep(setup: &Setup, store: &Store, args: &GrepArgs) -> Result<Status, CliError> {
    let mut found: Vec<Match> = Vec::new();
    let filter = args.filter.filter()?;
    store
        .grep(&args.regex, &filter, |hit| {
            found.push(hit);
            found.len() < args.max
        })
        .await?;
    let text_of = |hit: &Match| decode(&hit.text, Charset::UTF_8).text.into_owned();
    if setup.json() {
        let matches: Vec<Json> = found
            .iter()
            .map(|hit| {
                json!({
                    "run": hit.run, "started": rfc3339(hit.started), "host": hit.host,
                    "stream": hit.stream, "line": hit.line, "text": text_of(hit),
                })
            })
            .collect();
        setup.print_document(&json!({ "matches": matches }))?;
        return Ok(Status::OK);
    }
    let mut text = String::new();
    for hit in &found {
        let id = hit.run.to_string();
        let short = id.get(id.len().saturating_sub(8)..).unwrap_or(&id);
        let _ = writeln!(
            text,
            "{short} {}:{}:{}: {}",
            hit.host,
            hit.stream,
            hit.line,
            terminal_safe(&text_of(hit))
        );
    }
    setup.print(&text)?;
    if found.len() >= args.max {
        setup.warn(&format!(
            "stopped after {} lines; --max shows more",
            args.max
        ));
    }
    Ok(Status::OK)
}
