//! Outputs in the database: each distinct one once, in compressed pieces.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sqlx::{Any, QueryBuilder, Row as _, Transaction};

use super::database::Store;
use super::error::StoreError;
use super::journal::{Content, OutputRecord};

/// The plain size of a piece, in bytes.
const PIECE: usize = 1 << 20;
/// No piece is larger when it is read, whatever the database says, in bytes.
const PIECE_MAX: usize = 2 * PIECE;
/// Outputs are compressed as they come: the fastest level gives most of the gain.
const LEVEL: i32 = 1;
/// Pieces are written together up to this size, in bytes.
const TOGETHER: usize = 4 << 20;
/// In a statement, what is not a piece's content, in bytes: about 80 a row, and its text.
const MARGIN: usize = 64 * 1024;

/// Pieces on their way into the database.
pub(super) struct Outputs {
    /// What this run has stored already.
    stored: HashSet<String>,
    compressor: zstd::bulk::Compressor<'static>,
    waiting: Vec<(String, i64, Vec<u8>)>,
    bytes: usize,
}

impl Outputs {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            stored: HashSet::new(),
            compressor: zstd::bulk::Compressor::new(LEVEL)?,
            waiting: Vec::new(),
            bytes: 0,
        })
    }

    /// Takes an output in, unless this run has it already.
    pub(super) async fn add(
        &mut self,
        store: &Store,
        tx: &mut Transaction<'static, Any>,
        folder: &Path,
        output: &OutputRecord,
    ) -> Result<(), StoreError> {
        let (Some(digest), Some(content)) = (&output.digest, &output.content) else {
            return Ok(());
        };
        if !self.stored.insert(digest.clone()) {
            return Ok(());
        }
        // A write that broke off may have left more in the file.
        let mut reader = open(folder, content)?.take(output.kept);
        for piece in 0.. {
            let mut plain = Vec::new();
            reader
                .by_ref()
                .take(PIECE as u64)
                .read_to_end(&mut plain)
                .map_err(StoreError::file(folder))?;
            if plain.is_empty() {
                break;
            }
            let packed = self
                .compressor
                .compress(&plain)
                .map_err(StoreError::file(folder))?;
            let room = store.packet.saturating_sub(MARGIN).min(TOGETHER);
            if packed.len() > room {
                return Err(StoreError::Packet {
                    shown: store.url.to_string(),
                    packet: store.packet,
                    what: "an output",
                    enough: "2M".into(),
                });
            }
            if self.bytes + packed.len() > room || self.waiting.len() >= 500 {
                self.write(store, tx).await?;
            }
            self.bytes += packed.len();
            self.waiting.push((digest.clone(), piece, packed));
        }
        Ok(())
    }

    /// Writes what waits.
    pub(super) async fn write(
        &mut self,
        store: &Store,
        tx: &mut Transaction<'static, Any>,
    ) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let mut insert = QueryBuilder::<Any>::new(store.insert_new());
        insert.push(" INTO outputs (digest, piece, content) ");
        insert.push_values(
            self.waiting.drain(..),
            |mut row, (digest, piece, content)| {
                row.push_bind(digest).push_bind(piece).push_bind(content);
            },
        );
        insert
            .build()
            .persistent(false)
            .execute(&mut **tx)
            .await
            .map_err(|error| store.failed(error))?;
        Ok(())
    }

    /// After a transaction that failed: nothing is known to be stored.
    pub(super) fn forget(&mut self) {
        self.stored.clear();
        self.waiting.clear();
        self.bytes = 0;
    }
}

fn open(folder: &Path, content: &Content) -> Result<Box<dyn Read + Send>, StoreError> {
    Ok(match content {
        Content::Text(text) => Box::new(Cursor::new(text.clone().into_bytes())),
        Content::B64(text) => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|error| StoreError::Content(format!("an output of a journal: {error}")))?;
            Box::new(Cursor::new(bytes))
        }
        Content::File(name) => {
            // A name, never a path: the journal may be anybody's.
            if name.contains('/') || name.starts_with('.') {
                return Err(StoreError::Content(format!(
                    "a journal names the file {name:?}"
                )));
            }
            let path = folder.join(name);
            Box::new(File::open(&path).map_err(StoreError::file(&path))?)
        }
    })
}

impl Store {
    /// The pieces of an output, in order, each handed to `take`; false from it ends that.
    pub async fn output(
        &self,
        digest: &str,
        mut take: impl FnMut(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        for piece in 0_i64.. {
            let row = sqlx::query("SELECT content FROM outputs WHERE digest = ? AND piece = ?")
                .bind(digest)
                .bind(piece)
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
            let Some(row) = row else { return Ok(()) };
            let packed: Vec<u8> = row.try_get(0).map_err(|error| self.failed(error))?;
            let plain = zstd::bulk::decompress(&packed, PIECE_MAX)
                .map_err(|error| StoreError::Content(format!("output {digest}: {error}")))?;
            if !take(&plain)? {
                return Ok(());
            }
        }
        Ok(())
    }
}
