//! How fast the files of a run move and when they will be there, in words. Knows what the events say
//! of bytes, and nothing of hosts.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::quantity::show_duration;
use crate::base::quantity::show_size;
use crate::event::Moved;

/// What is older counts little in the rate, in seconds.
const MEMORY: f64 = 10.0;
/// What comes sooner after another waits for the next, in seconds.
const SOON: f64 = 0.1;

/// What was heard of the bytes.
#[derive(Default)]
pub(super) struct Pace {
    now: Moved,
    /// What the rate counts from.
    base: Option<(Timestamp, u64)>,
    /// Bytes a second, smoothed.
    rate: Option<f64>,
}

impl Pace {
    /// Takes one event.
    pub(super) fn note(&mut self, at: Timestamp, now: Moved) {
        self.now = now;
        let Some((then, before)) = self.base else {
            self.base = Some((at, now.moved));
            return;
        };
        let seconds = at.duration_since(then).as_secs_f64();
        if seconds < SOON {
            return;
        }
        let latest = float(now.moved.saturating_sub(before)) / seconds;
        let weight = 1.0 - (-seconds / MEMORY).exp();
        self.rate = Some(
            self.rate
                .map_or(latest, |rate| rate + weight * (latest - rate)),
        );
        self.base = Some((at, now.moved));
    }

    /// Whether anything is to be moved, as far as is known.
    pub(super) fn is_known(&self) -> bool {
        self.expected() > 0
    }

    /// Bytes that were moved.
    pub(super) fn moved(&self) -> u64 {
        self.now.moved
    }

    /// Bytes to be moved in all; what was moved twice is part of it.
    pub(super) fn expected(&self) -> u64 {
        self.now.expected.max(self.now.moved)
    }

    /// `1.2 GiB of 6.3 GiB`, `110 MiB/s`, `46 s left`: as much of it as can be said.
    pub(super) fn parts(&self) -> Vec<String> {
        if !self.is_known() {
            return Vec::new();
        }
        let mut parts = vec![format!(
            "{} of {}",
            show_size(self.moved()),
            show_size(self.expected())
        )];
        let Some(rate) = self.rate.filter(|rate| *rate >= 1.0) else {
            return parts;
        };
        let left = self.expected() - self.moved();
        let left = Duration::try_from_secs_f64(float(left) / rate);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is positive, and one without end is shown as the largest"
        )]
        let rate = rate as u64;
        parts.push(format!("{}/s", show_size(rate)));
        match left.map(|left| left.as_secs() + u64::from(left.subsec_nanos() > 0)) {
            Ok(0) | Err(_) => {}
            Ok(seconds @ 1..60) => parts.push(format!("{seconds} s left")),
            Ok(seconds) => {
                let left = show_duration(Duration::from_secs(seconds));
                parts.push(format!("{left} left"));
            }
        }
        parts
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates are shown roughly")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::at;

    const MIB: u64 = 1 << 20;

    fn heard(events: &[(i64, u64, u64)]) -> String {
        let mut pace = Pace::default();
        for (ms, moved, expected) in events.iter().copied() {
            pace.note(at(ms), Moved { moved, expected });
        }
        pace.parts().join(", ")
    }

    #[test]
    fn a_rate_takes_two_events_and_time_between_them() {
        assert_eq!(heard(&[]), "");
        assert_eq!(heard(&[(0, 0, 0), (1000, 0, 0)]), "", "all is there");
        assert_eq!(heard(&[(0, MIB, 4 * MIB)]), "1.0 MiB of 4.0 MiB");
        assert_eq!(
            heard(&[(0, 0, 4 * MIB), (0, MIB, 4 * MIB)]),
            "1.0 MiB of 4.0 MiB"
        );
        assert_eq!(
            heard(&[(0, 0, 9 * MIB), (1, MIB, 9 * MIB), (2000, 4 * MIB, 9 * MIB)]),
            "4.0 MiB of 9.0 MiB, 2.0 MiB/s, 3 s left"
        );
    }

    #[test]
    fn a_short_halt_shows_in_the_rate_and_does_not_end_it() {
        let mut events: Vec<(i64, u64, u64)> = (0_u32..=20)
            .map(|s| (i64::from(s) * 1000, u64::from(s) * 10 * MIB, 1000 * MIB))
            .collect();
        assert_eq!(
            heard(&events),
            "200 MiB of 1000 MiB, 10.0 MiB/s, 1m20s left"
        );
        events.push((21_000, 200 * MIB, 1000 * MIB));
        assert_eq!(heard(&events), "200 MiB of 1000 MiB, 9.0 MiB/s, 1m29s left");
        events.extend((22..600).map(|s| (s * 1000, 200 * MIB, 1000 * MIB)));
        assert_eq!(
            heard(&events),
            "200 MiB of 1000 MiB",
            "nothing moves any more"
        );
    }

    #[test]
    fn bytes_that_were_moved_twice_or_taken_back_are_no_nonsense() {
        assert_eq!(
            heard(&[(0, 0, MIB), (1000, 2 * MIB, MIB)]),
            "2.0 MiB of 2.0 MiB, 2.0 MiB/s"
        );
        assert_eq!(
            heard(&[(0, 2 * MIB, 3 * MIB), (1000, MIB, 3 * MIB)]),
            "1.0 MiB of 3.0 MiB"
        );
        assert_eq!(
            heard(&[(1000, 0, 3 * MIB), (0, MIB, 3 * MIB)]),
            "1.0 MiB of 3.0 MiB"
        );
        assert!(
            heard(&[(0, 0, u64::MAX), (1000, u64::MAX / 2, u64::MAX)]).ends_with("/s, 1 s left")
        );
    }
}
