//! `iomsctl inventory`: list, draw, show, check and import inventories.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Map, Value as Json, json};

use super::ask::Terminal;
use super::connection::ConnectionArgs;
use super::fleet::Fleet;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::targets::{Overrides, RunTargets};
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status, inventory_document};
use crate::base::prompt::{Nobody, Prompt};
use crate::base::yaml;
use crate::engine::Targets as _;
use crate::event::HostIx;
use crate::inventory;
use crate::target::{Via, winrm_misspelt};

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl inventory graph\n  iomsctl inventory show web01 --origin\n  iomsctl inventory check\n  iomsctl inventory import hosts.csv > inventory/hosts.yml"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List hosts; as JSON the document of `ansible-inventory --list`
    #[command(
        after_help = "Examples:\n  iomsctl inventory list -g 'web:&idc_a'\n  iomsctl inventory list --output json"
    )]
    List(ListArgs),
    /// Draw the tree of groups
    #[command(after_help = "Examples:\n  iomsctl inventory graph --vars")]
    Graph(GraphArgs),
    /// Show a host's variables
    #[command(after_help = "Examples:\n  iomsctl inventory show web01 --origin")]
    Show(ShowArgs),
    /// Look for mistakes: in all files, and in how each host would be reached
    #[command(
        after_help = "Examples:\n  iomsctl inventory check && echo fine\n\nThe exit status is 2 when something is wrong."
    )]
    Check(CheckArgs),
    /// Make an inventory of a spreadsheet (CSV; UTF-8 or GBK)
    #[command(
        after_help = "Examples:\n  iomsctl inventory import hosts.csv --to inventory/hosts.yml\n\nThe first line names the columns: host (主机), address (地址, ip), port (端口), user (用户),\ngroup (分组); others become variables. A column of passwords is left out."
    )]
    Import(ImportArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

#[derive(Debug, clap::Args)]
struct GraphArgs {
    /// Show variables too
    #[arg(long)]
    vars: bool,
    #[command(flatten)]
    vaults: VaultArgs,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The host
    host: String,
    /// Show where each variable is set
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    vaults: VaultArgs,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// The CSV file
    file: PathBuf,
    /// Write here, not to standard output; an existing file is kept
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    match args.verb {
        Verb::List(args) => list(&setup, &args),
        Verb::Graph(args) => graph(&setup, &args),
        Verb::Show(args) => show(&setup, &args),
        Verb::Check(args) => check(&setup, &args),
        Verb::Import(args) => import(&setup, &args),
    }
}

fn load(setup: &Setup, vaults: &VaultArgs) -> Result<Arc<Fleet>, CliError> {
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    Fleet::load(setup, vaults, &[], &prompt)
}

fn list(setup: &Setup, args: &ListArgs) -> Result<Status, CliError> {
    let pattern = args.selection.group.as_deref();
    has_one_reader(&[&Operand("-g -", pattern), &args.selection, &args.vaults])?;
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let fleet = Fleet::load(setup, &args.vaults, &args.selection.extra_vars, &prompt)?;
    let chosen = args
        .selection
        .choose(setup, &fleet, pattern.unwrap_or("all"))?;
    let count = chosen.hosts.len();
    if setup.json() {
        let mut document = inventory::list_document(&fleet.inventory)?;
        if count < fleet.inventory.host_names().len() {
            inventory_document::narrow(&mut document, &chosen.hosts);
        }
        inventory_document::add_variables(&mut document, &chosen.hosts, fleet.extra_vars());
        setup.print_document(&document)?;
    } else {
        let mut text = String::new();
        for host in &chosen.hosts {
            let _ = writeln!(text, "{host}");
        }
        setup.print(&text)?;
    }
    let narrowed =
        pattern.is_some() || !args.selection.limit.is_empty() || !args.selection.exclude.is_empty();
    Ok(if count == 0 && (narrowed || !setup.json()) {
        Status(5)
    } else {
        Status::OK
    })
}

fn graph(setup: &Setup, args: &GraphArgs) -> Result<Status, CliError> {
    let fleet = load(setup, &args.vaults)?;
    if setup.json() {
        let document = inventory::list_document(&fleet.inventory)?;
        setup.print_document(&tree("all", &document, args.vars))?;
    } else {
        setup.print(&inventory::graph(&fleet.inventory, args.vars)?)?;
    }
    Ok(Status::OK)
}

/// A group with its hosts and children, from the flat document.
fn tree(group: &str, document: &Json, vars: bool) -> Json {
    let names = |what: &str| -> Vec<&str> {
        let found = document.get(group).and_then(|entry| entry.get(what));
        let found = found.and_then(Json::as_array);
        found
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect()
    };
    let hosts: Vec<Json> = names("hosts")
        .into_iter()
        .map(|host| {
            match document
                .pointer("/_meta/hostvars")
                .and_then(|all| all.get(host))
            {
                Some(found) if vars => json!({ "host": host, "vars": found }),
                _ => json!({ "host": host }),
            }
        })
        .collect();
    let children: Vec<Json> = names("children")
        .into_iter()
        .map(|child| tree(child, document, vars))
        .collect();
    json!({ "group": group, "hosts": hosts, "children": children })
}

fn show(setup: &Setup, args: &ShowArgs) -> Result<Status, CliError> {
    let fleet = load(setup, &args.vaults)?;
    if !fleet.inventory.has_host(&args.host) {
        return Err(
            CliError::new(format!("there is no host `{}` in the inventory", args.host))
                .hint("`iomsctl inventory list` shows them all")
                .status(5),
        );
    }
    let vars = fleet.inventory.variables(&args.host)?;
    if setup.json() {
        let document: Map<String, Json> = vars
            .iter()
            .map(|(name, found)| {
                let value = inventory::to_json(&found.shown());
                let shown = if args.origin {
                    json!({
                        "value": value, "file": found.place.file.display().to_string(),
                        "line": found.place.line, "column": found.place.column,
                    })
                } else {
                    value
                };
                (name.to_string(), shown)
            })
            .collect();
        setup.print_document(&Json::Object(document))?;
        return Ok(Status::OK);
    }
    let mut text = String::new();
    for (name, found) in &vars {
        let one = crate::base::value::Map::from_iter([(name.clone(), found.shown())]);
        if args.origin {
            let _ = writeln!(text, "# {}", found.place);
        }
        text.push_str(&yaml::write(&crate::base::value::Value::Map(one)));
    }
    setup.print(&text)?;
    Ok(Status::OK)
}

/// One thing that is wrong.
struct Finding {
    host: Option<Arc<str>>,
    message: String,
    hint: Option<String>,
}

fn check(setup: &Setup, args: &CheckArgs) -> Result<Status, CliError> {
    has_one_reader(&[&args.connection, &args.vaults])?;
    let mut findings = Vec::new();
    let mut hosts = 0;
    match load(setup, &args.vaults) {
        Err(error) => findings.push(Finding {
            host: None,
            message: error.message,
            hint: error.hint,
        }),
        Ok(fleet) => {
            hosts = fleet.inventory.host_names().len();
            findings.extend(
                fleet
                    .inventory
                    .check_files()
                    .into_iter()
                    .map(|error| Finding {
                        host: None,
                        message: error.to_string(),
                        hint: None,
                    }),
            );
            if findings.is_empty() {
                let (unreachable, warnings) = unreachable(setup, args, &fleet)?;
                for warning in &warnings {
                    setup.warn(warning);
                }
                findings.extend(unreachable);
            }
        }
    }
    report_findings(setup, hosts, &findings)?;
    Ok(if findings.is_empty() {
        Status::OK
    } else {
        Status(2)
    })
}

/// Hosts of which no target can be made; and warnings of variables that nobody reads, though they seem to
/// be meant for WinRM: they may be the user's own.
fn unreachable(
    setup: &Setup,
    args: &CheckArgs,
    fleet: &Arc<Fleet>,
) -> Result<(Vec<Finding>, BTreeSet<String>), CliError> {
    let hosts: Vec<Arc<str>> = fleet.inventory.host_names().cloned().collect();
    let targets = RunTargets::new(
        fleet.clone(),
        hosts.clone(),
        args.connection.flags(&Nobody, false)?,
        &setup.settings,
        args.connection.ssh_config.as_deref(),
        Overrides::default(),
    )?;
    let (mut findings, mut warnings) = (Vec::new(), BTreeSet::new());
    for (host, at) in hosts.iter().zip(0..) {
        match targets.resolve(HostIx(at)) {
            Ok(target) if !matches!(target.via, Via::Winrm(_)) => continue,
            Ok(_) => {}
            Err(error) => findings.push(Finding {
                host: Some(host.clone()),
                message: error.message,
                hint: error.hint,
            }),
        }
        for (name, found) in fleet.inventory.variables(host)? {
            if let Some(meant) = winrm_misspelt(&name) {
                let place = found.place;
                warnings.insert(format!(
                    "{place}: there is no variable `{name}` of WinRM: did you mean `{meant}`?"
                ));
            }
        }
    }
    Ok((findings, warnings))
}

fn report_findings(setup: &Setup, hosts: usize, findings: &[Finding]) -> Result<(), CliError> {
    if setup.json() {
        let list: Vec<Json> = findings
            .iter()
            .map(|each| json!({ "host": each.host, "message": each.message, "hint": each.hint }))
            .collect();
        return setup.print_document(&json!({ "hosts": hosts, "findings": list }));
    }
    let mut text = String::new();
    for finding in findings {
        if let Some(host) = &finding.host {
            let _ = write!(text, "{host}: ");
        }
        let _ = writeln!(text, "{}", finding.message);
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "hint: {hint}");
        }
    }
    let _ = match findings.len() {
        0 => writeln!(text, "{hosts} hosts, nothing wrong"),
        1 => writeln!(text, "{hosts} hosts, 1 mistake"),
        many => writeln!(text, "{hosts} hosts, {many} mistakes"),
    };
    setup.print(&text)
}

fn import(setup: &Setup, args: &ImportArgs) -> Result<Status, CliError> {
    let fail =
        |why: &dyn std::fmt::Display| CliError::new(format!("{}: {why}", args.file.display()));
    let bytes = std::fs::read(&args.file).map_err(|error| fail(&error))?;
    let imported = inventory::import_csv(&bytes).map_err(|why| fail(&why))?;
    for warning in &imported.warnings {
        setup.warn(warning);
    }
    match &args.to {
        None => super::print(&imported.yaml)?,
        Some(path) => {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).truncate(true);
            if args.force {
                options.create(true)
            } else {
                options.create_new(true)
            };
            let mut file = options.open(path).map_err(|error| {
                CliError::new(format!("{}: {error}", path.display()))
                    .hint("--force replaces an existing file")
            })?;
            std::io::Write::write_all(&mut file, imported.yaml.as_bytes())?;
            if setup.json() {
                setup.print(&format!(
                    "{}\n",
                    json!({ "hosts": imported.hosts, "file": path })
                ))?;
            } else {
                setup.print(&format!(
                    "{} hosts written to {}\n",
                    imported.hosts,
                    path.display()
                ))?;
            }
        }
    }
    Ok(Status::OK)
}
