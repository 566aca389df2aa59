//! The kinds of entries, and what tells tasks apart.

use super::super::prepared::Prepared;
use crate::base::digest;
use crate::base::pack::Packer;
use crate::base::value::Value;
use crate::playbook::run::play::Answer;

/// A turn that can't be done twice begins: `id host print`.
pub(super) const BEGUN: u8 = 1;
/// A turn is done: `id host print`, then its result.
pub(super) const ENDED: u8 = 2;
/// A secret that is taken out of all that is shown.
pub(super) const SECRET: u8 = 3;
/// Answers to `vars_prompt`: `play answers`.
pub(super) const ANSWERS: u8 = 4;
/// What was said to `--step`: `answer task`.
pub(super) const STEP: u8 = 5;

/// Tells a task from others: by its file, its text, and whether it runs as a handler. Not by its line:
/// what is written above it does not make it another.
pub(crate) type Print = [u8; 16];

/// A task's print.
pub(super) fn print(prepared: &Prepared, handler: bool) -> Print {
    let print = prepared.print.get_or_init(|| {
        let task = &prepared.task;
        let mut text = Packer::default();
        text.text(&task.written.source.path.to_string_lossy());
        text.text(&task.action.module);
        // What gathers facts is written as the play.
        let implicit = task.written == task.action.place;
        if implicit {
            for (name, value) in &task.action.args.named {
                text.text(name);
                text.value(&value.value());
            }
        } else {
            text.value(&task.written.value());
        }
        text.value(&Value::Bool(implicit));
        let digest = digest::of(&text.finish());
        let mut print = Print::default();
        print.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        print
    });
    let mut print = *print;
    if handler && let Some(first) = print.first_mut() {
        *first ^= 1;
    }
    print
}

/// Nothing of one that ends the run: whoever goes on with it is asked again.
pub(super) fn of_answer(answer: Answer) -> Option<u8> {
    match answer {
        Answer::No => Some(0),
        Answer::Yes => Some(1),
        Answer::Continue => Some(2),
        Answer::Stop => None,
    }
}

pub(super) fn answer(byte: u8) -> Answer {
    match byte {
        0 => Answer::No,
        1 => Answer::Yes,
        _ => Answer::Continue,
    }
}
