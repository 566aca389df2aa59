//! `iomsctl do`: one module on many hosts, without a playbook.

use std::sync::Arc;

use super::ask::Terminal;
use super::connection::ConnectionArgs;
use super::execution::OutputArgs;
use super::operands::operands;
use super::perform::{confirm_all, list, nobody};
use super::play::hosts::Chosen;
use super::play::perform::{Begin, Keeping, Work, perform};
use super::play::{ModeArgs, denied};
use super::playbooks;
use super::rerun::RerunArgs;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;
use crate::playbook::{AdHoc, Loader, TagSelection, constant_secrets};

const EXAMPLES: &str = "\
Examples:
  iomsctl do -g web ping
  iomsctl do web service name=nginx state=restarted -b
  iomsctl do web copy src=site.conf dest=/etc/nginx/conf.d/ -b --check --diff
  iomsctl do web shell 'df -h / | tail -n 1'
  iomsctl do web setup filter=ansible_memory_mb
  iomsctl do -g db user '{\"name\": \"deploy\", \"groups\": [\"adm\", \"www-data\"]}' -b

`iomsctl doc MODULE` says what a module takes. Values may be templates: {{ inventory_hostname }}.
The exit status is 0 when all is well, 2 when a host failed, 4 when one was unreachable, 6 for both.";

/// Arguments of `do`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The hosts, unless -g gives them; the module; its arguments, or a command's line
    #[arg(value_name = "PATTERN|MODULE|NAME=VALUE")]
    pub operands: Vec<String>,
    /// More arguments; of a command its words
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    let (pattern, module, mut words) = split(args)?;
    has_one_reader(&[
        &Operand("-g -", pattern.as_deref()),
        &args.selection,
        &args.connection,
        &args.vaults,
    ])?;
    words.extend(args.words.iter().cloned());
    let wanted = AdHoc {
        module: &module,
        words: &words,
    };
    let earlier = args.rerun.look_up(&mut setup)?;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        pattern.as_deref(),
        earlier.as_ref(),
    )?;
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let vault = Arc::new(args.vaults.vault(&setup.settings, &prompt));
    let mut loading = playbooks::options(&setup, vault);
    loading.extra_vars = fleet.extra_vars().values();
    let modules = loading.modules.clone();
    let mut loader = Loader::new(loading);
    let playbook = loader
        .ad_hoc(wanted)
        .map_err(|refused| CliError::new(refused.to_string()).hint("nothing was done"))?;
    for secret in constant_secrets(&playbook, &modules) {
        setup.redactor.learn(&Secret::new(secret));
    }
    let command = wanted.line();
    if args.output.list_hosts || args.output.dry_run {
        let denied = denied::at_once(&setup.settings, &playbook, &TagSelection::default());
        let hosts = &chosen.hosts;
        return list(&setup, "do", Some(&command), hosts, &args.output, denied);
    }
    if chosen.hosts.is_empty() && !args.output.allow_empty {
        return Err(nobody(&pattern));
    }
    confirm_all(&setup, "do", &command, &chosen, args.output.yes)?;
    perform(
        &setup,
        Work {
            verb: "do",
            command,
            playbooks: Vec::new(),
            has_extra_vars: !args.selection.extra_vars.is_empty(),
            pattern,
            fleet,
            playbook,
            modules,
            loader,
            selection: TagSelection::default(),
            hosts: chosen.hosts.clone(),
            chosen: Chosen::Before(chosen.hosts),
            begin: Begin::default(),
            mode: &args.mode,
            connection: &args.connection,
            form: args.output.form.clone(),
            max_output: args.output.max_output,
            allow_empty: args.output.allow_empty,
            no_log: args.output.no_log,
            keeping: Keeping::Nothing,
            prompt,
        },
    )
}

/// Pattern, module and its words. `-g` or an earlier run leaves all operands to the work.
fn split(args: &Args) -> Result<(Option<String>, String, Vec<String>), CliError> {
    let by_flag = args.selection.group.is_some() || args.rerun.wanted();
    let count = if by_flag { 1 } else { 2 };
    let (first, rest) = args.operands.split_at(count.min(args.operands.len()));
    let found = operands(
        first,
        args.selection.group.as_deref(),
        true,
        false,
        args.rerun.wanted(),
    )?;
    let module = found.work.ok_or_else(|| {
        CliError::new("what shall be done? no module was named")
            .hint("iomsctl do -g PATTERN MODULE NAME=VALUE ...; `iomsctl doc` lists the modules")
    })?;
    Ok((found.pattern, module, rest.to_vec()))
}
