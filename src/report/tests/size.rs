//! Large outputs: from files of the journal to the reader, never whole in memory.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::base::digest::Hasher;
use crate::event::Body;

const SIZE: u64 = 1 << 20;

/// An output in a file.
fn spilled(folder: &Path, name: &str, line: &str) -> Captured {
    of_size(SIZE, folder, name, line)
}

fn of_size(size: u64, folder: &Path, name: &str, line: &str) -> Captured {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    let mut hasher = Hasher::default();
    let block = line.repeat(64 * 1024 / line.len());
    let mut total = 0;
    while total < size {
        file.write_all(block.as_bytes()).unwrap();
        hasher.update(block.as_bytes());
        total += block.len() as u64;
    }
    Captured {
        total,
        kept: total,
        digest: hasher.finish(),
        body: Body::Spilled(Arc::new(path)),
    }
}

/// Counts what comes and how large its largest piece is.
#[derive(Clone, Default)]
struct Scale {
    all: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

impl Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.all.fetch_add(bytes.len(), Ordering::Relaxed);
        self.largest.fetch_max(bytes.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn weigh(form: Form, look: Look, results: &[HostResult]) -> Scale {
    let scale = Scale::default();
    let screen = Screen::new(Box::new(scale.clone()), Box::new(scale.clone()), look);
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        junit: Some(folder.path().join("junit.xml")),
        ..options(form)
    };
    let names: Vec<String> = (0..results.len()).map(|host| format!("h{host}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut show = Show {
        report: Report::new(screen, options),
        paper: Paper::default(),
        summary: Summary::new(results.len()),
        now: at(0),
    };
    show.say(Event::RunStarted(Arc::new(header(
        "run",
        Some("x"),
        &names,
    ))));
    for (host, result) in results.iter().enumerate() {
        let host = u32::try_from(host).unwrap();
        show.start(host).done(host, result.clone());
    }
    show.end();
    let junit = folder.path().join("junit.xml").metadata().unwrap().len();
    assert!(junit < 100_000 * results.len() as u64);
    scale
}

#[test]
fn no_form_takes_a_large_output_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let text = spilled(folder.path(), "text", "a line of text 中文 \x1b[1m\n");
    let binary = spilled(folder.path(), "long", "no newline ever, ");
    let results: Vec<HostResult> = [text, binary]
        .into_iter()
        .map(|stdout| HostResult {
            stdout,
            ..result("")
        })
        .collect();
    for form in [Form::Fold, Form::Host, Form::Json, Form::Jsonl] {
        for look in [Look::default(), TERMINAL] {
            let scale = weigh(form, look, &results);
            let largest = scale.largest.load(Ordering::Relaxed);
            assert!(
                scale.all.load(Ordering::Relaxed) as u64 > 2 * SIZE,
                "{form:?}"
            );
            assert!(
                largest <= 256 << 10,
                "{form:?} wrote {largest} bytes at once"
            );
        }
    }
}

#[test]
fn equal_large_outputs_are_folded_by_their_digests_and_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let one = spilled(folder.path(), "one", "the same\n");
    let gone = Captured {
        body: Body::Spilled(Arc::new(folder.path().join("gone"))),
        ..one.clone()
    };
    let of = |stdout: &Captured| HostResult {
        stdout: stdout.clone(),
        ..result("")
    };
    // The others' files are not even there.
    let mut results = vec![of(&one)];
    results.resize(200, of(&gone));
    let scale = weigh(Form::Fold, Look::default(), &results);
    let all = scale.all.load(Ordering::Relaxed) as u64;
    assert!((SIZE..SIZE + 100_000).contains(&all), "{all}");
}

#[test]
fn a_large_output_is_shown_whole_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let stdout = spilled(folder.path(), "text", "a line of text 中文\n");
    let whole = std::fs::read(folder.path().join("text")).unwrap();
    for form in [Form::Fold, Form::Host, Form::Json] {
        let mut show = Show::run(form, Look::default(), &["a"]);
        show.start(0).done(
            0,
            HostResult {
                stdout: stdout.clone(),
                ..result("")
            },
        );
        show.end();
        if form == Form::Json {
            let document = documents::document(&show);
            let text = document["hosts"][0]["stdout"].as_str().unwrap();
            assert!(text.as_bytes() == whole);
        } else {
            let out = show.paper.bytes(1);
            assert!(out.windows(whole.len()).any(|part| part == whole));
        }
    }
}

/// The most memory this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn the_peak_of_memory_does_not_grow_with_the_outputs() {
    // In a process of its own: other tests' memory must not count.
    let name = "report::tests::size::in_a_process_of_its_own_many_large_outputs_take_little_memory";
    let done = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "a part of the_peak_of_memory_does_not_grow_with_the_outputs"]
fn in_a_process_of_its_own_many_large_outputs_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let outputs: Vec<Captured> = ["a", "b"]
        .iter()
        .map(|name| of_size(8 << 20, folder.path(), name, &format!("on {name} 中\n")))
        .collect();
    let of = |stdout: &Captured| HostResult {
        stdout: stdout.clone(),
        ..result("")
    };
    let results: Vec<HostResult> = outputs.iter().map(of).collect();
    let forms = [Form::Json, Form::Jsonl, Form::Fold, Form::Host];
    // The program's own pages are memory too, once they are used.
    let little = of(&of_size(1 << 16, folder.path(), "little", "on c 中\n"));
    for form in forms {
        weigh(form, TERMINAL, std::slice::from_ref(&little));
    }
    let before = peak();
    for form in forms {
        weigh(form, TERMINAL, &results);
        let grown = peak() - before;
        assert!(grown < 4 << 20, "{form:?}: {grown} bytes more");
    }
}
