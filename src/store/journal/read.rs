//! Reading a journal, also while it grows and after its writer died in the middle of a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::record::Record;
use super::write::EVENTS;
use crate::store::error::StoreError;

/// No line is longer, in bytes.
const LINE_MAX: usize = 256 << 20;

/// A line with where it ends.
#[derive(Debug)]
pub(in crate::store) struct Line {
    pub(in crate::store) record: Record,
    /// The offset behind it, in bytes.
    pub(in crate::store) end: u64,
}

/// Reads a journal's lines in order.
pub(in crate::store) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    end: u64,
    line: usize,
}

impl Reader {
    pub(in crate::store) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(EVENTS);
        let file = File::open(&path).map_err(StoreError::file(&path))?;
        Ok(Self {
            path,
            file: BufReader::with_capacity(256 * 1024, file),
            end: 0,
            line: 0,
        })
    }

    /// Behind the last line that was read, in bytes.
    pub(in crate::store) fn offset(&self) -> u64 {
        self.end
    }

    /// The next whole line; `None` when there is none yet.
    pub(in crate::store) fn next(&mut self) -> Result<Option<Line>, StoreError> {
        let mut line = Vec::new();
        let got = self
            .file
            .read_until(b'\n', &mut line)
            .map_err(StoreError::file(&self.path))?;
        if line.last() != Some(&b'\n') {
            // Not written to its end (yet).
            if got > 0 {
                self.file
                    .seek(SeekFrom::Start(self.end))
                    .map_err(StoreError::file(&self.path))?;
            }
            return Ok(None);
        }
        self.line += 1;
        self.end += got as u64;
        if got > LINE_MAX {
            return Err(self.broken("the line is too long"));
        }
        let record =
            serde_json::from_slice(&line).map_err(|error| self.broken(&error.to_string()))?;
        Ok(Some(Line {
            record,
            end: self.end,
        }))
    }

    fn broken(&self, why: &str) -> StoreError {
        StoreError::Journal {
            path: self.path.clone(),
            line: self.line,
            why: why.to_owned(),
        }
    }
}
