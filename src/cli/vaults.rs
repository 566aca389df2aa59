//! The flags that say where vault passwords come from, and the vault of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::named_file;
use super::standard_input::{ReadsInput, among};
use crate::base::prompt::Prompt;
use crate::config::{Settings, vault_id};
use crate::vault::{PasswordSource, Passwords, Vault};

/// Where vault passwords come from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Vaults")]
pub struct VaultArgs {
    /// File that holds the vault password, or a program that prints it; `-`: standard input
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,
    /// A labelled vault password: LABEL@FILE or LABEL@prompt
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,
    /// Ask for the vault password
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    pub ask_vault_pass: bool,
}

impl ReadsInput for VaultArgs {
    fn claims(&self) -> Vec<&'static str> {
        let files = self.vault_password_file.iter();
        let files = files.map(|file| ("--vault-password-file -", Some(file.as_path())));
        let mut claims = among(&files.collect::<Vec<_>>());
        let ids = self.vault_id.iter();
        let ids = ids.filter(|id| id.rsplit('@').next() == Some("-"));
        claims.extend(ids.map(|_| "--vault-id LABEL@-"));
        claims
    }
}

impl VaultArgs {
    /// These flags, or those of another where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let says_nothing =
            self.vault_password_file.is_empty() && self.vault_id.is_empty() && !self.ask_vault_pass;
        if says_nothing { other } else { self }
    }

    /// The vault: flags first, then the settings. Nothing is read before it is needed.
    pub fn vault(&self, settings: &Settings, prompt: &Arc<dyn Prompt>) -> Vault {
        Vault::new(self.passwords(settings, prompt))
    }

    /// Where its passwords come from.
    pub fn passwords(&self, settings: &Settings, prompt: &Arc<dyn Prompt>) -> Passwords {
        let mut passwords = Passwords::default();
        let ids = self.vault_id.iter().map(|id| vault_id(id, named_file));
        for id in ids.chain(settings.vault_ids().iter().cloned()) {
            passwords.add_id(&id, prompt);
        }
        let files = self.vault_password_file.iter();
        let files = files.map(|file| named_file(&file.to_string_lossy()));
        for file in files.chain(settings.vault_password_file().map(Path::to_owned)) {
            passwords.add_default(PasswordSource::File(file));
        }
        if self.ask_vault_pass {
            passwords.add_default(PasswordSource::Ask(prompt.clone()));
        }
        passwords
    }
}
