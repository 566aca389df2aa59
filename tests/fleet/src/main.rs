//! `ioms-fleet`: brings a part of the test bed up and keeps it until standard input ends or a
//! signal comes.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ioms_fleet::failing::{Line, Proxy};
use ioms_fleet::windows::{Language, Tier};
use ioms_fleet::{Answer, Base, Canned, Error, Output, Sshd, SystemFleet, SystemHost, Windows};
use tokio::signal::unix::{SignalKind, signal};

/// Brings up a fleet on loopback addresses, says when it is ready, and takes it down at the end.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    fleet: Fleet,
}

#[derive(Subcommand)]
enum Fleet {
    /// Real OpenSSH hosts
    Sshd {
        #[command(flatten)]
        common: Common,
        /// How many of the hosts, the last ones, are down
        #[arg(long, value_name = "N", default_value_t = 0)]
        down: usize,
        /// Each host has a home of its own, `homes/ADDRESS` in the folder
        #[arg(long)]
        homes: bool,
    },
    /// Hosts that run nothing and answer every command the same, by the ten thousand
    Canned {
        #[command(flatten)]
        common: Common,
        /// What commands print
        #[arg(long, default_value = "ok\n")]
        text: String,
        /// Rather print so many bytes
        #[arg(long, value_name = "N", conflicts_with = "text")]
        bytes: Option<u64>,
        /// How long commands take
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
        delay_ms: u64,
        /// Execute nothing: files by SFTP are all there is
        #[arg(long)]
        only_sftp: bool,
    },
    /// A line to a host that is far or slow, or cut
    Proxy {
        /// The host
        #[arg(long, value_name = "ADDRESS:PORT")]
        to: SocketAddr,
        /// The near end; port 0: a free one, which is said
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// How long everything takes, each way: half the round trip (25ms, 1s)
        #[arg(long, value_parser = duration, default_value = "0ms")]
        delay: Duration,
        /// Bytes a second, each way (300k, 2M)
        #[arg(long, value_parser = bytes)]
        rate: Option<u64>,
        /// Cut each connection after so many bytes, both ways together
        #[arg(long, value_parser = bytes)]
        cut_after: Option<u64>,
        /// Go on when standard input ends, until a signal comes
        #[arg(long)]
        detach_stdin: bool,
    },
    /// Whole Debian systems: systemd, cron, sshd, sudo, apt. Needs root, debootstrap, systemd-container
    ///
    /// Hosts sys01, sys02, ... in DIR/inventory.yml; users root, ops (sudo without password), dev (sudo
    /// with the one in DIR/password), app. The first start of a machine makes the base, in a minute
    /// (`IOMS_TEST_BASE` names where it is kept, else target/ioms-base); later ones take a second.
    ///
    ///   ioms-fleet system --hosts 2 --dir /tmp/sys --detach-stdin &
    ///   iomsctl -i /tmp/sys/inventory.yml run all 'systemctl is-system-running'
    ///   find /tmp/sys/hosts/sys01/upper     what differs from the base
    ///   cat /tmp/sys/hosts/sys01/console    what the boot said
    #[command(verbatim_doc_comment)]
    System(System),
    /// Windows hosts behind WinRM, for `Administrator`
    Windows {
        #[command(flatten)]
        common: Common,
        /// How commands run
        #[arg(long, value_enum, default_value = "sh")]
        exec: Runs,
        /// The inventory says HTTPS rather than sealed messages over HTTP
        #[arg(long)]
        https: bool,
        /// Options of the server: --cbt=strict, ... (python -m server --help)
        #[arg(last = true, value_name = "OPTION")]
        options: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Runs {
    /// With /bin/sh
    Sh,
    /// In Wine, as an English Windows
    Wine,
    /// In Wine, as a Chinese Windows, code page 936
    WineZh,
}

#[derive(Args)]
struct System {
    #[command(flatten)]
    common: Common,
    /// With python3 and python3-apt, for Ansible
    #[arg(long)]
    oracle: bool,
    /// Each host has a network of its own, for firewalls and net sysctls, without the internet
    #[arg(long)]
    private_network: bool,
    /// The user of the inventory
    #[arg(long, default_value = "root")]
    user: String,
}

impl System {
    async fn run(self) -> Result<(), Error> {
        let mut builder = SystemFleet::builder().folder(&self.common.dir);
        if self.oracle {
            builder = builder.base(Base::Oracle);
        }
        if self.private_network {
            builder = builder.private_network();
        }
        let fleet = builder.start(self.common.hosts)?;
        let inventory = fleet.dir().join("inventory.yml");
        fleet.write_inventory_as(&self.user, &inventory)?;
        let password = fleet.dir().join("password");
        std::fs::write(&password, fleet.password()).map_err(stdio)?;
        let port = fleet.hosts().first().map_or(0, SystemHost::port);
        ready(port, &inventory, fleet.key(), &fleet.known_hosts())?;
        the_end(self.common.detach_stdin).await
    }
}

#[derive(Args)]
struct Common {
    /// How many hosts the inventory has
    #[arg(long, value_name = "N")]
    hosts: usize,
    /// The folder for everything: keys, logs, inventory, known hosts
    #[arg(long)]
    dir: PathBuf,
    /// Go on when standard input ends, until a signal comes
    #[arg(long)]
    detach_stdin: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ioms-fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Error> {
    match cli.fleet {
        Fleet::Sshd {
            common,
            down,
            homes,
        } => {
            let builder = Sshd::builder().folder(&common.dir);
            let fleet = builder
                .homes(if homes { common.hosts } else { 0 })
                .start()?;
            let inventory = fleet.dir().join("inventory.yml");
            fleet.write_inventory_with_down(common.hosts, down, &inventory)?;
            let known_hosts = fleet.write_known_hosts(common.hosts)?;
            ready(fleet.port(), &inventory, fleet.key(), &known_hosts)?;
            the_end(common.detach_stdin).await
        }
        Fleet::Canned {
            common,
            text,
            bytes,
            delay_ms,
            only_sftp,
        } => {
            let answer = Answer {
                output: bytes.map_or(Output::Text(text), Output::Bytes),
                delay: Duration::from_millis(delay_ms),
                ..Answer::default()
            };
            let fleet = Canned::start(answer, Some(&common.dir))?;
            if only_sftp {
                fleet.files().alone();
            }
            let inventory = fleet.dir().join("inventory.yml");
            fleet.write_inventory(common.hosts, &inventory)?;
            let known_hosts = fleet.write_known_hosts(common.hosts)?;
            ready(fleet.port(), &inventory, fleet.key(), &known_hosts)?;
            the_end(common.detach_stdin).await
        }
        Fleet::Proxy {
            to,
            listen,
            delay,
            rate,
            cut_after,
            detach_stdin,
        } => {
            let line = Line {
                delay,
                rate,
                cut_after,
            };
            let proxy = Proxy::start_at(listen, to, line)?;
            say(&format!("ready port={}\n", proxy.port()))?;
            the_end(detach_stdin).await
        }
        Fleet::System(system) => system.run().await,
        Fleet::Windows {
            common,
            exec,
            https,
            options,
        } => {
            let tier = match exec {
                Runs::Sh => Tier::Sh,
                Runs::Wine => Tier::Wine(Language::En),
                Runs::WineZh => Tier::Wine(Language::Zh),
            };
            let builder = Windows::builder().tier(tier).folder(&common.dir);
            let builder = options
                .iter()
                .fold(builder, |builder, one| builder.flag(one));
            let windows = builder.start()?;
            let vars = if https {
                String::new()
            } else {
                windows.over_http()
            };
            let inventory = windows.dir().join("inventory.yml");
            windows.write_inventory(common.hosts, &inventory, &vars)?;
            let password = windows.dir().join("password");
            std::fs::write(&password, windows.password()).map_err(stdio)?;
            say(&format!(
                "ready http={} https={} inventory={} ca={} password={} log={}\n",
                windows.http(),
                windows.https(),
                inventory.display(),
                windows.ca().display(),
                password.display(),
                windows.dir().join("log").display(),
            ))?;
            the_end(common.detach_stdin).await
        }
    }
}

/// `25ms`, `2s`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit): (&str, fn(u64) -> Duration) = match text.strip_suffix("ms") {
        Some(number) => (number, Duration::from_millis),
        None => (text.strip_suffix('s').unwrap_or(text), Duration::from_secs),
    };
    number
        .parse()
        .map(unit)
        .map_err(|_| "a duration is like 25ms or 2s".to_owned())
}

/// `100`, `300k`, `2M`.
fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1 << 10),
        None => match text.strip_suffix('M') {
            Some(number) => (number, 1 << 20),
            None => (text, 1),
        },
    };
    number
        .parse::<u64>()
        .map(|number| number * unit)
        .map_err(|_| "a number of bytes is like 100, 300k or 2M".to_owned())
}

/// The one line by which a caller knows where everything is.
fn ready(port: u16, inventory: &Path, key: &Path, known_hosts: &Path) -> Result<(), Error> {
    say(&format!(
        "ready port={port} inventory={} key={} known_hosts={}\n",
        inventory.display(),
        key.display(),
        known_hosts.display()
    ))
}

fn say(line: &str) -> Result<(), Error> {
    let mut out = io::stdout();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .map_err(stdio)
}

/// Waits for the end of standard input, unless `detached`, or for a signal.
async fn the_end(detached: bool) -> Result<(), Error> {
    let (ended, end) = tokio::sync::oneshot::channel();
    if detached {
        std::mem::forget(ended);
    } else {
        // A thread: tokio's standard input would keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        });
    }
    let mut term = signal(SignalKind::terminate()).map_err(stdio)?;
    let mut int = signal(SignalKind::interrupt()).map_err(stdio)?;
    let mut hup = signal(SignalKind::hangup()).map_err(stdio)?;
    tokio::select! {
        _ = end => {}
        _ = term.recv() => {}
        _ = int.recv() => {}
        _ = hup.recv() => {}
    }
    Ok(())
}

fn stdio(source: io::Error) -> Error {
    Error::Io {
        what: "ioms-fleet".to_owned(),
        source,
    }
}
