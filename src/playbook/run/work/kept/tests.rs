//! What is taken out of the entries of an earlier run.

use super::*;
use crate::base::pack::Malformed;
use crate::base::value::Map;

/// Entries in memory.
#[derive(Default)]
struct InMemory(Mutex<Vec<Vec<u8>>>);

impl InMemory {
    fn earlier(&self) -> Earlier {
        let mut earlier = Earlier::default();
        for (place, entry) in self.0.lock().unwrap().iter().enumerate() {
            earlier.take(place as u64, entry).unwrap();
        }
        earlier
    }
}

impl Ledger for InMemory {
    fn append(&self, entry: &[u8]) -> Option<u64> {
        let mut entries = self.0.lock().unwrap();
        entries.push(entry.to_vec());
        Some(entries.len() as u64 - 1)
    }

    fn entry(&self, place: u64) -> Option<Vec<u8>> {
        let entries = self.0.lock().unwrap();
        entries.get(usize::try_from(place).ok()?).cloned()
    }
}

fn entry(kind: u8, id: u64, host: &str, print: Print) -> Vec<u8> {
    let mut entry = Packer::default();
    entry.byte(kind);
    entry.number(id);
    entry.text(host);
    entry.raw(&print);
    entry.finish()
}

#[test]
fn turns_of_one_task_come_in_the_order_in_which_they_began() {
    let ledger = InMemory::default();
    let (one, other) = ([1; 16], [2; 16]);
    for each in [
        entry(entry::BEGUN, 0, "a", one),
        entry(entry::ENDED, 1, "b", one),
        entry(entry::ENDED, 0, "a", one),
        entry(entry::ENDED, 2, "a", other),
        entry(entry::BEGUN, 3, "a", one),
        entry(entry::ENDED, 4, "a", one),
        // Done again at last: it stays where it was.
        entry(entry::ENDED, 3, "a", one),
    ] {
        ledger.append(&each);
    }
    let mut earlier = ledger.earlier();
    assert_eq!(
        (earlier.done(), earlier.begun(), earlier.next()),
        ((5, 2), 0, 5)
    );
    let a: Arc<str> = "a".into();
    let mut next = || earlier.next_of(&a, one);
    assert_eq!(next(), Some((0, Before::Ended(2))));
    assert_eq!(next(), Some((3, Before::Ended(6))));
    assert_eq!(next(), Some((4, Before::Ended(5))));
    assert_eq!(next(), None);
    assert_eq!(earlier.next_of(&a, other), Some((2, Before::Ended(3))));
}

#[test]
fn what_began_and_did_not_end_is_told_apart() {
    let ledger = InMemory::default();
    ledger.append(&entry(entry::BEGUN, 7, "a", [1; 16]));
    let mut earlier = ledger.earlier();
    assert_eq!(
        (earlier.done(), earlier.begun(), earlier.next()),
        ((0, 0), 1, 8)
    );
    let a: Arc<str> = "a".into();
    assert_eq!(earlier.next_of(&a, [1; 16]), Some((7, Before::Begun)));
}

#[test]
fn entries_that_are_none_are_refused() {
    let mut earlier = Earlier::default();
    for bad in [
        &[][..],
        &[99],
        &[entry::ENDED, 0, 200],
        &[entry::SECRET, 9, b'x'],
    ] {
        assert_eq!(earlier.take(0, bad), Err(Malformed), "{bad:?}");
    }
}

/// Says yes, and what it was asked.
#[derive(Default)]
struct Yes(Mutex<Vec<String>>);

impl Steps for Yes {
    fn perform(&self, task: &str, _stopped: &dyn Fn() -> bool) -> Answer {
        self.0.lock().unwrap().push(task.to_owned());
        Answer::Yes
    }
}

#[test]
fn what_was_asked_and_answered_is_not_asked_again() {
    let ledger = Arc::new(InMemory::default());
    let answers: Map = [
        ("user".into(), Value::Unsafe("{{ x }}".into())),
        ("plain".into(), Value::string("y")),
    ]
    .into_iter()
    .collect();
    {
        let keep = Keep::new(ledger.clone(), Earlier::default(), false);
        keep.answered(3, &answers);
        keep.secret(&Secret::new("hunter2"));
        let steps = keep.steps(Arc::new(Yes::default()));
        for task in ["one", "two"] {
            assert_eq!(steps.perform(task, &|| false), Answer::Yes);
        }
    }
    let earlier = ledger.earlier();
    assert_eq!(earlier.secrets(), [Secret::new("hunter2")]);
    let keep = Keep::new(ledger, earlier, false);
    assert_eq!(keep.answers(3), answers);
    assert_eq!(keep.answers(4), Map::new());
    let asked = Arc::new(Yes::default());
    let steps = keep.steps(asked.clone());
    for task in ["one", "other", "two"] {
        steps.perform(task, &|| false);
    }
    // From where the questions differ all are asked.
    assert_eq!(*asked.0.lock().unwrap(), ["other", "two"]);
}
