//! What hosts answer to tasks with files: no bytes may panic, an answer has one entry for each path that
//! was asked for, and a stream of frames in pieces reads as the whole.
#![no_main]

use bytes::Bytes;
use ioms::shell::files::{
    Algorithm, Answer, Asked, FileTask, HostPath, Said, Unpack, Walk,
};
use ioms::shell::windows::files::frames::{Decoder, Event};
use ioms::shell::{posix, windows};
use libfuzzer_sys::fuzz_target;

fn tasks() -> Vec<FileTask> {
    let paths = ["/a", "./b c", "/with\nnewline", "/back\\slash"].map(HostPath::from);
    let asked = paths.clone().map(|path| Asked {
        path,
        size: Some(3),
    });
    vec![
        FileTask::Stat {
            paths: asked.to_vec(),
            algorithm: Algorithm::Md5,
            follow: false,
        },
        FileTask::Hash {
            paths: paths.to_vec(),
            algorithm: Algorithm::Sha256,
        },
        FileTask::ReadLinks(paths.to_vec()),
        FileTask::Walk(Walk {
            roots: paths.to_vec(),
            patterns: false,
            follow: false,
        }),
        FileTask::Unpack(Unpack {
            staging: HostPath::from("/s"),
            root: HostPath::from("/r"),
            algorithm: Algorithm::Md5,
            mkdir: false,
            backup: None,
        }),
    ]
}

fn count(answer: &Answer) -> Option<usize> {
    match answer {
        Answer::Stat(_, found) => Some(found.len()),
        Answer::Hash(hashes) => Some(hashes.len()),
        Answer::Links(links) => Some(links.len()),
        _ => None,
    }
}

/// What the stream holds, content joined: `None` once it makes no sense.
fn unframed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<(Vec<Event>, Vec<u8>)> {
    let mut decoder = Decoder::default();
    let (mut entries, mut content) = (Vec::new(), Vec::new());
    for piece in pieces {
        for event in decoder.take(Bytes::copy_from_slice(piece)).ok()? {
            match event {
                Event::Content(bytes) => content.extend_from_slice(&bytes),
                other => entries.push(other),
            }
        }
    }
    Some((entries, content))
}

fuzz_target!(|data: &[u8]| {
    let said = Said {
        exit: Some(0),
        stdout: Bytes::copy_from_slice(data),
        stderr: Bytes::new(),
    };
    let failed = Said {
        exit: Some(1),
        ..said.clone()
    };
    for task in tasks() {
        for answer in [posix::files::read(&task, &said), windows::files::read(&task, &said)] {
            if let Ok(answer) = answer {
                assert!(count(&answer).is_none_or(|count| count == 4));
            }
        }
        let _ = posix::files::read(&task, &failed);
        let _ = windows::files::read(&task, &failed);
    }
    let step = 1 + data.len() % 7;
    assert_eq!(unframed(data.chunks(step)), unframed(std::iter::once(data)));
});
