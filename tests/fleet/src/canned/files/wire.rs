//! SFTP's messages, as far as a server needs them (draft-ietf-secsh-filexfer-02).

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::entry::Entry;

/// What is left of a request.
pub(super) struct Fields(pub(super) Bytes);

impl Fields {
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.0.try_get_u32().ok()
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.0.try_get_u64().ok()
    }

    pub(super) fn string(&mut self) -> Option<Bytes> {
        let length = self.u32()? as usize;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    pub(super) fn attributes(&mut self) -> Option<Attributes> {
        let told = self.u32()?;
        let has = |bit: u32| told & bit != 0;
        Some(Attributes {
            size: if has(1) { Some(self.u64()?) } else { None },
            owner: if has(2) {
                Some((self.u32()?, self.u32()?))
            } else {
                None
            },
            mode: if has(4) { Some(self.u32()?) } else { None },
            mtime: if has(8) {
                let _accessed = self.u32()?;
                Some(self.u32()?)
            } else {
                None
            },
        })
    }
}

/// Attributes to be set.
pub(super) struct Attributes {
    pub(super) size: Option<u64>,
    pub(super) owner: Option<(u32, u32)>,
    pub(super) mode: Option<u32>,
    pub(super) mtime: Option<u32>,
}

impl Attributes {
    pub(super) fn set(&self, entry: &mut Entry) {
        if let Some(size) = self.size {
            entry.content.resize(size);
        }
        entry.owner = self.owner.unwrap_or(entry.owner);
        entry.mode = self.mode.map_or(entry.mode, |mode| mode & 0o7777);
        entry.mtime = self.mtime.unwrap_or(entry.mtime);
    }
}

/// Answers on their way.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) bytes: BytesMut,
}

impl Answers {
    /// Adds one; `more` of its bytes follow by another way.
    pub(super) fn add(&mut self, kind: u8, more: usize, write: impl FnOnce(&mut BytesMut)) {
        let start = self.bytes.len();
        self.bytes.put_u32(0);
        self.bytes.put_u8(kind);
        write(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - start - 4 + more).unwrap_or(u32::MAX);
        if let Some(field) = self.bytes.get_mut(start..start + 4) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }
}

pub(super) fn put_string(to: &mut BytesMut, bytes: &[u8]) {
    to.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    to.put_slice(bytes);
}

pub(super) fn put_attributes(to: &mut BytesMut, entry: &Entry) {
    to.put_u32(1 | 2 | 4 | 8);
    to.put_u64(entry.content.size());
    to.put_u32(entry.owner.0);
    to.put_u32(entry.owner.1);
    to.put_u32(entry.full_mode());
    to.put_u32(entry.mtime);
    to.put_u32(entry.mtime);
}

/// Cuts what a channel says into messages.
#[derive(Default)]
pub(super) struct Messages {
    head: Vec<u8>,
    body: Option<(usize, BytesMut)>,
}

impl Messages {
    /// The next message in what came, if it is whole. What is left over is kept.
    pub(super) fn next(&mut self, data: &mut Bytes) -> Option<Bytes> {
        loop {
            let Some((length, mut body)) = self.body.take() else {
                if data.is_empty() {
                    return None;
                }
                self.head.push(data.get_u8());
                if let Ok(head) = <[u8; 4]>::try_from(self.head.as_slice()) {
                    self.head.clear();
                    self.body = Some((u32::from_be_bytes(head) as usize, BytesMut::new()));
                }
                continue;
            };
            let missing = length - body.len();
            if body.is_empty() && data.len() >= length {
                return Some(data.split_to(length));
            }
            if body.is_empty() {
                body.reserve(length.min(1 << 20));
            }
            body.extend_from_slice(&data.split_to(missing.min(data.len())));
            if body.len() == length {
                return Some(body.freeze());
            }
            self.body = Some((length, body));
            if data.is_empty() {
                return None;
            }
        }
    }
}
