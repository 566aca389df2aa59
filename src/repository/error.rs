//! Why the repository does not do something, and what helps.

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A name that can't be.
    #[error("`{name}` can't name a file of the repository: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A version that can't be.
    #[error("`{version}` can't be a version: {why}")]
    Version {
        /// The version.
        version: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A note that is too long.
    #[error("the note has {0} bytes, 4096 are the most")]
    Note(usize),
    /// The source has no name that can be used.
    #[error("`{0}` has no name to go by")]
    Nameless(String),
    /// No entry has this name.
    #[error("there is no file `{name}` in the repository")]
    Unknown {
        /// The name.
        name: String,
        /// One that is like it.
        nearest: Option<String>,
    },
    /// No entry of this name has this version.
    #[error("`{name}` has no version `{version}`")]
    NoVersion {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// Versions that there are.
        known: Vec<String>,
    },
    /// A name alone does not say which.
    #[error("`{name}` has several versions: {}", known.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Its versions.
        known: Vec<String>,
    },
    /// It may not be handed out.
    #[error("{0} is not published")]
    Unpublished(String),
    /// There is something else of that name and version.
    #[error("{0} is there already, with other content")]
    Taken(String),
    /// The content is not in the store.
    #[error("the content of {0} is missing")]
    Missing(String),
    /// The content is not what was added.
    #[error("the content of {entry} is not what was added: {why}")]
    Altered {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        why: String,
    },
    /// A source that is no regular file.
    #[error("{} is {what}", path.display())]
    NotRegular {
        /// The source.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// A source that somebody wrote to meanwhile.
    #[error("{} was changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The disk of the store is full.
    #[error("{}: no space left", .0.display())]
    NoSpace(PathBuf),
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The operating system's word.
        source: io::Error,
    },
    /// The record.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RepositoryError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => {
                "a name is a file's name, without folders; spaces and Chinese characters are fine".into()
            }
            Self::Version { .. } => "1, 2.0.1, 2026-11-23: what tells it from the others".into(),
            Self::Nameless(_) => "--name says what it is called".into(),
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => format!("did you mean `{nearest}`?"),
            Self::Unknown { .. } => "`iomsctl repo list` lists them; `iomsctl repo add FILE` adds one".into(),
            Self::NoVersion { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Several { name, .. } => format!("say which: {name}@VERSION"),
            Self::Unpublished(entry) => format!(
                "only published files are handed out: iomsctl repo publish {entry}"
            ),
            Self::Taken(_) => "give it another --version, or remove the old one first".into(),
            Self::Missing(_) | Self::Altered { .. } => {
                "`iomsctl repo verify --rehash` looks at all; adding the same file again puts its content back".into()
            }
            Self::NotRegular { .. } => "only regular files can be added; make an archive of a folder first".into(),
            Self::Changed(_) => "add it again when whoever writes it is done".into(),
            Self::NoSpace(_) => "nothing was added: make room, or remove what nobody needs (iomsctl repo remove)".into(),
            Self::Store(error) if error.is_full() => "make room, then say it again".into(),
            Self::Note(_) | Self::File { .. } | Self::Store(_) => return None,
        })
    }

    /// For a path of ours; a full disk has a word of its own.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace(path),
            _ => Self::File { path, source },
        }
    }

    /// The same for the operating system's numbers.
    pub(super) fn errno(path: impl Into<PathBuf>) -> impl FnOnce(rustix::io::Errno) -> Self {
        let path = path.into();
        move |errno| Self::file(path)(errno.into())
    }
}
