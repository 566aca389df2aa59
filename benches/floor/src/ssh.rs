//! The floor of an SSH fan-out: what the library, the cryptography and the kernel cost, and nothing
//! else. Connects to every host, compares its key, logs in, runs a command, and keeps what it
//! prints; algorithms, crypto provider and concurrency are iomsctl's (`transport/ssh/`).

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use russh::keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect, Limits, Preferred, cipher, client, kex};

use crate::Tally;

/// How hosts are reached.
#[derive(Args)]
pub(crate) struct Ssh {
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
pub(crate) enum Error {
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
    cli: Ssh,
    config: Arc<client::Config>,
    key: PrivateKeyWithHashAlg,
    known: HashMap<String, PublicKey>,
}

/// Runs the command on all hosts.
pub(crate) async fn run(cli: Ssh) -> Result<Tally, Error> {
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
    let one = |address| host(run.clone(), address);
    Ok(crate::fan_out(&hosts, run.cli.forks, one).await)
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
