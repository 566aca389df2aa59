//! Files that are their owner's alone and that several may want to change at once: of a password, of hosts
//! that are known.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// No such file is read that is larger, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// Writes what `change` makes of the file's content, where it makes anything of it; a file that is not
/// there is made, of nothing. One at a time, threads and processes alike. Gives what it holds then.
pub fn amend(
    path: &Path,
    change: &(dyn Fn(&str) -> Result<Option<String>, String> + '_),
) -> Result<String, String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.mode(0o600).open(path).map_err(failed)?;
    file.lock().map_err(failed)?;
    let mut held = String::new();
    let read = (&file).take(SIZE_MAX + 1).read_to_string(&mut held);
    if read.map_err(failed)? as u64 > SIZE_MAX {
        return Err(failed(io::Error::other("it is larger than 1 MiB")));
    }
    let Some(content) = change(&held)? else {
        return Ok(held);
    };
    // What was there is mostly the beginning of what is to be: it is cut only where that is shorter.
    file.rewind().map_err(failed)?;
    file.write_all(content.as_bytes()).map_err(failed)?;
    file.set_len(content.len() as u64).map_err(failed)?;
    Ok(content)
}

/// Puts a file of this content in the place of one, whole or not at all. It is written at `fresh` first,
/// which is in the same folder.
pub fn replace(path: &Path, fresh: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = options.mode(0o600).open(fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

/// The file, locked: the one that bears its name now, as [`replace`] puts a new one in its place. To be
/// added to, and made if need be, or only to be read.
pub fn locked(path: &Path, add: bool) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.create(add).append(add).read(true);
        let open = options.mode(0o600).open(path)?;
        open.lock()?;
        let held = open.metadata()?;
        match std::fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => return Ok(open),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Adds lines to a file, which is made if need be, and its folder too.
pub fn append_lines(path: &Path, lines: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)?;
    }
    let mut open = locked(path, true)?;
    // A file edited by hand may lack its last newline.
    let torn = std::fs::read(path)?
        .last()
        .is_some_and(|last| *last != b'\n');
    open.write_all(format!("{}{lines}", if torn { "\n" } else { "" }).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_makes_it_and_the_others_find_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let amended: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let path = &path;
                    scope.spawn(move || {
                        let make = |held: &str| {
                            let fresh = held.is_empty();
                            Ok(fresh.then(|| format!("made by {number}\n")))
                        };
                        amend(path, &make).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|each| each.join().unwrap())
                .collect()
        });
        assert!(amended.iter().all(|each| *each == amended[0]));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(amend(&path, &|_| Ok(Some("x".into()))).unwrap(), "x");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
        assert!(amend(&path, &|_| Err("no".into())).is_err());
        // What is not read as a whole is not written either.
        let large = "x".repeat(1 << 20) + "y";
        std::fs::write(&path, &large).unwrap();
        assert!(amend(&path, &|_| Ok(Some("x".into()))).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), large);
    }
}
