//! The exit status of a run: the contract's, with Ansible's meaning where Ansible has one.

use crate::event::{RunEnd, Stopped};

/// 0 all ok; 2 some host failed or timed out; 4 some unreachable; 6 both; 7 deadline; 8 gate;
/// 9 denied; 130 interrupted; 143 terminated.
pub fn exit_status(end: &RunEnd) -> u8 {
    match end.stopped {
        Some(Stopped::Interrupted) => return 130,
        Some(Stopped::Terminated) => return 143,
        Some(Stopped::Denied) => return 9,
        Some(Stopped::Deadline) => return 7,
        Some(Stopped::Gate) => return 8,
        None => {}
    }
    let failed = end.summary.failed + end.summary.timed_out > 0;
    let unreachable = end.summary.unreachable > 0;
    u8::from(failed) * 2 + u8::from(unreachable) * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome::{self, Changed, Failed, Ok, TimedOut, Unreachable};
    use crate::event::Summary;

    #[test]
    fn statuses_are_the_contracts() {
        let status = |outcomes: &[Outcome], stopped| {
            let mut summary = Summary::new(outcomes.len());
            for outcome in outcomes {
                summary.add(*outcome);
            }
            exit_status(&RunEnd {
                finished: crate::base::clock::now(),
                summary,
                stopped,
            })
        };
        assert_eq!(status(&[Ok, Changed], None), 0);
        assert_eq!(status(&[Ok, Failed], None), 2);
        assert_eq!(status(&[TimedOut], None), 2);
        assert_eq!(status(&[Unreachable], None), 4);
        assert_eq!(status(&[Unreachable, Failed], None), 6);
        assert_eq!(status(&[Failed], Some(Stopped::Gate)), 8);
        assert_eq!(status(&[Failed], Some(Stopped::Deadline)), 7);
        assert_eq!(status(&[], Some(Stopped::Denied)), 9);
        assert_eq!(status(&[Failed], Some(Stopped::Interrupted)), 130);
        assert_eq!(status(&[Failed], Some(Stopped::Terminated)), 143);
    }
}
