//! The lines of a journal.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::digest;
use crate::event::{
    Body, Captured, FileRecord, HostError, HostIx, HostResult, Outcome, PlayEvent, RunHeader,
    Stopped, Summary, Timings,
};

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(in crate::store) enum Record {
    RunStarted {
        header: Box<RunHeader>,
    },
    HostStarted {
        host: HostIx,
        #[serde(with = "crate::base::clock::serde_rfc3339")]
        at: Timestamp,
    },
    HostFinished {
        host: HostIx,
        result: Box<HostRecord>,
    },
    Play {
        #[serde(with = "crate::base::clock::serde_rfc3339")]
        at: Timestamp,
        said: Box<PlayEvent>,
    },
    RunFinished {
        #[serde(with = "crate::base::clock::serde_rfc3339")]
        finished: Timestamp,
        stopped: Option<Stopped>,
        summary: Summary,
    },
}

/// A host's result, with its outputs or where they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::store) struct HostRecord {
    pub(in crate::store) outcome: Outcome,
    pub(in crate::store) exit: Option<i32>,
    pub(in crate::store) signal: Option<String>,
    pub(in crate::store) encoding: String,
    #[serde(with = "crate::base::clock::serde_rfc3339")]
    pub(in crate::store) started: Timestamp,
    pub(in crate::store) duration_us: u64,
    pub(in crate::store) attempts: u32,
    pub(in crate::store) error: Option<HostError>,
    pub(in crate::store) timings_us: Option<(u64, u64)>,
    pub(in crate::store) stdout: OutputRecord,
    pub(in crate::store) stderr: OutputRecord,
    /// Empty in journals from before there were uploads, as for other verbs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) files: Vec<FileRecord>,
}

/// One output.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::store) struct OutputRecord {
    pub(in crate::store) total: u64,
    pub(in crate::store) kept: u64,
    /// SHA-256 of what is kept; none where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) content: Option<Content>,
}

/// What is kept, or where.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store) enum Content {
    /// As it is.
    Text(String),
    /// What is not UTF-8.
    B64(String),
    /// In this file of the journal's folder.
    File(String),
}

impl Content {
    fn of(body: &Body) -> Self {
        match body {
            Body::Inline(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::B64(STANDARD.encode(bytes)),
            },
            Body::Spilled(path) => Self::File(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default(),
            ),
        }
    }
}

impl OutputRecord {
    /// `no_log`: nothing of it is kept.
    fn of(output: &Captured, no_log: bool) -> Self {
        if output.kept == 0 || no_log {
            return Self {
                total: output.total,
                ..Self::default()
            };
        }
        Self {
            total: output.total,
            kept: output.kept,
            digest: Some(digest::hex(&output.digest)),
            content: Some(Content::of(&output.body)),
        }
    }
}

impl HostRecord {
    pub(in crate::store) fn of(result: &HostResult, no_log: bool) -> Self {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            outcome: result.outcome,
            exit: result.exit,
            signal: result.signal.clone(),
            encoding: result.encoding.name(),
            started: result.started,
            duration_us: us(result.duration),
            attempts: result.attempts,
            error: result.error.clone(),
            timings_us: result
                .timings
                .map(|Timings { connect, auth }| (us(connect), us(auth))),
            stdout: OutputRecord::of(&result.stdout, no_log),
            stderr: OutputRecord::of(&result.stderr, no_log),
            files: if no_log {
                Vec::new()
            } else {
                result.files.clone()
            },
        }
    }
}
