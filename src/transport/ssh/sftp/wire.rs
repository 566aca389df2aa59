//! Messages as bytes, and what comes back from bytes. Knows no connection.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::transport::files::FileStat;

/// The version we speak: the one everybody does.
pub(super) const VERSION: u32 = 3;

/// Kinds of messages (draft, 3).
pub(super) mod kind {
    pub(in super::super) const INIT: u8 = 1;
    pub(in super::super) const VERSION: u8 = 2;
    pub(in super::super) const OPEN: u8 = 3;
    pub(in super::super) const CLOSE: u8 = 4;
    pub(in super::super) const READ: u8 = 5;
    pub(in super::super) const WRITE: u8 = 6;
    pub(in super::super) const LSTAT: u8 = 7;
    pub(in super::super) const SETSTAT: u8 = 9;
    pub(in super::super) const FSETSTAT: u8 = 10;
    pub(in super::super) const OPENDIR: u8 = 11;
    pub(in super::super) const READDIR: u8 = 12;
    pub(in super::super) const REMOVE: u8 = 13;
    pub(in super::super) const MKDIR: u8 = 14;
    pub(in super::super) const RMDIR: u8 = 15;
    pub(in super::super) const STAT: u8 = 17;
    pub(in super::super) const RENAME: u8 = 18;
    pub(in super::super) const READLINK: u8 = 19;
    pub(in super::super) const SYMLINK: u8 = 20;
    pub(in super::super) const STATUS: u8 = 101;
    pub(in super::super) const HANDLE: u8 = 102;
    pub(in super::super) const DATA: u8 = 103;
    pub(in super::super) const NAME: u8 = 104;
    pub(in super::super) const ATTRS: u8 = 105;
    pub(in super::super) const EXTENDED: u8 = 200;
    pub(in super::super) const EXTENDED_REPLY: u8 = 201;
}

/// How a file is opened (draft, 6.3).
pub(super) mod flag {
    pub(in super::super) const READ: u32 = 0x01;
    pub(in super::super) const WRITE: u32 = 0x02;
    pub(in super::super) const CREATE: u32 = 0x08;
    pub(in super::super) const EXCLUSIVE: u32 = 0x20;
}

const SIZE: u32 = 0x01;
const OWNER: u32 = 0x02;
const PERMISSIONS: u32 = 0x04;
const TIMES: u32 = 0x08;
const EXTENDED_ATTRIBUTES: u32 = 0x8000_0000;

/// A message in the making.
pub(super) struct Message(BytesMut);

/// Attributes to be sent (draft, 5).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes {
    pub(super) size: Option<u64>,
    pub(super) owner: Option<(u32, u32)>,
    pub(super) permissions: Option<u32>,
    pub(super) mtime: Option<u32>,
}

impl Message {
    /// With its number; of an [`kind::INIT`]: with the version.
    pub(super) fn new(kind: u8, number: u32) -> Self {
        let mut bytes = BytesMut::with_capacity(128);
        bytes.put_u32(0);
        bytes.put_u8(kind);
        bytes.put_u32(number);
        Self(bytes)
    }

    /// Gives it the number it goes out with.
    pub(super) fn numbered(mut self, number: u32) -> Self {
        if let Some(field) = self.0.get_mut(5..9) {
            field.copy_from_slice(&number.to_be_bytes());
        }
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.put_u32(value);
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.put_u64(value);
        self
    }

    pub(super) fn string(mut self, bytes: &[u8]) -> Self {
        self.0.put_u32(length(bytes));
        self.0.put_slice(bytes);
        self
    }

    pub(super) fn attributes(self, attributes: Attributes) -> Self {
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        let mut message = self.u32(
            bit(attributes.size.is_some(), SIZE)
                | bit(attributes.owner.is_some(), OWNER)
                | bit(attributes.permissions.is_some(), PERMISSIONS)
                | bit(attributes.mtime.is_some(), TIMES),
        );
        if let Some(size) = attributes.size {
            message = message.u64(size);
        }
        if let Some((user, group)) = attributes.owner {
            message = message.u32(user).u32(group);
        }
        if let Some(permissions) = attributes.permissions {
            message = message.u32(permissions);
        }
        if let Some(mtime) = attributes.mtime {
            // The time of access goes with it.
            message = message.u32(mtime).u32(mtime);
        }
        message
    }

    /// The bytes that go before `payload`, which is the message's last string where there is one.
    pub(super) fn finish(mut self, payload: &[u8]) -> Bytes {
        let whole = (self.0.len() - 4 + payload.len()) as u64;
        if let Some(field) = self.0.get_mut(..4) {
            field.copy_from_slice(&u32::try_from(whole).unwrap_or(u32::MAX).to_be_bytes());
        }
        self.0.freeze()
    }
}

pub(super) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// What can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host's SFTP server answers what makes no sense")]
pub(super) struct Garbled;

/// What is left of a message that is being read.
#[derive(Debug, Clone)]
pub(super) struct Fields(pub(super) Bytes);

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn u8(&mut self) -> Result<u8, Garbled> {
        self.0.try_get_u8().map_err(|_| Garbled)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Garbled> {
        self.0.try_get_u32().map_err(|_| Garbled)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Garbled> {
        self.0.try_get_u64().map_err(|_| Garbled)
    }

    pub(super) fn string(&mut self) -> Result<Bytes, Garbled> {
        let length = self.u32()? as usize;
        if length > self.0.len() {
            return Err(Garbled);
        }
        Ok(self.0.split_to(length))
    }

    /// What the server does not tell is 0.
    pub(super) fn attributes(&mut self) -> Result<FileStat, Garbled> {
        let told = self.u32()?;
        let mut stat = FileStat {
            mode: 0,
            size: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
        };
        if told & SIZE != 0 {
            stat.size = self.u64()?;
        }
        if told & OWNER != 0 {
            (stat.uid, stat.gid) = (self.u32()?, self.u32()?);
        }
        if told & PERMISSIONS != 0 {
            stat.mode = self.u32()?;
        }
        if told & TIMES != 0 {
            let _accessed = self.u32()?;
            stat.mtime = self.u32()?.into();
        }
        if told & EXTENDED_ATTRIBUTES != 0 {
            for _ in 0..self.u32()? {
                let _name_and_value = (self.string()?, self.string()?);
            }
        }
        Ok(stat)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) kind: u8,
    /// Of a [`kind::VERSION`]: the version.
    pub(super) number: u32,
    pub(super) fields: Fields,
}

impl Reply {
    pub(super) fn read(packet: Bytes) -> Result<Self, Garbled> {
        let mut fields = Fields(packet);
        Ok(Self {
            kind: fields.u8()?,
            number: fields.u32()?,
            fields,
        })
    }
}

/// An answer's `STATUS` (draft, 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u32,
    /// The server's words; old servers have none.
    pub(super) words: Bytes,
}

pub(super) const OK: u32 = 0;
pub(super) const END: u32 = 1;
pub(super) const NO_SUCH_FILE: u32 = 2;
pub(super) const PERMISSION_DENIED: u32 = 3;
pub(super) const FAILURE: u32 = 4;
pub(super) const UNSUPPORTED: u32 = 8;
/// Of later drafts.
pub(super) const FILE_ALREADY_EXISTS: u32 = 11;

impl Status {
    pub(super) fn read(mut fields: Fields) -> Result<Self, Garbled> {
        Ok(Self {
            code: fields.u32()?,
            words: fields.string().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_nobody_asked_for_are_passed_over() {
        let message = Message(BytesMut::new())
            .u32(PERMISSIONS | EXTENDED_ATTRIBUTES)
            .u32(0o100_644)
            .u32(2)
            .string(b"acl")
            .string(b"\xff\0")
            .string(b"b")
            .string(b"")
            .u32(77);
        let mut fields = Fields(message.0.freeze());
        assert_eq!(fields.attributes().unwrap().mode, 0o100_644);
        assert_eq!(fields.u32(), Ok(77));
        assert!(fields.is_empty());
    }

    #[test]
    fn a_message_says_how_long_it_is_with_what_follows() {
        let message = Message::new(kind::WRITE, 0).string(b"h").u64(7).u32(3);
        let bytes = message.numbered(9).finish(b"abc");
        assert_eq!(
            &bytes[..],
            b"\0\0\0\x19\x06\0\0\0\x09\0\0\0\x01h\0\0\0\0\0\0\0\x07\0\0\0\x03"
        );
    }

    proptest! {
        #[test]
        fn whatever_a_host_says_is_read_or_refused(bytes: Vec<u8>) {
            if let Ok(mut reply) = Reply::read(Bytes::from(bytes)) {
                let _ = Status::read(reply.fields.clone());
                let _ = reply.fields.clone().attributes();
                while !reply.fields.is_empty() && reply.fields.string().is_ok() {}
            }
        }
    }
}
