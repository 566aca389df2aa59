//! What became of the files of an upload or a download on one host, and how much of a run's files
//! has moved. Knows nothing of how files move.

use serde::{Deserialize, Serialize};

/// What became of one file on a host (contract.md: `files` of `upload` and `download`); the field
/// order is the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Where it is from: a path, or a name of the file repository.
    pub source: String,
    /// Where it is put.
    pub target: String,
    /// What was done.
    pub action: FileAction,
    /// Its size, in bytes.
    pub size: u64,
    /// Its MD5 in hexadecimal, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Its SHA-256 in hexadecimal, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many bytes of its content went over the wire.
    pub bytes: u64,
    /// The way they went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Route>,
    /// So many files this entry stands for, where it is not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Attributes were set though the content was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// Its content was moved, all of it.
    Sent,
    /// It was there already.
    Kept,
    /// Its content was moved from where an earlier run had come to.
    Resumed,
    /// It was taken away.
    Removed,
    /// It was compared only, and is the same.
    Verified,
    /// It was compared only, and is not the same.
    Differs,
}

impl FileAction {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Kept => "kept",
            Self::Resumed => "resumed",
            Self::Removed => "removed",
            Self::Verified => "verified",
            Self::Differs => "differs",
        }
    }
}

/// The way a file's content went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// By SFTP.
    Sftp,
    /// Through the standard input or output of a command.
    Stream,
    /// The host fetched it over HTTP.
    Pull,
    /// In messages of WinRM.
    Winrm,
    /// From another host.
    Relay,
}

impl Route {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Stream => "stream",
            Self::Pull => "pull",
            Self::Winrm => "winrm",
            Self::Relay => "relay",
        }
    }
}

/// How far a run's files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// Bytes of content that were moved.
    pub moved: u64,
    /// Bytes that are to be moved in all, as far as is known: it grows as hosts are asked.
    pub expected: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_documents_and_a_record_comes_back_as_it_was() {
        use FileAction::{Differs, Kept, Removed, Resumed, Sent, Verified};
        for action in [Sent, Kept, Resumed, Removed, Verified, Differs] {
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
        }
        use Route::{Pull, Relay, Sftp, Stream, Winrm};
        for route in [Sftp, Stream, Pull, Winrm, Relay] {
            assert_eq!(serde_json::to_value(route).unwrap(), route.name());
        }
        let mut file = FileRecord {
            source: "a.tar".into(),
            target: "/srv/a.tar".into(),
            action: Kept,
            size: 5,
            md5: None,
            sha256: None,
            bytes: 0,
            via: None,
            files: None,
            changed: false,
        };
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(
            text,
            r#"{"source":"a.tar","target":"/srv/a.tar","action":"kept","size":5,"bytes":0}"#
        );
        assert_eq!(serde_json::from_str::<FileRecord>(&text).unwrap(), file);
        file.md5 = Some("00".into());
        file.sha256 = Some("11".into());
        file.via = Some(Stream);
        file.files = Some(3);
        file.changed = true;
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(
            text,
            r#"{"source":"a.tar","target":"/srv/a.tar","action":"kept","size":5,"md5":"00","sha256":"11","bytes":0,"via":"stream","files":3,"changed":true}"#
        );
        assert_eq!(serde_json::from_str::<FileRecord>(&text).unwrap(), file);
    }
}
