//! `iomsctl vault`: what ansible-vault does. Here are its verbs, and what they share: where passwords
//! come from, and what is said when one does not fit. Plain text and passwords never come from an
//! argument, which every process of the machine could read.

mod edit;
mod editor;
mod files;
mod replace;
mod strings;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use clap::builder::{PathBufValueParser, TypedValueParser as _};

use super::ask::Terminal;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Output, Setup, Status};
use crate::base::prompt::Prompt;
use crate::vault::{Key, PasswordSource, Passwords, Vault, VaultError, label};

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl vault encrypt group_vars/prod/vault.yml\n  iomsctl vault edit group_vars/prod/vault.yml\n  iomsctl vault view --vault-id prod@~/.vault-prod group_vars/prod/vault.yml\n  iomsctl vault encrypt-string --name db_password\n\nWithout --vault-password-file, --vault-id, --ask-vault-pass and a setting the password is asked for.\nFiles are written as ansible-vault writes them, and each reads the other's."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Encrypt files where they are, or standard input
    Encrypt(files::EncryptArgs),
    /// Decrypt files where they are, or standard input
    Decrypt(files::DecryptArgs),
    /// Print what vault files hold
    View(files::ViewArgs),
    /// Give vault files another password
    Rekey(files::RekeyArgs),
    /// Edit vault files with $EDITOR
    Edit(edit::EditArgs),
    /// Write a new vault file with $EDITOR
    Create(edit::CreateArgs),
    /// Encrypt values, to be pasted into YAML
    #[command(alias = "encrypt_string")]
    EncryptString(strings::StringArgs),
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let desk = Desk {
        setup: Setup::new(globals)?,
        prompt: Arc::new(Terminal),
    };
    match args.verb {
        Verb::Encrypt(args) => files::encrypt(&desk, &args),
        Verb::Decrypt(args) => files::decrypt(&desk, &args),
        Verb::View(args) => files::view(&desk, &args),
        Verb::Rekey(args) => files::rekey(&desk, &args),
        Verb::Edit(args) => edit::edit(&desk, &args),
        Verb::Create(args) => edit::create(&desk, &args),
        Verb::EncryptString(args) => strings::encrypt(&desk, &args),
    }?;
    Ok(Status::OK)
}

/// Which password to encrypt with.
#[derive(Debug, Default, clap::Args)]
struct KeyArgs {
    /// Label of the password to encrypt with, where there are several
    #[arg(long, value_name = "LABEL", help_heading = "Vaults")]
    encrypt_vault_id: Option<String>,
}

/// Where the result goes. Takes the place of the `--output` of all verbs, by its id.
#[derive(Debug, Default, clap::Args)]
struct OutputArgs {
    /// Write the result there; `-`: to standard output
    #[arg(
        id = "output",
        long = "output",
        value_name = "FILE",
        value_parser = PathBufValueParser::new().map(Output::File)
    )]
    to: Option<Output>,
}

impl OutputArgs {
    fn file(&self) -> Option<&PathBuf> {
        match &self.to {
            Some(Output::File(file)) => Some(file),
            _ => None,
        }
    }
}

/// The settings, and whom to ask.
struct Desk {
    setup: Setup,
    prompt: Arc<dyn Prompt>,
}

impl Desk {
    /// With nothing said of a password it is asked for.
    fn vault(&self, args: &VaultArgs) -> Vault {
        self.or_ask(args.passwords(&self.setup.settings, &self.prompt))
    }

    fn or_ask(&self, mut passwords: Passwords) -> Vault {
        if passwords.is_empty() {
            passwords.add_default(PasswordSource::Ask(self.prompt.clone()));
        }
        Vault::new(passwords)
    }

    /// What to encrypt with.
    fn key(&self, vault: &Vault, args: &KeyArgs) -> Result<Key, CliError> {
        let label = args.encrypt_vault_id.as_deref();
        let label = label.or(self.setup.settings.vault_encrypt_id());
        vault.key(label).map_err(no_key)
    }
}

fn no_key(error: VaultError) -> CliError {
    let hint = match &error {
        VaultError::WhichLabel(_) | VaultError::UnknownLabel { .. } => {
            "--encrypt-vault-id says which to encrypt with"
        }
        VaultError::Password(_) => {
            "--vault-password-file names a file that holds it, or a program that prints it"
        }
        _ => return error.into(),
    };
    CliError::from(error).hint(hint)
}

/// A vault that does not open, by its name.
fn not_opened(name: &str, content: &[u8], error: VaultError) -> CliError {
    let label = label(content).filter(|label| !label.is_empty());
    let hint = match (&error, label) {
        (VaultError::WrongPassword, Some(label)) => {
            format!("its label is `{label}`: --vault-id {label}@FILE gives its password")
        }
        (VaultError::WrongPassword, None) => {
            "give its password by --vault-password-file, --vault-id or -J".to_owned()
        }
        (VaultError::Password(_), _) => {
            "--vault-password-file names a file that holds it, or a program that prints it"
                .to_owned()
        }
        _ => String::new(),
    };
    let text = match &error {
        VaultError::Password(_) => format!("{name}: {error}"),
        _ => format!("{name} {error}"),
    };
    let error = CliError::new(text);
    if hint.is_empty() {
        error
    } else {
        error.hint(hint)
    }
}
