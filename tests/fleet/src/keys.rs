//! Keys and certificates, made by ssh-keygen(1).

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Result, Tried};
use crate::process;

/// Makes a key without a passphrase. `args`, as `-t rsa -b 2048` or `-N secret`, come last and win.
pub(crate) fn generate(path: &Path, args: &[&str]) -> Result<()> {
    for old in [path.to_owned(), public(path)] {
        if old.exists() {
            fs::remove_file(&old).tried(old.to_string_lossy())?;
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = path.to_string_lossy();
    let mut words = vec!["-q", "-t", "ed25519", "-N", "", "-C", &name, "-f", &file];
    words.extend(args);
    process::run("ssh-keygen", &words)?;
    Ok(())
}

/// The public key beside `path`.
pub(crate) fn public(path: &Path) -> PathBuf {
    beside(path, ".pub")
}

/// The certificate beside `path`.
pub(crate) fn certificate(path: &Path) -> PathBuf {
    beside(path, "-cert.pub")
}

/// The public key beside `path` as text: its kind and its bytes, without the comment.
pub(crate) fn public_line(path: &Path) -> Result<String> {
    let file = public(path);
    let text = fs::read_to_string(&file).tried(file.to_string_lossy())?;
    Ok(text
        .split(' ')
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned())
}

/// Signs the public key beside `path`; `args` say as whose.
pub(crate) fn sign(authority: &Path, path: &Path, args: &[&str]) -> Result<PathBuf> {
    let (authority, file) = (authority.to_string_lossy(), public(path));
    let file = file.to_string_lossy();
    let mut words = vec!["-q", "-s", &*authority, "-I", "ioms-fleet"];
    words.extend(args);
    words.push(&file);
    process::run("ssh-keygen", &words)?;
    Ok(certificate(path))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
