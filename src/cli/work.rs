//! The flags that say what a command gets: standard input, environment, folder, terminal.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::standard_input::{ReadsInput, among};
use super::targets::Overrides;
use crate::base::text::Charset;
use crate::shell::{Command, Plan, Stdin};
use crate::target::ShellKind;

/// No larger input is taken from a pipe; a file may have any size.
const PIPED_MAX: u64 = 256 << 20;

/// What a command gets.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Command")]
pub struct WorkArgs {
    /// What the command reads, on every host; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub stdin: Option<PathBuf>,
    /// Set a variable: NAME=VALUE, or NAME to pass your own on
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,
    /// The folder to work in
    #[arg(long, value_name = "DIR")]
    pub chdir: Option<String>,
    /// Give it a terminal
    #[arg(long)]
    pub tty: bool,
    /// The folder for scripts on the hosts [default: $TMPDIR or /tmp there]
    #[arg(long, value_name = "DIR")]
    pub tmpdir: Option<String>,
    /// The shell that reads the command line: sh, cmd, powershell [default: the account's]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<String>,
    /// The encoding of what the command prints: gbk, cp437, utf-16le [default: found]
    #[arg(long, value_name = "NAME")]
    pub output_encoding: Option<String>,
}

impl ReadsInput for WorkArgs {
    fn claims(&self) -> Vec<&'static str> {
        among(&[("--stdin -", self.stdin.as_deref())])
    }
}

impl WorkArgs {
    /// The plan for a command.
    pub fn plan(&self, command: Command) -> Result<Plan, CliError> {
        Ok(Plan {
            command,
            env: self
                .env
                .iter()
                .map(|each| variable(each))
                .collect::<Result<_, _>>()?,
            chdir: self.chdir.clone(),
            tty: self.tty,
            stdin: self.input()?,
            detach: false,
        })
    }

    /// What `--shell`, `--tmpdir` and `--output-encoding` say of every target.
    pub fn overrides(&self) -> Result<Overrides, CliError> {
        let shell = shell_kind(self.shell.as_deref())?;
        let encoding = self
            .output_encoding
            .as_deref()
            .map(|label| {
                Charset::from_label(label).ok_or_else(|| {
                    CliError::new(format!("--output-encoding {label}: no such encoding"))
                        .hint("write a name or a code page: gbk, cp850, 1251, utf-8")
                })
            })
            .transpose()?;
        Ok(Overrides {
            shell,
            tmpdir: self.tmpdir.clone(),
            encoding,
        })
    }

    fn input(&self) -> Result<Stdin, CliError> {
        let Some(path) = &self.stdin else {
            return Ok(Stdin::Empty);
        };
        if path == Path::new("-") {
            return whole(std::io::stdin().lock()).map_err(|error| {
                CliError::new(format!("standard input: {error}"))
                    .hint("give it as a file: --stdin FILE")
            });
        }
        let fail =
            |error: std::io::Error| CliError::new(format!("--stdin {}: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_file() && metadata.len() > 1 << 20 {
            return Ok(Stdin::File {
                path: path.clone(),
                size: metadata.len(),
            });
        }
        // Read once, shared by all hosts.
        whole(file).map_err(fail)
    }
}

/// The shell that `--shell` names.
pub fn shell_kind(name: Option<&str>) -> Result<Option<ShellKind>, CliError> {
    Ok(match name {
        None => None,
        Some("sh" | "bash" | "posix") => Some(ShellKind::Posix),
        Some("powershell" | "pwsh") => Some(ShellKind::Powershell),
        Some("cmd") => Some(ShellKind::Cmd),
        Some(other) => {
            return Err(CliError::new(format!("--shell {other}: no such shell"))
                .hint("write sh, cmd or powershell"));
        }
    })
}

/// What a pipe holds, to be given to every host.
fn whole(input: impl Read) -> std::io::Result<Stdin> {
    let mut bytes = Vec::new();
    input.take(PIPED_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PIPED_MAX {
        return Err(std::io::Error::other("it holds more than 256 MiB"));
    }
    Ok(Stdin::Bytes(bytes.into()))
}

fn variable(given: &str) -> Result<(String, String), CliError> {
    let (name, value) = match given.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => (
            given,
            std::env::var(given)
                .map_err(|_| CliError::new(format!("--env {given}: you have no such variable")))?,
        ),
    };
    let mut letters = name.chars();
    let good = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good || value.contains('\0') {
        return Err(
            CliError::new(format!("--env {name}: not a variable's name"))
                .hint("names have letters, digits and `_`, and begin with no digit"),
        );
    }
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_given_or_passed_on() {
        assert_eq!(variable("A=b=c").unwrap(), ("A".into(), "b=c".into()));
        assert_eq!(variable("PATH").unwrap().0, "PATH");
        for bad in ["1A=x", "A B=x", "=x", "IOMS_SURELY_NOT_SET", "A;rm=x"] {
            assert!(variable(bad).is_err(), "{bad}");
        }
    }
}
