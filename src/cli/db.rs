//! `iomsctl db`: looks after the database.

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::fmt::Write as _;

use super::ask::confirm;
use super::{CliError, Globals, Setup, Status, records};
use crate::base::clock;
use crate::base::quantity;
use crate::store::{Store, journals, prune_unfinished, replay};

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl db status\n  iomsctl --database mysql://ioms@db.example/ioms db migrate\n  iomsctl db prune --keep 90d --yes"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make or update the tables (`SQLite` does so by itself)
    #[command(
        after_help = "Examples:\n  iomsctl --database mysql://ioms@db.example/ioms db migrate"
    )]
    Migrate,
    /// Say where the database is and what is in it
    #[command(after_help = "Examples:\n  iomsctl db status\n  iomsctl db status --output json")]
    Status,
    /// Remove what is old
    #[command(
        after_help = "Examples:\n  iomsctl db prune --keep 90d\n  iomsctl db prune --keep 30d --family runs --yes"
    )]
    Prune(PruneArgs),
    /// Bring in what was kept in journals while the database was away
    #[command(after_help = "Examples:\n  iomsctl db replay")]
    Replay,
}

#[derive(Debug, clap::Args)]
struct PruneArgs {
    /// Keep what is younger than this: 30d, 12h
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    keep: std::time::Duration,
    /// Only this family of records
    #[arg(long, value_name = "FAMILY")]
    family: Option<Family>,
    /// Answer questions with yes
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// Runs with their results and outputs
    Runs,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    super::database_runtime()?.block_on(async {
        match args.verb {
            Verb::Migrate => migrate(&setup).await,
            Verb::Status => status(&setup).await,
            Verb::Prune(args) => prune(&setup, &args).await,
            Verb::Replay => replay_all(&setup).await,
        }
    })
}

fn say(setup: &Setup, document: &serde_json::Value, text: &str) -> Result<Status, CliError> {
    if setup.json() {
        setup.print_document(document)?;
    } else {
        setup.print(text)?;
    }
    Ok(Status::OK)
}

async fn migrate(setup: &Setup) -> Result<Status, CliError> {
    let url = setup.database()?;
    let store = Store::connect(&url).await?;
    let before = store.version().await?;
    store.migrate().await?;
    let after = store.version().await?;
    let document = json!({ "database": url.to_string(), "before": before, "schema": after });
    let text = if before == after {
        format!("{url}: up to date (schema {after})\n")
    } else {
        format!("{url}: schema {before} -> {after}\n")
    };
    say(setup, &document, &text)
}

async fn status(setup: &Setup) -> Result<Status, CliError> {
    let store = records::open(setup).await?;
    let status = store.status().await?;
    let waiting = journals(&setup.data_dir()).len();
    let oldest = status.oldest.map(clock::rfc3339);
    let document = json!({
        "database": status.database, "schema": status.schema, "runs": status.runs, "results": status.results,
        "output_pieces": status.pieces, "oldest": oldest, "journals": waiting,
    });
    let text = format!(
        "database  {}\nschema    {}\nruns      {} (oldest {})\nresults   {}\noutputs   {} pieces\njournals  {waiting} not in the database yet\n",
        status.database,
        status.schema,
        status.runs,
        status
            .oldest
            .map_or_else(|| "none".to_owned(), clock::local),
        status.results,
        status.pieces,
    );
    say(setup, &document, &text)
}

async fn prune(setup: &Setup, args: &PruneArgs) -> Result<Status, CliError> {
    let store = records::open(setup).await?;
    let before = records::ago(args.keep)?;
    let _ = args.family.unwrap_or(Family::Runs);
    let count = store.count_before(before).await?;
    if count > 0 {
        confirm(
            &format!(
                "Remove {count} runs that began before {}?",
                clock::local(before)
            ),
            args.yes,
        )?;
    }
    let removed = store.prune(before).await?;
    prune_unfinished(&setup.data_dir(), before.into());
    say(
        setup,
        &json!({ "runs": removed }),
        &format!("{removed} runs removed\n"),
    )
}

async fn replay_all(setup: &Setup) -> Result<Status, CliError> {
    let store = Store::open(&setup.database()?).await?;
    let replayed = replay(&store, &setup.data_dir()).await?;
    let document = json!({
        "stored": replayed.stored, "controller_lost": replayed.lost, "under_way": replayed.busy,
        "broken": replayed.broken,
        "refused": replayed.refused.iter().map(|(folder, why)| json!({"journal": folder, "why": why})).collect::<Vec<_>>(),
    });
    let mut text = format!(
        "{} runs brought in, {} of them ended by their controller's death; {} still under way\n",
        replayed.stored, replayed.lost, replayed.busy
    );
    for path in &replayed.broken {
        let _ = writeln!(text, "can't be read, set aside: {}", path.display());
    }
    for (folder, why) in &replayed.refused {
        let _ = writeln!(text, "not brought in: {}: {why}", folder.display());
    }
    say(setup, &document, &text)
}
