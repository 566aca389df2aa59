//! Adds that are killed, and disks that are full: nothing is on record that is not whole, and what
//! is left behind goes with the next command.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use ioms::base::digest::{hex, of};

use super::Bed;
use crate::store::SmallDisk;
use crate::support::{Ran, signal, wait_until};

#[test]
fn an_add_that_is_killed_leaves_nothing_on_record_and_its_part_goes_with_the_next() {
    let bed = Bed::sqlite();
    bed.json(&["list"]);
    let mut child = bed
        .command(&["repo", "add", "-", "--name", "large", "--publish"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&vec![b'x'; 4 << 20]).unwrap();
    wait_until("the part file", || {
        let parts = bed.incoming();
        let size = |path| std::fs::metadata(path).map_or(0, |found| found.len());
        parts.first().is_some_and(|part| size(part) > 1 << 20)
    });
    // A part that is being written is nobody's to remove.
    bed.add("small", "small", &["--publish"]).ends_with(0);
    assert_eq!(bed.incoming().len(), 1);
    signal(&child, "KILL");
    child.wait().unwrap();
    assert_eq!(bed.listed(), ["small@1"]);
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    let ran = bed.run(&["repo", "publish", "large"]).ends_with(1);
    assert!(ran.stderr.contains("there is no file `large`"), "{ran:?}");
    assert_eq!((bed.contents().len(), bed.incoming().len()), (1, 1));
    bed.add("small", "another", &[]).ends_with(0);
    assert!(bed.incoming().is_empty());
}

#[test]
fn whenever_adds_and_removes_are_killed_all_entries_are_whole_and_no_content_is_left_over() {
    let bed = Bed::sqlite();
    bed.json(&["list"]);
    for round in 0..40_u8 {
        let content = vec![round; 2 << 20];
        let file = bed.desk.file(&format!("sources/{round}"), content);
        let args = ["repo", "add", file.to_str().unwrap(), "--publish"];
        let mut child = bed.command(&args).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(u64::from(round) * 4));
        signal(&child, "KILL");
        child.wait().unwrap();
        if let Some(first) = bed.listed().first().filter(|_| round % 8 == 7) {
            let remove = ["repo", "remove", first, "--yes"];
            let mut child = bed.command(&remove).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(20 + u64::from(round)));
            signal(&child, "KILL");
            child.wait().unwrap();
        }
    }
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    bed.add("last", "last", &[]).ends_with(0);
    assert!(bed.incoming().is_empty(), "{:?}", bed.incoming());
    assert_eq!(bed.contents().len(), bed.listed().len());
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
}

#[test]
fn a_content_that_was_placed_and_never_recorded_goes_and_one_that_was_stays() {
    let bed = Bed::sqlite();
    bed.add("kept", "kept", &[]).ends_with(0);
    let repository = bed.data().join("repository");
    let mark = |content: &str| {
        let digest = hex(&of(content.as_bytes()));
        let folder = repository.join("sha256").join(&digest[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&digest), content).unwrap();
        let mark = repository.join(format!("incoming/{digest}.unsettled"));
        std::fs::write(mark, "").unwrap();
    };
    mark("kept");
    mark("lost");
    std::fs::write(repository.join("incoming/x.part"), "half").unwrap();
    std::fs::write(repository.join("incoming/..%2f.unsettled"), "").unwrap();
    assert_eq!(bed.contents().len(), 2);
    bed.add("other", "other", &[]).ends_with(0);
    assert_eq!(bed.contents().len(), 2);
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    assert_eq!(bed.incoming().len(), 1, "what is not ours stays");
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_behind() {
    if ioms_fleet::left_out("a full disk under the file repository", "root") {
        return;
    }
    let bed = Bed::sqlite();
    let disk = SmallDisk::new(bed.data(), "6m");
    bed.add("first", vec![1; 1 << 20], &["--publish"])
        .ends_with(0);
    let ran = bed
        .add("large", vec![2; 8 << 20], &["--publish"])
        .ends_with(1);
    assert!(ran.stderr.contains("no space left"), "{ran:?}");
    assert!(ran.stderr.contains("hint: nothing was added"), "{ran:?}");
    assert_eq!(bed.listed(), ["first@1"]);
    assert_eq!((bed.contents().len(), bed.incoming().len()), (1, 0));
    bed.add("second", vec![3; 1 << 20], &["--publish"])
        .ends_with(0);
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    // To the last byte: whichever step fails, all are whole and nothing is left over.
    std::fs::write(disk.0.join("filler"), vec![b'x'; 6 << 20]).unwrap_err();
    let filler = std::fs::File::options()
        .write(true)
        .open(disk.0.join("filler"))
        .unwrap();
    let full = filler.metadata().unwrap().len();
    for pages in (8..30).chain([0]) {
        filler.set_len(full - pages * 4096).unwrap();
        let name = format!("tight{pages}");
        bed.add(
            &name,
            vec![u8::try_from(pages).unwrap(); 20_000],
            &["--publish"],
        );
    }
    filler.set_len(0).unwrap();
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    bed.add("last", "last", &[]).ends_with(0);
    assert!(bed.incoming().is_empty(), "{:?}", bed.incoming());
    assert_eq!(bed.contents().len(), bed.listed().len());
}

#[test]
fn a_file_that_is_written_to_while_it_is_added_is_refused() {
    let bed = Bed::sqlite();
    bed.json(&["list"]);
    let file = bed.desk.file("growing", vec![0; 24 << 20]);
    let child = bed
        .command(&["repo", "add", "growing", "--publish"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("it is being read", || !bed.incoming().is_empty());
    let mut growing = std::fs::File::options().append(true).open(&file).unwrap();
    growing.write_all(b"more").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).ends_with(1);
    assert!(
        ran.stderr.contains("was changed while it was read"),
        "{ran:?}"
    );
    assert!(bed.listed().is_empty() && bed.contents().is_empty() && bed.incoming().is_empty());
}
