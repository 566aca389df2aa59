//! Keys as they are typed at the terminal, Ctrl-C among them, up to a key or a time.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcgetpgrp, tcsetattr,
};

use crate::playbook::run::{Keys, Until};

/// Whether somebody can be asked: not of a process in the background, which a terminal would stop.
pub(super) fn is_there() -> bool {
    let stdin = io::stdin();
    stdin.is_terminal() && tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Shows the question on standard error and reads keys.
pub(super) fn read(
    question: &str,
    echo: bool,
    until: Until,
    stopped: &dyn Fn() -> bool,
) -> io::Result<Keys> {
    let terminal = Terminal::take()?;
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut typed = Typed::default();
    let began = Instant::now();
    let mut buffer = [0];
    let keys = loop {
        if stopped() {
            break Keys::Interrupted;
        }
        if matches!(until, Until::Time(time) if began.elapsed() >= time) {
            break Keys::Typed(typed.text());
        }
        // It comes back after a tenth of a second without a key. (Not by way of Rust's `Stdin`, which
        // reads ahead: those keys would answer the next question.)
        let key = match rustix::io::read(io::stdin(), &mut buffer) {
            // Nor does a terminal that hung up have one, and it says so at once.
            Ok(0) => tcgetattr(io::stdin()).map(|_| None)?,
            Ok(_) => Some(buffer[0]),
            Err(Errno::INTR) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(key) = key else { continue };
        match ends(until, key, terminal.interrupt) {
            Some(true) => break Keys::Typed(typed.text()),
            Some(false) => break Keys::Interrupted,
            None => typed.take(key, echo.then_some(&mut stderr))?,
        }
    };
    drop(terminal);
    writeln!(stderr)?;
    Ok(keys)
}

/// Whether a key ends it, and if so, well.
fn ends(until: Until, key: u8, ctrl_c: u8) -> Option<bool> {
    let is = |other: char| char::from(key).eq_ignore_ascii_case(&other);
    match until {
        Until::Enter if matches!(key, b'\r' | b'\n') => Some(true),
        Until::Enter | Until::Time(_) => (key == ctrl_c).then_some(false),
        Until::Key { end, .. } if is(end) => Some(true),
        Until::Key { interrupt, .. } => is(interrupt).then_some(false),
    }
}

/// The keys so far.
#[derive(Debug, Default)]
struct Typed(Vec<u8>);

impl Typed {
    fn take(&mut self, key: u8, echo: Option<&mut impl io::Write>) -> io::Result<()> {
        const ERASE: [u8; 2] = [0x7f, 0x08];
        if !ERASE.contains(&key) {
            self.0.push(key);
            return echo.map_or(Ok(()), |out| {
                out.write_all(&[key])?;
                out.flush()
            });
        }
        // A character, however many bytes it has.
        while self.0.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
        echo.map_or(Ok(()), |out| {
            out.write_all(b"\x08 \x08")?;
            out.flush()
        })
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// The terminal, giving keys one by one; as it was when this is dropped.
struct Terminal {
    before: Termios,
    interrupt: u8,
}

impl Terminal {
    fn take() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut keys = before.clone();
        keys.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        keys.special_codes[SpecialCodeIndex::VMIN] = 0;
        keys.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&stdin, OptionalActions::Drain, &keys)?;
        // What was typed before the question is no answer to it.
        tcflush(&stdin, QueueSelector::IFlush)?;
        let interrupt = before.special_codes[SpecialCodeIndex::VINTR];
        Ok(Self { before, interrupt })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_erased_is_not_typed() {
        let mut typed = Typed::default();
        let mut shown = Vec::new();
        for key in "aé中".bytes().chain([0x7f, 0x08]).chain(*b"b") {
            typed.take(key, Some(&mut shown)).unwrap();
        }
        assert_eq!(typed.text(), "ab");
        assert_eq!(String::from_utf8_lossy(&shown), "aé中\x08 \x08\x08 \x08b");
    }

    #[test]
    fn keys_end_what_they_are_meant_to() {
        let choice = Until::Key {
            end: 'c',
            interrupt: 'a',
        };
        let time = Until::Time(Duration::from_secs(1));
        for (until, key, expected) in [
            (Until::Enter, b'\r', Some(true)),
            (Until::Enter, 3, Some(false)),
            (Until::Enter, b'c', None),
            (time, b'\r', None),
            (time, 3, Some(false)),
            (choice, b'C', Some(true)),
            (choice, b'a', Some(false)),
            (choice, 3, None),
        ] {
            assert_eq!(ends(until, key, 3), expected, "{until:?} {key}");
        }
    }
}
