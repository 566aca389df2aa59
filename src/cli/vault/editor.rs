//! The user's editor on a text that must not stay anywhere: in a folder of its own, in memory where
//! the system has a place for that, wiped however the editor ends, also by a signal.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::replace::{overwrite, read};
use crate::cli::{CliError, database_runtime};
use crate::target::ssh_config::words;

/// How long an editor may take to end that was told to.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the user makes of a text; `like` is the file it belongs to, whose name's ending tells the
/// editor the language.
pub(super) fn edit(plain: &[u8], like: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let editor = std::env::var("EDITOR").unwrap_or_default();
    let editor = if editor.trim().is_empty() {
        "vi"
    } else {
        &editor
    };
    let wrong = |why: String| CliError::new(format!("the editor `{editor}`: {why}"));
    let command = words(editor).map_err(wrong)?;
    let [program, arguments @ ..] = command.as_slice() else {
        return Err(wrong("names no program".to_owned()));
    };
    let runtime = database_runtime()?;
    // Before there is anything to wipe.
    let signals = runtime.block_on(async { Signals::listen() })?;
    let place = Place::new(plain, like)?;
    let mut command = Command::new(program);
    command.args(arguments).arg(&place.file);
    let status = runtime
        .block_on(run(command, signals))
        .map_err(|end| match end {
            End::Failed(error) => wrong(error.to_string())
                .hint("the environment variable EDITOR says which program to use"),
            End::Terminated => CliError::new("terminated; nothing was changed").status(143),
        })?;
    if status.success() {
        return read(&place.file).map_err(|error| wrong(format!("left no file: {error}")));
    }
    let interrupted = status.signal() == Some(rustix::process::Signal::INT.as_raw());
    Err(wrong(format!("{status}; nothing was changed")).status(if interrupted { 130 } else { 1 }))
}

enum End {
    Failed(io::Error),
    Terminated,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Those that would end us.
struct Signals {
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Runs it. Ctrl-C and Ctrl-\ are the editor's own affair: it has got them too.
async fn run(mut command: Command, mut signals: Signals) -> Result<ExitStatus, End> {
    let mut child = command.spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            _ = signals.interrupt.recv() => {}
            _ = signals.quit.recv() => {}
            _ = signals.terminate.recv() => break,
            _ = signals.hangup.recv() => break,
        }
    }
    stop(&mut child).await;
    Err(End::Terminated)
}

async fn stop(child: &mut Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// A private folder with the text; both are wiped at the end, with what the editor left beside it.
struct Place {
    folder: PathBuf,
    file: PathBuf,
}

impl Place {
    fn new(plain: &[u8], like: &Path) -> io::Result<Self> {
        let folder = private_folder()?;
        let ending = like.extension().map(|ending| ending.to_string_lossy());
        let ending = ending.map_or(String::new(), |ending| format!(".{ending}"));
        let file = folder.join(format!("vault{ending}"));
        let place = Self { folder, file };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&place.file)?;
        file.write_all(plain)?;
        Ok(place)
    }
}

/// Memory first, disk where there is no such place.
fn private_folder() -> io::Result<PathBuf> {
    let name = format!("ioms-vault-{:016x}", rand::random::<u64>());
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = runtime.filter(|folder| folder.is_absolute()).into_iter();
    let places = places.chain([PathBuf::from("/dev/shm"), std::env::temp_dir()]);
    let mut failed = None;
    for place in places {
        let folder = place.join(&name);
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

impl Drop for Place {
    fn drop(&mut self) {
        for entry in walkdir::WalkDir::new(&self.folder).into_iter().flatten() {
            // Never through a link: it may lead out of here.
            if entry.file_type().is_file()
                && let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(entry.path())
            {
                let _ = overwrite(&mut file);
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
