//! The flags that say how hosts are reached.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::CliError;
use super::standard_input::{ReadsInput, among};
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;
use crate::target::{Flags, HostKeyMode};

/// How hosts are reached; inventory variables are stronger.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection options")]
pub struct ConnectionArgs {
    /// Log in as this user
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Ask for the password of the connection
    #[arg(short = 'k', long, conflicts_with = "connection_password_file")]
    pub ask_pass: bool,
    /// File that holds the password of the connection; `-`: standard input
    #[arg(long, value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,
    /// Private key to log in with
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<String>,
    /// Kind of connection: ssh, winrm, psrp (read as winrm) or local
    #[arg(short, long, value_name = "KIND")]
    pub connection: Option<String>,
    /// Time for each attempt at connecting
    #[arg(short = 'T', long, value_name = "TIME")]
    pub connect_timeout: Option<String>,
    /// What to do with host keys and WinRM certificates that are not on record
    #[arg(long, value_name = "MODE")]
    pub host_key: Option<HostKeyArg>,
    /// Arguments of ssh for every host: -o, -J, -F, -i, -p
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// More arguments of ssh
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// `ssh_config` file in place of the usual ones; `none`: no file
    #[arg(short = 'F', long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Do the work as another user
    #[arg(short, long)]
    pub r#become: bool,
    /// That user; root unless said, on Windows SYSTEM
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// By sudo, su, doas or runas [default: sudo, on Windows runas]
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Ask for the password of becoming
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,
    /// File that holds the password of becoming; `-`: standard input
    #[arg(long, value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,
}

/// `--host-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HostKeyArg {
    /// Unknown keys are errors
    Strict,
    /// Unknown keys are learnt, changed ones are errors
    AcceptNew,
    /// Nothing is checked
    Off,
}

impl ReadsInput for ConnectionArgs {
    fn claims(&self) -> Vec<&'static str> {
        among(&[
            (
                "--connection-password-file -",
                self.connection_password_file.as_deref(),
            ),
            (
                "--become-password-file -",
                self.become_password_file.as_deref(),
            ),
        ])
    }
}

impl ConnectionArgs {
    /// These flags, and those of another where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let asks = self.ask_pass || self.connection_password_file.is_some();
        let asks_to_become = self.ask_become_pass || self.become_password_file.is_some();
        Self {
            user: self.user.or(other.user),
            ask_pass: self.ask_pass || (other.ask_pass && !asks),
            connection_password_file: self
                .connection_password_file
                .or(other.connection_password_file.filter(|_| !asks)),
            private_key: self.private_key.or(other.private_key),
            connection: self.connection.or(other.connection),
            connect_timeout: self.connect_timeout.or(other.connect_timeout),
            host_key: self.host_key.or(other.host_key),
            ssh_common_args: self.ssh_common_args.or(other.ssh_common_args),
            ssh_extra_args: self.ssh_extra_args.or(other.ssh_extra_args),
            ssh_config: self.ssh_config.or(other.ssh_config),
            r#become: self.r#become || other.r#become,
            become_user: self.become_user.or(other.become_user),
            become_method: self.become_method.or(other.become_method),
            ask_become_pass: self.ask_become_pass || (other.ask_become_pass && !asks_to_become),
            become_password_file: self
                .become_password_file
                .or(other.become_password_file.filter(|_| !asks_to_become)),
        }
    }

    /// The flags as the resolver takes them; asks for passwords where told to. `ask_become`: the
    /// settings say so of the password of becoming.
    pub fn flags(&self, prompt: &dyn Prompt, ask_become: bool) -> Result<Flags, CliError> {
        let ask_become = ask_become && self.become_password_file.is_none();
        Ok(Flags {
            user: self.user.clone(),
            password: password(
                self.ask_pass,
                self.connection_password_file.as_deref(),
                "Connection password",
                prompt,
            )?,
            private_key: self.private_key.clone(),
            connection: self.connection.clone(),
            connect_timeout: self
                .connect_timeout
                .as_deref()
                .map(crate::base::quantity::duration)
                .transpose()?,
            host_key: self.host_key.map(|mode| match mode {
                HostKeyArg::Strict => HostKeyMode::Strict,
                HostKeyArg::AcceptNew => HostKeyMode::AcceptNew,
                HostKeyArg::Off => HostKeyMode::Off,
            }),
            r#become: self.r#become,
            become_user: self.become_user.clone(),
            become_method: self.become_method.clone(),
            become_password: password(
                self.ask_become_pass || ask_become,
                self.become_password_file.as_deref(),
                "Become password",
                prompt,
            )?,
            ssh_common_args: self.ssh_common_args.clone(),
            ssh_extra_args: self.ssh_extra_args.clone(),
            shell: None,
        })
    }
}

fn password(
    ask: bool,
    file: Option<&Path>,
    question: &str,
    prompt: &dyn Prompt,
) -> Result<Option<Secret>, CliError> {
    if ask {
        return Ok(Some(prompt.secret(question)?));
    }
    let Some(path) = file else { return Ok(None) };
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    let text =
        text.map_err(|error| CliError::new(format!("{}: can't be read: {error}", path.display())))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
}
