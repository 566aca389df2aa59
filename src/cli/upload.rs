//! `iomsctl upload`: files and folders to many hosts.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ask::confirm;
use super::connection::ConnectionArgs;
use super::execution::{LimitArgs, OutputArgs};
use super::handed::{self, Handed};
use super::perform::{self, Work};
use super::rerun::RerunArgs;
use super::selection::{Chosen, SelectionArgs};
use super::standard_input::{ReadsInput, has_one_reader};
use super::transfer::TransferArgs;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::engine;
use crate::shell::files::Algorithm;
use crate::shell::quote;
use crate::transfer::Act;
use crate::transfer::pull::PullSettings;
use crate::transfer::source::{self, Collected, Given};
use crate::transfer::upload::{Upload, UploadOptions, Way};

const EXAMPLES: &str = "\
Examples:
  iomsctl upload -g web app.tgz /opt/
  iomsctl upload -g web --mode 0755 --owner root -b deploy.sh /usr/local/bin/deploy
  iomsctl upload -g web --delete site/ /srv/site          the folder's content, as a mirror (asks)
  iomsctl upload -g web conf.d /etc/nginx                 the folder itself: /etc/nginx/conf.d
  iomsctl upload -g all --check --diff motd /etc/motd
  iomsctl upload -g all --verify app.tgz /opt/app.tgz
  iomsctl upload -g windows 更新.zip 'D:\\更新 文件\\'
  make-config | iomsctl upload -g web - /etc/app.conf
  iomsctl upload -g game repo:server.tgz@2.4 /opt/game/      a published file of the repository

DEST is a folder when one is there or it ends in a slash; else it is the name to give. Only what
differs is sent: written beside its target, read back and compared, then put in its place at once.
What broke off goes on where it was when the same is uploaded again. MD5 shows change, not
tampering: --checksum sha256 shows both.";

/// Arguments of `upload`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "iomsctl upload [OPTIONS] -g PATTERN SRC... DEST",
    mut_arg("forks", |arg| arg.help(super::transfer::FORKS)),
    mut_arg("timeout", |arg| arg.help(super::transfer::TIMEOUT)),
    mut_arg("idle_timeout", |arg| arg.help(super::transfer::IDLE_TIMEOUT)),
)]
pub struct Args {
    /// Files, folders, patterns, `repo:NAME[@VERSION]`, `-` (standard input); and where they go
    #[arg(value_names = ["SRC...", "DEST"], required = true, num_args = 2..)]
    pub operands: Vec<PathBuf>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// How files are put on hosts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Files on the hosts")]
struct FileArgs {
    /// Permission bits for files, octal [default: what is replaced has; the source's execute bits]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    mode: Option<u32>,
    /// A user, a group, or both, by name or number: `www`, `www:web`, `:web`
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<String>,
    /// Keep times of change
    #[arg(long)]
    times: bool,
    /// Keep what is replaced, beside it: NAME.2026-11-25@08:00:00~
    #[arg(long)]
    backup: bool,
    /// Make the folders that are missing
    #[arg(long)]
    mkdir: bool,
    /// Remove what is in the folder there and not here; asks
    #[arg(long)]
    delete: bool,
    /// Show how texts differ
    #[arg(short = 'D', long)]
    diff: bool,
    /// How large files go: push, pull (the hosts fetch them; see pull.listen), auto
    #[arg(long, value_name = "WAY", default_value = "auto", value_parser = ["auto", "push", "pull"], hide_possible_values = true)]
    via: String,
}

/// How hosts fetch, where that is set up.
fn pull_settings(setup: &Setup) -> Result<Option<PullSettings>, CliError> {
    let settings = &setup.settings;
    let Some(listen) = settings.pull_listen() else {
        return Ok(None);
    };
    let Some(url) = settings.pull_url() else {
        return Err(CliError::new("pull.listen is set and pull.url is not")
            .hint("pull.url is how hosts see this controller: https://ctl.example:8641"));
    };
    let certificate = match (settings.pull_certificate(), settings.pull_key()) {
        (Some(certificate), Some(key)) => Some((certificate.to_owned(), key.to_owned())),
        (None, None) => None,
        _ => {
            return Err(CliError::new(
                "pull.certificate and pull.key belong together, and one is not set",
            ));
        }
    };
    let pull = PullSettings {
        listen,
        url: url.to_owned(),
        certificate,
        plain_http: settings.pull_plain_http(),
    };
    match pull.check() {
        Ok(()) => Ok(Some(pull)),
        Err(error) => Err(CliError::new(error.to_string()).hint("docs/pull.md")),
    }
}

/// Permission bits.
fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text.trim_start_matches("0o"), 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err("write it in octal: 0644".to_owned()),
    }
}

impl ReadsInput for Args {
    fn claims(&self) -> Vec<&'static str> {
        let stdin = self.sources().iter().filter(|path| *path == Path::new("-"));
        stdin.map(|_| "the source -").collect()
    }
}

impl Args {
    fn sources(&self) -> &[PathBuf] {
        self.operands
            .split_last()
            .map_or(&[], |(_, sources)| sources)
    }

    fn options(&self, setup: &Setup) -> Result<UploadOptions, CliError> {
        let (user, group) = match self.files.owner.as_deref().map(|both| both.split_once(':')) {
            Some(Some((user, group))) => (Some(user), Some(group)),
            _ => (self.files.owner.as_deref(), None),
        };
        let via = match self.files.via.as_str() {
            "push" => Way::Push,
            "pull" => Way::Pull,
            _ => Way::Auto,
        };
        let pull = match via {
            Way::Push => None,
            Way::Auto | Way::Pull => pull_settings(setup)?,
        };
        if via == Way::Pull && pull.is_none() {
            return Err(CliError::new("--via pull: pull mode is not set up")
                .hint("set pull.listen and pull.url; docs/pull.md"));
        }
        Ok(UploadOptions {
            mode: self.files.mode,
            owner: user.filter(|user| !user.is_empty()).map(str::to_owned),
            group: group.filter(|group| !group.is_empty()).map(str::to_owned),
            times: self.files.times,
            backup: self.files.backup.then(super::transfer::backup_ending),
            force: self.transfer.force,
            mkdir: self.files.mkdir,
            delete: self.files.delete,
            algorithm: self.transfer.algorithm(),
            act: self.transfer.act(),
            diff: self.files.diff,
            via,
            pull,
        })
    }
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    has_one_reader(&[args, &args.selection, &args.connection, &args.vaults])?;
    let pattern = args.selection.group.clone();
    if pattern.is_none() && !args.rerun.wanted() {
        return Err(CliError::new("which hosts? no pattern was given")
            .hint("iomsctl upload -g PATTERN SRC... DEST"));
    }
    let dest = destination(args)?;
    let shown: Vec<String> = args
        .operands
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let shown = quote::words(&shown);
    let earlier = args.rerun.look_up(&mut setup)?;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        pattern.as_deref(),
        earlier.as_ref(),
    )?;
    let handed = Handed::default();
    let collected = if args.output.list_hosts {
        nothing()
    } else {
        collect(args, &setup, &handed, chosen.hosts.len())?
    };
    confirm_removal(args, &chosen)?;
    let order = Upload::new(
        collected,
        dest,
        args.options(&setup)?,
        args.transfer.meter(),
    );
    let status = perform::perform(
        &setup,
        Work {
            verb: "upload",
            command: Some(shown),
            pattern,
            chosen,
            task: engine::Work::Upload(Arc::new(order)),
            fleet,
            connection: &args.connection,
            limits: &args.limits,
            output: &args.output,
            overrides: args.transfer.overrides()?,
            listener: Some(Box::new(handed.clone())),
        },
    )?;
    // (`--check` says what would be sent, and gives nobody anything.)
    let gives = args.transfer.act() == Act::Send;
    if gives && let Err(error) = handed.keep(&setup) {
        setup.warn(&format!(
            "who was given the file could not be noted: {}",
            error.message
        ));
    }
    Ok(status)
}

/// A mirror takes away what only the hosts have.
fn confirm_removal(args: &Args, chosen: &Chosen) -> Result<(), CliError> {
    let removes = args.files.delete && args.transfer.act() == Act::Send;
    let contacts = !args.output.dry_run && !args.output.list_hosts && !chosen.hosts.is_empty();
    if !removes || !contacts {
        return Ok(());
    }
    let hosts = match chosen.hosts.len() {
        1 => "1 host".to_owned(),
        many => format!("{many} hosts"),
    };
    let dest = args.operands.last().map(|dest| dest.display().to_string());
    let dest = dest.unwrap_or_default();
    confirm(
        &format!("--delete removes what is in {dest} on {hosts} and not here. Go on?"),
        args.output.yes,
    )
}

fn nothing() -> Collected {
    Collected {
        entries: Vec::new(),
        name: None,
    }
}

fn destination(args: &Args) -> Result<String, CliError> {
    let dest = args.operands.last().and_then(|path| path.to_str());
    match dest {
        Some("") | None => Err(CliError::new("DEST must be a name in UTF-8")),
        Some(dest) if dest.contains('\0') => Err(CliError::new("DEST holds a NUL character")),
        Some(dest) => Ok(dest.to_owned()),
    }
}

/// What is sent, read and hashed once, for so many hosts.
fn collect(
    args: &Args,
    setup: &Setup,
    handed: &Handed,
    hosts: usize,
) -> Result<Collected, CliError> {
    let mut given = Vec::new();
    for path in args.sources() {
        let reference = path.to_str().and_then(handed::is_of_repository);
        given.push(if path == Path::new("-") {
            Given::Opened {
                file: Arc::new(spool(setup)?),
                name: "stdin".to_owned(),
                shown: "-".to_owned(),
            }
        } else if let Some(reference) = reference {
            let opened = handed.open(setup, reference)?;
            Given::Opened {
                file: Arc::new(opened.file),
                name: opened.name,
                shown: opened.shown,
            }
        } else {
            Given::Path(path.clone())
        });
    }
    let collected = source::collect(&given, args.transfer.follow, hosts);
    let collected = collected.map_err(|error| {
        let hint = match &error {
            source::SourceError::Leaves(_) => "--follow sends what it leads to",
            source::SourceError::Twice(..) => {
                "upload them one after the other, or to folders of their own"
            }
            _ => "is the name right? it is looked for from the working folder",
        };
        CliError::new(error.to_string()).hint(hint)
    })?;
    handed.is_sound(&collected)?;
    if args.transfer.algorithm() == Algorithm::Sha256 {
        // Now, not when the first host asks.
        for entry in &collected.entries {
            if let source::EntryKind::File(content) = &entry.kind {
                content.sha256()?;
            }
        }
    }
    if args.files.delete
        && !matches!(collected.entries.first(), Some(first) if first.name.is_empty() && matches!(first.kind, source::EntryKind::Folder))
    {
        return Err(CliError::new("--delete mirrors one folder")
            .hint("give a folder as the only source: iomsctl upload --delete site/ /srv/site"));
    }
    Ok(collected)
}

/// Standard input as a file of the data folder: it may be of any size, and is sent many times.
fn spool(setup: &Setup) -> Result<std::fs::File, CliError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let fail = |error: std::io::Error| CliError::new(format!("standard input: {error}"));
    setup.make_data_dir().map_err(fail)?;
    let path = setup
        .data_dir()
        .join(format!("stdin-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(fail)?;
    // It lives as long as it is open.
    std::fs::remove_file(&path).map_err(fail)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)
        .and_then(|_| file.flush())
        .map_err(fail)?;
    Ok(file)
}
