//! What became of files, in the database: a host's list is a JSON array in its row. Lists may be
//! long, so rows are put into statements by their size too.

use super::database::Store;
use super::error::StoreError;
use super::journal::HostRecord;
use crate::event::{FileRecord, HostIx};

/// Rows of one statement: SQLite takes 32766 values, MySQL 65535.
pub(super) const ROWS: usize = 200;
/// Lists are written together up to this size, in bytes.
const TOGETHER: usize = 4 << 20;
/// In a statement, what is not a list, in bytes: rows are small but for a host's error.
const MARGIN: usize = 256 * 1024;

/// A host's row on its way into the database.
pub(super) struct Row<'a> {
    pub(super) host: HostIx,
    pub(super) result: &'a HostRecord,
    /// Its list as text.
    pub(super) files: Option<String>,
}

impl<'a> Row<'a> {
    pub(super) fn new(host: HostIx, result: &'a HostRecord) -> Result<Self, StoreError> {
        let files = match result.files.as_slice() {
            [] => None,
            files => Some(serde_json::to_string(files).map_err(content)?),
        };
        Ok(Self {
            host,
            result,
            files,
        })
    }

    fn size(&self) -> usize {
        self.files.as_ref().map_or(0, String::len)
    }
}

/// A list out of the database.
pub(super) fn read(text: Option<String>) -> Result<Vec<FileRecord>, StoreError> {
    text.map_or(Ok(Vec::new()), |text| {
        serde_json::from_str(&text).map_err(content)
    })
}

fn content(error: serde_json::Error) -> StoreError {
    StoreError::Content(error.to_string())
}

/// The rows as one statement each can take them. A list that fits into none is an error: the journal
/// keeps the run until the database takes larger ones.
pub(super) fn statements<'r, 'a>(
    store: &Store,
    rows: &'r [Row<'a>],
) -> Result<Vec<&'r [Row<'a>]>, StoreError> {
    let most = store.packet.saturating_sub(MARGIN);
    if let Some(size) = rows.iter().map(Row::size).find(|size| *size > most) {
        return Err(StoreError::Packet {
            shown: store.url.to_string(),
            packet: store.packet,
            what: "a host's list of files",
            enough: format!("{}M", (size + MARGIN).div_ceil(1 << 20)),
        });
    }
    Ok(portions(rows, most.min(TOGETHER), Row::size))
}

/// Neighbours together, up to `ROWS` of them and up to `most` bytes, unless one alone has more.
fn portions<T>(rows: &[T], most: usize, size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut portions = Vec::new();
    let (mut rest, mut count, mut bytes) = (rows, 0, 0_usize);
    for row in rows {
        let more = size(row);
        if count == ROWS || (count > 0 && bytes.saturating_add(more) > most) {
            let (portion, behind) = rest.split_at(count);
            portions.push(portion);
            (rest, count, bytes) = (behind, 0, 0);
        }
        count += 1;
        bytes = bytes.saturating_add(more);
    }
    if !rest.is_empty() {
        portions.push(rest);
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_together_by_number_and_by_size_and_none_is_left_out() {
        let of = |sizes: &[usize]| -> Vec<Vec<usize>> {
            let portions = portions(sizes, 10, |size| *size);
            portions.into_iter().map(<[usize]>::to_vec).collect()
        };
        assert_eq!(of(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(of(&[4, 6, 1]), [vec![4, 6], vec![1]]);
        assert_eq!(of(&[0, 99, 0, 10]), [vec![0], vec![99], vec![0, 10]]);
        let many = vec![0; 2 * ROWS + 1];
        let lengths: Vec<usize> = of(&many).iter().map(Vec::len).collect();
        assert_eq!(lengths, [ROWS, ROWS, 1]);
    }
}
