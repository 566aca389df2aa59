//! The floor of a fan-out: a bare loop over hosts, to measure iomsctl against.

mod ssh;
mod winrm;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use futures::{StreamExt as _, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Runs a command on hosts with as little as that takes.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    by: By,
}

#[derive(Subcommand)]
enum By {
    /// Over SSH
    Ssh(ssh::Ssh),
    /// Over `WinRM`: sealed messages over HTTP
    Winrm(winrm::Winrm),
}

/// How many hosts went well and how many did not.
struct Tally {
    ok: usize,
    failed: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    raise_file_limit();
    let tally = match Cli::parse().by {
        By::Ssh(options) => ssh::run(options).await.map_err(|error| error.to_string()),
        By::Winrm(options) => winrm::run(options).await.map_err(|error| error.to_string()),
    };
    match tally {
        Ok(Tally { ok, failed }) => {
            let _ = writeln!(io::stdout(), "ok={ok} failed={failed}");
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "floor: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does something with every host, one a line, `forks` at a time.
async fn fan_out<F, E>(hosts: &str, forks: usize, one: impl Fn(String) -> F) -> Tally
where
    F: Future<Output = Result<Vec<u8>, E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let done = stream::iter(hosts.lines().map(str::to_owned))
        .map(|address| tokio::spawn(one(address)))
        .buffer_unordered(forks);
    let mut tally = Tally { ok: 0, failed: 0 };
    let mut done = std::pin::pin!(done);
    while let Some(result) = done.next().await {
        match result {
            Ok(Ok(_output)) => tally.ok += 1,
            Ok(Err(error)) => {
                tally.failed += 1;
                let _ = writeln!(io::stderr(), "{error}");
            }
            Err(_) => tally.failed += 1,
        }
    }
    tally
}

fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Fewer connections then.
    let _ = setrlimit(Resource::Nofile, raised);
}
