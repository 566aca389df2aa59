//! The floor of an SSH fan-out: what the library, the cryptography and the kernel cost, and nothing
//! else. Connects to every host, compares its key, logs in, runs a command, and keeps what it
//! prints; algorithms, crypto provider and concurrency are iomsctl's (`transport/ssh/`).

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures::{StreamExt as _, stream};
use russh::keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect, Limits, Preferred, cipher, client, kex};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Runs a command on hosts with as little as that takes.
#[derive(Parser)]
struct Cli {
    /// Lines `[ADDRESS]:PORT KIND KEY`
    #[arg(long, value_name = "FILE")]
    known_hosts: PathBuf,
    /// Private key to log in with
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[arg(long)]
    user: String,
    #[arg(long)]
    port: u16,
    /// One address a line
    #[arg(long, value_name = "FILE")]
    hosts_file: PathBuf,
    #[arg(long)]
    command: String,
    /// Hosts at work at a time
    #[arg(long, default_value_t = 500)]
    forks: usize,
    /// Don't offer ML-KEM
    #[arg(long)]
    no_post_quantum: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}")]
    Ssh(#[from] russh::Error),
    #[error("{0}")]
    Key(#[from] russh::keys::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not logged in")]
    Login,
    #[error("exit status {0:?}")]
    Status(Option<u32>),
}

/// One host's callbacks.
struct Host {
    known: Option<PublicKey>,
}

impl client::Handler for Host {
    type Error = Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Error> {
        Ok(match (key, &self.known) {
            (PublicKeyOrCertificate::PublicKey { key, .. }, Some(known)) => {
                key.key_data() == known.key_data()
            }
            _ => false,
        })
    }
}

/// What all hosts share.
struct Run {
    cli: Cli,
    config: Arc<client::Config>,
    key: PrivateKeyWithHashAlg,
    known: HashMap<String, PublicKey>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok((ok, failed)) => {
            let _ = writeln!(io::stdout(), "ok={ok} failed={failed}");
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "floor: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(usize, usize), Error> {
    raise_file_limit();
    let known = fs::read_to_string(&cli.known_hosts)?;
    let known = known.lines().filter_map(known_host).collect();
    let hosts = fs::read_to_string(&cli.hosts_file)?;
    let key = Arc::new(russh::keys::load_secret_key(&cli.key, None)?);
    let run = Arc::new(Run {
        config: Arc::new(config(!cli.no_post_quantum)),
        key: PrivateKeyWithHashAlg::new(key, Some(russh::keys::HashAlg::Sha512)),
        known,
        cli,
    });
    let done = stream::iter(hosts.lines().map(str::to_owned))
        .map(|address| tokio::spawn(host(run.clone(), address)))
        .buffer_unordered(run.cli.forks);
    let (mut ok, mut failed) = (0, 0);
    let mut done = std::pin::pin!(done);
    while let Some(result) = done.next().await {
        match result {
            Ok(Ok(_output)) => ok += 1,
            Ok(Err(error)) => {
                failed += 1;
                let _ = writeln!(io::stderr(), "{error}");
            }
            Err(_) => failed += 1,
        }
    }
    Ok((ok, failed))
}

/// One host from connecting to disconnecting; what it printed.
async fn host(run: Arc<Run>, address: String) -> Result<Vec<u8>, Error> {
    let name = format!("[{address}]:{}", run.cli.port);
    let handler = Host {
        known: run.known.get(&name).cloned(),
    };
    let to = (address, run.cli.port);
    let mut session = client::connect(run.config.clone(), to, handler).await?;
    let login = session
        .authenticate_publickey(run.cli.user.as_str(), run.key.clone())
        .await?;
    if !login.success() {
        return Err(Error::Login);
    }
    let mut channel = session.channel_open_session().await?;
    channel.exec(true, run.cli.command.as_str()).await?;
    let (mut output, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
                output.extend_from_slice(&data);
            }
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    session
        .disconnect(Disconnect::ByApplication, "", "")
        .await?;
    match status {
        Some(0) => Ok(output),
        other => Err(Error::Status(other)),
    }
}

fn config(post_quantum: bool) -> client::Config {
    let kex = post_quantum
        .then_some(kex::MLKEM768X25519_SHA256)
        .into_iter()
        .chain([
            kex::CURVE25519,
            kex::EXTENSION_SUPPORT_AS_CLIENT,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
        ])
        .collect();
    client::Config {
        preferred: Preferred {
            kex,
            cipher: vec![cipher::AES_128_GCM].into(),
            host_key_certificates: [].as_slice().into(),
            ..Preferred::DEFAULT
        },
        limits: Limits {
            rekey_time_limit: Duration::from_hours(24),
            ..Limits::default()
        },
        inactivity_timeout: None,
        nodelay: true,
        ..client::Config::default()
    }
}

fn known_host(line: &str) -> Option<(String, PublicKey)> {
    let (name, key) = line.split_once(' ')?;
    Some((name.to_owned(), PublicKey::from_openssh(key).ok()?))
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
