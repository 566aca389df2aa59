//! The log: to standard error as `-v` asks, to a file with `--log-file`; secrets are taken out of
//! every line on its way.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use super::{CliError, Globals};
use crate::event::Redactor;

/// What is logged at `-v` to `-vvvv`: warnings, then runs and hosts, then each step, then every
/// message, then the libraries too.
fn filter(verbose: u8, quiet: bool) -> EnvFilter {
    EnvFilter::new(match (quiet, verbose) {
        (true, _) => "off",
        (false, 0) => "off,ioms=warn",
        (false, 1) => "warn,ioms=info",
        (false, 2) => "warn,ioms=debug",
        (false, 3) => "info,ioms=trace",
        // sspi's debugging shows what logins are made of.
        (false, _) => "debug,ioms=trace,russh=trace,sqlx=debug,sspi=info",
    })
}

/// Sets the log up for the process. The file gets at least the steps (`-vv`), whatever the
/// terminal shows.
pub fn start(globals: &Globals, redactor: &Arc<Redactor>) -> Result<(), CliError> {
    let terminal = fmt::layer()
        .with_writer(Redacting {
            redactor: redactor.clone(),
            inner: Sink::Stderr,
        })
        .with_ansi(false)
        .with_target(globals.verbose > 2)
        .with_filter(filter(globals.verbose, globals.quiet));
    let file = match &globals.log_file {
        None => None,
        Some(path) if path.as_os_str() == "-" => {
            return Err(
                CliError::new("--log-file -: standard output is for results")
                    .hint("-v shows the log on standard error; --log-file wants a file"),
            );
        }
        Some(path) => {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)
                .map_err(|error| {
                    CliError::new(format!("--log-file {}: {error}", path.display()))
                })?;
            let inner = Sink::File(Arc::new(Mutex::new(file)));
            Some(
                fmt::layer()
                    .with_writer(Redacting {
                        redactor: redactor.clone(),
                        inner,
                    })
                    .with_ansi(false)
                    .with_filter(filter(globals.verbose.max(2), false)),
            )
        }
    };
    tracing_subscriber::registry()
        .with(terminal)
        .with(file)
        .try_init()
        .map_err(CliError::new)
}

#[derive(Clone)]
enum Sink {
    Stderr,
    File(Arc<Mutex<File>>),
}

/// Makes writers that take secrets out of whole lines: the formatter hands over one event at a time.
#[derive(Clone)]
struct Redacting {
    redactor: Arc<Redactor>,
    inner: Sink,
}

impl<'a> MakeWriter<'a> for Redacting {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Redacting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let safe = self.redactor.text(&text);
        match &self.inner {
            Sink::Stderr => io::stderr().lock().write_all(safe.as_bytes())?,
            Sink::File(file) => {
                if let Ok(mut file) = file.lock() {
                    file.write_all(safe.as_bytes())?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
