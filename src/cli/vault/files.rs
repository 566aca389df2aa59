//! `vault encrypt`, `decrypt`, `view` and `rekey`: whole files. All are read and worked out before
//! the first is written, so that a password that does not fit the third changes none.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::replace::{self, Old, whole};
use super::{Desk, KeyArgs, OutputArgs, no_key, not_opened};
use crate::cli::standard_input::{Operand, ReadsInput, among, has_one_reader};
use crate::cli::vaults::VaultArgs;
use crate::cli::{CliError, named_file, print_bytes};
use crate::config::vault_id;
use crate::vault::{Key, PasswordSource, Passwords, Vault, is_vault};

/// What to encrypt.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault encrypt group_vars/prod/vault.yml\n  iomsctl vault encrypt --vault-id prod@prompt secrets.yml keys/*.pem\n  iomsctl vault encrypt --vault-password-file ~/.vault --output - notes.txt\n  pg_dumpall --globals-only | iomsctl vault encrypt --output roles.sql.vault"
)]
pub(super) struct EncryptArgs {
    /// Files; none, or `-`: standard input, to standard output
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// What to decrypt.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault decrypt secrets.yml\n  iomsctl vault decrypt --output - secrets.yml | grep db_\n  iomsctl vault decrypt --vault-id prod@~/.vault-prod --output key.pem key.pem.vault"
)]
pub(super) struct DecryptArgs {
    /// Files; none, or `-`: standard input, to standard output
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault view group_vars/prod/vault.yml\n  iomsctl vault view secrets.yml | less"
)]
pub(super) struct ViewArgs {
    /// Files; `-`: standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    vault: VaultArgs,
}

/// What to give another password.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault rekey secrets.yml\n  iomsctl vault rekey --vault-password-file old --new-vault-password-file new group_vars/*/vault.yml\n  iomsctl vault rekey --vault-id dev@old --new-vault-id prod@prompt secrets.yml"
)]
pub(super) struct RekeyArgs {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// File that holds the new password, or a program that prints it; `-`: standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "new_vault_id",
        help_heading = "Vaults"
    )]
    new_vault_password_file: Option<PathBuf>,
    /// The new password with its label: LABEL@FILE or LABEL@prompt
    #[arg(long, value_name = "ID", help_heading = "Vaults")]
    new_vault_id: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    vault: VaultArgs,
}

/// One file, or standard input.
struct Input {
    path: Option<PathBuf>,
    content: Zeroizing<Vec<u8>>,
}

impl Input {
    fn read(path: &Path) -> Result<Self, CliError> {
        let (path, content) = if path == Path::new("-") {
            (None, whole(std::io::stdin().lock(), 0))
        } else {
            (Some(path.to_owned()), replace::read(path))
        };
        match content {
            Ok(content) => Ok(Self { path, content }),
            Err(error) => Err(CliError::new(format!("{}: {error}", name(path.as_deref())))),
        }
    }

    fn name(&self) -> String {
        name(self.path.as_deref())
    }

    fn open(&self, vault: &Vault) -> Result<crate::vault::Opened, CliError> {
        must_be_vault(&self.name(), &self.content)?;
        let opened = vault.open(&self.content);
        opened.map_err(|error| not_opened(&self.name(), &self.content, error))
    }
}

fn name(path: Option<&Path>) -> String {
    path.map_or("standard input".to_owned(), |path| {
        path.display().to_string()
    })
}

pub(super) fn must_be_vault(name: &str, content: &[u8]) -> Result<(), CliError> {
    if is_vault(content) {
        return Ok(());
    }
    Err(CliError::new(format!("{name} is not a vault"))
        .hint("`iomsctl vault encrypt` makes it one"))
}

fn inputs(files: &[PathBuf], others: &[&dyn ReadsInput]) -> Result<Vec<Input>, CliError> {
    let input = vec![PathBuf::from("-")];
    let files = if files.is_empty() { &input } else { files };
    let claims: Vec<Operand> = files
        .iter()
        .map(|file| Operand("the file -", file.to_str()))
        .collect();
    let mut readers: Vec<&dyn ReadsInput> = others.to_vec();
    readers.extend(claims.iter().map(|claim| claim as &dyn ReadsInput));
    has_one_reader(&readers)?;
    files.iter().map(|file| Input::read(file)).collect()
}

pub(super) fn encrypt(desk: &Desk, args: &EncryptArgs) -> Result<(), CliError> {
    one_output(&args.output, &args.files)?;
    let inputs = inputs(&args.files, &[&args.vault])?;
    for input in &inputs {
        if is_vault(&input.content) {
            let name = input.name();
            return Err(CliError::new(format!("{name} is encrypted already"))
                .hint("`iomsctl vault rekey` gives it another password"));
        }
    }
    let key = desk.key(&desk.vault(&args.vault), &args.key)?;
    let sealed: Vec<String> = inputs
        .iter()
        .map(|each| key.encrypt(&*each.content))
        .collect();
    for (input, sealed) in inputs.iter().zip(sealed) {
        write(desk, input, sealed.as_bytes(), &args.output, Old::Clear)?;
    }
    Ok(())
}

pub(super) fn decrypt(desk: &Desk, args: &DecryptArgs) -> Result<(), CliError> {
    one_output(&args.output, &args.files)?;
    let inputs = inputs(&args.files, &[&args.vault])?;
    let vault = desk.vault(&args.vault);
    let opened = inputs.iter().map(|input| input.open(&vault));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    for (input, opened) in inputs.iter().zip(opened) {
        write(desk, input, &opened.plain, &args.output, Old::Sealed)?;
    }
    Ok(())
}

pub(super) fn view(desk: &Desk, args: &ViewArgs) -> Result<(), CliError> {
    let vault = desk.vault(&args.vault);
    for input in inputs(&args.files, &[&args.vault])? {
        print_bytes(&input.open(&vault)?.plain)?;
    }
    Ok(())
}

pub(super) fn rekey(desk: &Desk, args: &RekeyArgs) -> Result<(), CliError> {
    let new = args.new_vault_password_file.as_deref();
    let new = Claims(among(&[("--new-vault-password-file -", new)]));
    let inputs = inputs(&args.files, &[&args.vault, &new])?;
    if inputs.iter().any(|input| input.path.is_none()) {
        return Err(CliError::new("rekey takes files, not standard input"));
    }
    let vault = desk.vault(&args.vault);
    let opened = inputs.iter().map(|input| input.open(&vault));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let key = new_key(desk, args, &vault)?;
    let sealed: Vec<String> = opened
        .iter()
        .map(|each| key.encrypt(&**each.plain))
        .collect();
    for (input, sealed) in inputs.iter().zip(sealed) {
        write(
            desk,
            input,
            sealed.as_bytes(),
            &OutputArgs::default(),
            Old::Sealed,
        )?;
    }
    Ok(())
}

struct Claims(Vec<&'static str>);

impl ReadsInput for Claims {
    fn claims(&self) -> Vec<&'static str> {
        self.0.clone()
    }
}

/// The new password; with `--encrypt-vault-id` alone one of those that are known.
fn new_key(desk: &Desk, args: &RekeyArgs, known: &Vault) -> Result<Key, CliError> {
    let label = args.key.encrypt_vault_id.as_deref();
    let mut passwords = Passwords::default();
    if let Some(id) = &args.new_vault_id {
        passwords.add_id(&vault_id(id, named_file), &desk.prompt);
    } else if let Some(file) = &args.new_vault_password_file {
        let file = named_file(&file.to_string_lossy());
        passwords.add_default(PasswordSource::File(file));
    } else if label.is_some() {
        return known.key(label).map_err(no_key);
    }
    desk.or_ask(passwords).key(label).map_err(no_key)
}

fn one_output(output: &OutputArgs, files: &[PathBuf]) -> Result<(), CliError> {
    if output.file().is_some() && files.len() > 1 {
        return Err(CliError::new("--output takes what becomes of one file")
            .hint("without it each file is replaced"));
    }
    Ok(())
}

/// Puts a result where it belongs, and says so.
fn write(
    desk: &Desk,
    input: &Input,
    result: &[u8],
    output: &OutputArgs,
    old: Old,
) -> Result<(), CliError> {
    match (output.file(), &input.path) {
        (Some(file), _) => write_to(desk, file, result),
        (None, None) => print_bytes(result),
        (None, Some(path)) => {
            let done = replace::replace(path, &input.content, result, old);
            done.map_err(|error| CliError::new(format!("{}: {error}", path.display())))?;
            desk.setup.note(&format!("{} is written", path.display()));
            Ok(())
        }
    }
}

/// Writes a result to where `--output` says.
pub(super) fn write_to(desk: &Desk, file: &Path, result: &[u8]) -> Result<(), CliError> {
    if file == Path::new("-") {
        return print_bytes(result);
    }
    let done = match std::fs::metadata(file) {
        Ok(found) if found.is_file() => replace::read(file)
            .and_then(|before| replace::replace(file, &before, result, Old::Clear)),
        // A pipe, `/dev/stdout`: nothing to replace.
        Ok(_) => std::fs::write(file, result),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => replace::create(file, result),
        Err(error) => Err(error),
    };
    done.map_err(|error| CliError::new(format!("{}: {error}", file.display())))?;
    desk.setup.note(&format!("{} is written", file.display()));
    Ok(())
}
