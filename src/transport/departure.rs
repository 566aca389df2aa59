//! Whether a command has gone out to its host: agreed between who waits for its start and who sends it.
//! It knows nothing of either; only the first of two opposite wishes counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const HERE: u8 = 0;
const OUT: u8 = 1;
const CALLED_OFF: u8 = 2;

/// One command's departure; clones are the same one. A transport that starts commands only while it
/// is waited for need not tell.
#[derive(Debug, Clone, Default)]
pub struct Departure(Arc<AtomicU8>);

impl Departure {
    fn change(&self, from: u8, to: u8) -> u8 {
        match self
            .0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => to,
            Err(is) => is,
        }
    }

    /// It is about to go out. `false`: it is called off, and must not.
    pub(super) fn depart(&self) -> bool {
        self.change(HERE, OUT) == OUT
    }

    /// The host did not take it.
    pub(super) fn came_back(&self) {
        self.change(OUT, HERE);
    }

    /// Nobody waits for it any more. `true`: it has not gone out, and will not; else it may have been
    /// started.
    pub fn call_off(&self) -> bool {
        self.change(HERE, CALLED_OFF) == CALLED_OFF
    }
}

#[cfg(test)]
mod tests {
    use super::Departure;

    #[test]
    fn what_is_called_off_does_not_go_out_and_what_is_out_is_not_called_off() {
        let departure = Departure::default();
        assert!(departure.depart());
        assert!(departure.depart(), "sent again, it is out all the same");
        assert!(!departure.call_off());
        departure.came_back();
        assert!(departure.clone().call_off());
        assert!(departure.call_off());
        assert!(!departure.depart());
        departure.came_back();
        assert!(!departure.depart());
    }
}
