//! `vault edit` and `vault create`: vault files through the user's editor.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::files::must_be_vault;
use super::replace::{self, Old};
use super::{Desk, KeyArgs, editor, not_opened};
use crate::cli::CliError;
use crate::cli::vaults::VaultArgs;
use crate::vault::{Key, Opened};

/// What to edit.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault edit group_vars/prod/vault.yml\n  EDITOR='code --wait' iomsctl vault edit --vault-id prod@prompt secrets.yml\n\nA file keeps its label and its password, its mode and its owner; --encrypt-vault-id gives it others\nof the known passwords. One that was not changed is not written."
)]
pub(super) struct EditArgs {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// What to write.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault create group_vars/prod/vault.yml\n  iomsctl vault create --vault-id prod@~/.vault-prod secrets.yml"
)]
pub(super) struct CreateArgs {
    /// The file, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// A file that is open, and what it will be encrypted with.
struct Edited<'a> {
    path: &'a Path,
    sealed: Zeroizing<Vec<u8>>,
    opened: Opened,
    key: Key,
}

pub(super) fn edit(desk: &Desk, args: &EditArgs) -> Result<(), CliError> {
    let vault = desk.vault(&args.vault);
    let new_key = args.key.encrypt_vault_id.as_deref();
    let new_key = new_key.map(|_| desk.key(&vault, &args.key)).transpose()?;
    // All passwords are asked for before the first editor.
    let mut all = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        let fail = |error: std::io::Error| CliError::new(format!("{name}: {error}"));
        let sealed = replace::read(path).map_err(fail)?;
        must_be_vault(&name, &sealed)?;
        replace::replaceable(path).map_err(fail)?;
        let opened = vault.open(&sealed);
        let opened = opened.map_err(|error| not_opened(&name, &sealed, error))?;
        let key = new_key.clone().unwrap_or_else(|| opened.key.clone());
        all.push(Edited {
            path,
            sealed,
            opened,
            key,
        });
    }
    all.iter().try_for_each(|each| edit_one(desk, each))
}

fn edit_one(desk: &Desk, file: &Edited) -> Result<(), CliError> {
    let name = file.path.display();
    let text = editor::edit(&file.opened.plain, file.path)?;
    if *text == **file.opened.plain && file.key == file.opened.key {
        desk.setup.note(&format!("{name} was not changed"));
        return Ok(());
    }
    let sealed = file.key.encrypt(&*text);
    let done = replace::replace(file.path, &file.sealed, sealed.as_bytes(), Old::Sealed);
    let Err(error) = done else {
        desk.setup.note(&format!("{name} is written"));
        return Ok(());
    };
    let error = CliError::new(format!("{name}: {error}"));
    // What was typed must not be lost.
    let mut aside = file.path.as_os_str().to_owned();
    aside.push(".edited");
    let aside = PathBuf::from(aside);
    match replace::create(&aside, sealed.as_bytes()) {
        Ok(()) => Err(error.hint(format!(
            "what was edited is in {}, encrypted",
            aside.display()
        ))),
        Err(_) => Err(error),
    }
}

pub(super) fn create(desk: &Desk, args: &CreateArgs) -> Result<(), CliError> {
    let name = args.file.display();
    if args.file.symlink_metadata().is_ok() {
        return Err(CliError::new(format!("{name} is there already"))
            .hint("`iomsctl vault edit` edits it, `iomsctl vault encrypt` encrypts a clear file"));
    }
    let folder = args.file.parent().filter(|it| *it != Path::new(""));
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)
            .map_err(|error| CliError::new(format!("{}: {error}", folder.display())))?;
    }
    let key = desk.key(&desk.vault(&args.vault), &args.key)?;
    let text = editor::edit(&[], &args.file)?;
    replace::create(&args.file, key.encrypt(&*text).as_bytes())
        .map_err(|error| CliError::new(format!("{name}: {error}")))?;
    desk.setup.note(&format!("{name} is written"));
    Ok(())
}
