//! What is read of a file that was cut, changed or moved.

use super::*;

fn run() -> RunId {
    RunId::new()
}

fn reader(folder: &Path, run: RunId) -> ResumeReader {
    match ResumeReader::open(folder, run).unwrap() {
        Left::File(reader) => *reader,
        Left::Nothing | Left::Resumed(_) => panic!("there is a file"),
    }
}

fn contents(folder: &Path, run: RunId) -> Result<Vec<(u8, Vec<u8>)>, StoreError> {
    let mut reader = reader(folder, run);
    let mut found = Vec::new();
    while let Some(entry) = reader.next()? {
        found.push((entry.kind, entry.content));
    }
    Ok(found)
}

/// A file with a small, an empty and a large entry; its path.
fn written(folder: &Path, run: RunId) -> (PathBuf, Vec<(u8, Vec<u8>)>) {
    let file = ResumeFile::create(folder, run).unwrap();
    let entries = vec![
        (1, b"hunter2".to_vec()),
        (2, Vec::new()),
        (3, b"hunter2 ".repeat(100_000)),
    ];
    for (kind, content) in &entries {
        let place = file.append(*kind, content).unwrap();
        let again = file.read(place).unwrap();
        assert_eq!((again.kind, &again.content), (*kind, content));
    }
    file.keep();
    (folder.join("plays").join(run.to_string()), entries)
}

#[test]
fn what_was_appended_is_read_in_order_and_large_entries_are_compressed() {
    let (folder, run) = (tempfile::tempdir().unwrap(), run());
    let (path, entries) = written(folder.path(), run);
    assert_eq!(contents(folder.path(), run).unwrap(), entries);
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() < 2000, "{}", bytes.len());
    assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    use std::os::unix::fs::MetadataExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn whatever_a_killed_writer_left_of_its_last_entry_is_passed_over() {
    let (folder, run) = (tempfile::tempdir().unwrap(), run());
    let (path, entries) = written(folder.path(), run);
    let whole = std::fs::read(&path).unwrap();
    let before_last = 40 + (4 + 2 + 7 + 16) + (4 + 2 + 16);
    for cut in before_last..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(contents(folder.path(), run).unwrap(), entries[..2]);
    }
    std::fs::write(&path, [whole, vec![0; 100]].concat()).unwrap();
    assert_eq!(contents(folder.path(), run).unwrap(), entries);
}

#[test]
fn a_file_that_was_changed_or_whose_key_is_gone_is_refused() {
    let (folder, run) = (tempfile::tempdir().unwrap(), run());
    let (path, _) = written(folder.path(), run);
    let whole = std::fs::read(&path).unwrap();
    for at in [8, 39, 45, 60, whole.len() - 1] {
        let mut touched = whole.clone();
        touched[at] ^= 1;
        std::fs::write(&path, touched).unwrap();
        let refused = contents(folder.path(), run).unwrap_err().to_string();
        assert!(refused.contains("can't be opened"), "{at}: {refused}");
    }
    // Entries in another order.
    let (first, second) = (29, 22);
    let mut swapped = whole.clone();
    swapped[40..40 + second].copy_from_slice(&whole[40 + first..40 + first + second]);
    swapped[40 + second..40 + first + second].copy_from_slice(&whole[40..40 + first]);
    std::fs::write(&path, swapped).unwrap();
    assert!(contents(folder.path(), run).is_err());
    // A length that no writer writes is not even read.
    let mut huge = whole.clone();
    huge[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(&path, huge).unwrap();
    assert!(contents(folder.path(), run).is_err());

    std::fs::write(&path, whole).unwrap();
    std::fs::remove_file(folder.path().join("resume.key")).unwrap();
    let refused = contents(folder.path(), run).unwrap_err().to_string();
    assert!(refused.contains("another key"), "{refused}");
}

#[test]
fn a_run_that_lives_is_not_resumed_and_one_that_was_says_as_which() {
    let (folder, run) = (tempfile::tempdir().unwrap(), run());
    let file = ResumeFile::create(folder.path(), run).unwrap();
    let refused = ResumeReader::open(folder.path(), run).err().unwrap();
    assert!(matches!(refused, StoreError::Alive(id) if id == run));
    file.keep();
    drop(file);
    let next = RunId::new();
    reader(folder.path(), run).resumed(next).unwrap();
    let left = ResumeReader::open(folder.path(), run).unwrap();
    assert!(matches!(left, Left::Resumed(id) if id == next));
    let nothing = ResumeReader::open(folder.path(), next).unwrap();
    assert!(matches!(nothing, Left::Nothing));
}

#[test]
fn a_run_that_never_began_leaves_nothing() {
    let (folder, run) = (tempfile::tempdir().unwrap(), run());
    drop(ResumeFile::create(folder.path(), run).unwrap());
    let left = ResumeReader::open(folder.path(), run).unwrap();
    assert!(matches!(left, Left::Nothing));
}

#[test]
fn a_lock_that_comes_after_the_files_end_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let opened = || {
        std::fs::write(&path, "x").unwrap();
        File::open(&path).unwrap()
    };
    let (removed, replaced, there) = (opened(), opened(), opened());
    std::fs::rename(folder.path().join("run"), folder.path().join("gone")).unwrap();
    assert_eq!(lock(&removed, &path).unwrap(), Lock::Replaced);
    drop(removed);
    let other = opened();
    assert_eq!(lock(&replaced, &path).unwrap(), Lock::Replaced);
    drop((replaced, there));
    assert_eq!(lock(&other, &path).unwrap(), Lock::Held);
    let again = File::open(&path).unwrap();
    assert_eq!(lock(&again, &path).unwrap(), Lock::Elsewhere);
}

#[test]
fn old_files_go_unless_their_run_lives() {
    let folder = tempfile::tempdir().unwrap();
    let (old, alive) = (run(), run());
    written(folder.path(), old);
    let file = ResumeFile::create(folder.path(), alive).unwrap();
    assert_eq!(prune_unfinished(folder.path(), SystemTime::UNIX_EPOCH), 0);
    let soon = SystemTime::now() + std::time::Duration::from_mins(1);
    assert_eq!(prune_unfinished(folder.path(), soon), 1);
    let left = ResumeReader::open(folder.path(), old).unwrap();
    assert!(matches!(left, Left::Nothing));
    file.remove().unwrap();
    let left = ResumeReader::open(folder.path(), alive).unwrap();
    assert!(matches!(left, Left::Nothing));
}
