//! `iomsctl config`: every setting and where it came from.

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Globals, Setup, Status};
use crate::config::{Origin, SETTINGS};

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  iomsctl config show\n  iomsctl config show --changed")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show settings with the places they came from
    #[command(
        after_help = "Examples:\n  iomsctl config show\n  iomsctl config show forks\n  iomsctl config show --changed --output json"
    )]
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Only this setting
    name: Option<String>,
    /// Only what is not built in
    #[arg(long)]
    changed: bool,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let Verb::Show(args) = args.verb;
    let setup = Setup::new(globals)?;
    let settings = &setup.settings;
    if let Some(name) = &args.name
        && !SETTINGS.iter().any(|setting| setting.name == name)
    {
        return Err(CliError::new(format!("there is no setting `{name}`"))
            .hint("`iomsctl config show` lists them all"));
    }
    let shown: Vec<_> = settings
        .shown()
        .into_iter()
        .filter(|each| args.name.as_deref().is_none_or(|name| name == each.name))
        .filter(|each| !args.changed || each.origin != Origin::Default)
        .collect();
    if setup.json() {
        let document = json!({
            "settings": shown.iter().map(|each| json!({
                "name": each.name, "value": each.value, "origin": each.origin.to_string(),
            })).collect::<Vec<_>>(),
            "files": settings.files(),
            "ignored": settings.ignored().iter().map(|each| json!({ "name": each.name, "place": each.place })).collect::<Vec<_>>(),
        });
        setup.print_document(&document)?;
        return Ok(Status::OK);
    }
    let mut text = String::new();
    for each in &shown {
        let value = each.value.as_deref().unwrap_or("-");
        let _ = writeln!(text, "{:20} {value:30}  {}", each.name, each.origin);
    }
    if args.name.is_none() {
        for file in settings.files() {
            let _ = writeln!(text, "# read: {}", file.display());
        }
        for each in settings.ignored() {
            let _ = writeln!(text, "# ignored: {} ({})", each.name, each.place);
        }
    }
    setup.print(&text)?;
    Ok(Status::OK)
}
