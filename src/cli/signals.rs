//! What the user's signals mean for a run: the first asks for an orderly end, the second quits.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::engine::{Control, Halt};
use crate::event::Stopped;

/// How long quitting may take before it is done without ceremony.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends the process at once. The run's journal stays, and is completed as that of a dead controller.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "main may be waiting for somebody who reads no more"
)]
fn leave(why: Stopped) -> ! {
    std::process::exit(if why == Stopped::Terminated { 143 } else { 130 })
}

/// Listens for Ctrl-C and SIGTERM for the life of the process; must be called within a runtime.
pub fn listen() -> std::io::Result<Control> {
    let (sender, control) = watch::channel(Halt::No);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let why = tokio::select! {
                _ = interrupt.recv() => Stopped::Interrupted,
                _ = terminate.recv() => Stopped::Terminated,
                _ = hangup.recv() => Stopped::Terminated,
            };
            let before = *sender.borrow();
            match before {
                Halt::No => sender.send_replace(Halt::Stop(why)),
                Halt::Stop(_) => {
                    // Whoever reads our output may have stopped reading: then nothing gets done.
                    std::thread::spawn(move || {
                        std::thread::sleep(PATIENCE);
                        leave(why);
                    });
                    sender.send_replace(Halt::Quit(why))
                }
                Halt::Quit(_) => leave(why),
            };
        }
    });
    Ok(control)
}
