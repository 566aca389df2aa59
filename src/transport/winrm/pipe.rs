//! What a command's two ends must know of each other: whether input came, whether its end is to be told,
//! whether output is being waited for, whether the command is over.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// How long the first question for output waits for input that may be about to come.
const FIRST: Duration = Duration::from_millis(10);

/// And for input that is on its way. A command that writes before it reads must not wait for ever.
const SENDING: Duration = Duration::from_millis(200);

/// The state of one command's pipes.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// Input was sent, or is being sent.
    wrote: bool,
    sending: bool,
    end: End,
    waiting: bool,
    over: bool,
}

/// The end of input.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    #[default]
    Open,
    /// The host is to be told, in time.
    Wanted,
    /// The host was told, or is being told.
    Told,
}

/// What to do before output is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Ask, and wait for long.
    Nothing,
    /// Ask for a moment: most commands are over by then, and need not be told that there is no input.
    Quick,
    /// Tell the host that there is no more input.
    TellEnd,
}

impl Pipe {
    fn with<T: Default>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let done = self.state.lock().map(|mut state| work(&mut state));
        self.changed.notify_waiters();
        done.unwrap_or_default()
    }

    /// Input is about to be sent. `false`: the command is over, nobody reads it.
    pub(super) fn writes(&self) -> bool {
        self.with(|state| {
            state.wrote = true;
            state.sending = !state.over;
            state.sending
        })
    }

    /// Input has ended. `true`: the host is to be told now; else it is told before the next question
    /// for output, unless the command is over by then.
    pub(super) fn ends(&self) -> bool {
        self.with(|state| {
            if state.over || state.end != End::Open {
                return false;
            }
            // A command that was given something waits for the end of it; and who waits for output
            // already does not ask again soon.
            let now = state.wrote || state.waiting;
            state.end = if now { End::Told } else { End::Wanted };
            state.sending = now;
            now
        })
    }

    /// What was to be sent is sent, or can't be.
    pub(super) fn sent(&self) {
        self.with(|state| state.sending = false);
    }

    /// Output is about to be asked for. The first time, input that is on its way goes first: it would
    /// need a connection of its own afterwards.
    pub(super) async fn asks(&self, first: bool) -> Before {
        if first {
            self.input_first().await;
        }
        self.with(|state| {
            let before = match state.end {
                End::Wanted if first => return Some(Before::Quick),
                End::Wanted => {
                    state.end = End::Told;
                    Before::TellEnd
                }
                _ => Before::Nothing,
            };
            state.waiting = true;
            Some(before)
        })
        .unwrap_or(Before::Nothing)
    }

    async fn input_first(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (sending, ended) = match self.state.lock() {
                Ok(state) => (state.sending, state.end != End::Open || state.over),
                Err(_) => return,
            };
            if ended && !sending {
                return;
            }
            let wait = if sending { SENDING } else { FIRST };
            if timeout(wait, changed).await.is_err() {
                return;
            }
        }
    }

    /// The question was answered.
    pub(super) fn answered(&self) {
        self.with(|state| state.waiting = false);
    }

    /// Whether the command is over.
    pub(super) fn has_ended(&self) -> bool {
        self.with(|state| state.over)
    }

    /// The command is over.
    pub(super) fn is_over(&self) {
        self.with(|state| state.over = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_without_input_is_asked_first_and_told_the_end_only_if_it_goes_on() {
        let pipe = Pipe::default();
        assert!(!pipe.ends());
        assert_eq!(pipe.asks(true).await, Before::Quick);
        assert_eq!(pipe.asks(false).await, Before::TellEnd);
        assert_eq!(pipe.asks(false).await, Before::Nothing);
    }

    #[tokio::test]
    async fn a_command_that_was_given_something_is_told_the_end_at_once() {
        let pipe = Pipe::default();
        assert!(pipe.writes());
        pipe.sent();
        assert!(pipe.ends());
        assert!(!pipe.ends());
        pipe.sent();
        assert_eq!(pipe.asks(true).await, Before::Nothing);
    }

    #[tokio::test]
    async fn who_waits_for_output_already_is_not_waited_for() {
        let pipe = Pipe::default();
        assert_eq!(pipe.asks(true).await, Before::Nothing);
        assert!(
            pipe.ends(),
            "a question is under way: the end must not wait for its answer"
        );
    }

    #[tokio::test]
    async fn input_that_is_on_its_way_goes_before_the_first_question() {
        let pipe = Pipe::default();
        assert!(pipe.writes());
        let sending = async {
            tokio::time::sleep(FIRST * 3).await;
            pipe.sent();
            assert!(pipe.ends());
            tokio::time::sleep(FIRST * 3).await;
            pipe.sent();
            std::time::Instant::now()
        };
        let asking = async {
            pipe.asks(true).await;
            std::time::Instant::now()
        };
        let (sent, asked) = tokio::join!(sending, asking);
        assert!(asked >= sent);
    }

    #[tokio::test]
    async fn nothing_is_sent_to_a_command_that_is_over() {
        let pipe = Pipe::default();
        pipe.is_over();
        assert!(!pipe.writes());
        assert!(!pipe.ends());
    }
}
