//! What the user's signals mean for a run: the first asks for an orderly end, the second quits.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::engine::{Control, Halt};
use crate::event::Stopped;

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
            sender.send_modify(|halt| {
                *halt = match halt {
                    Halt::No => Halt::Stop(why),
                    Halt::Stop(_) | Halt::Quit(_) => Halt::Quit(why),
                };
            });
        }
    });
    Ok(control)
}
