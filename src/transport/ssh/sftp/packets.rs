//! Cuts what a channel says into messages. Copies only those that come in pieces, and once.

use bytes::{Bytes, BytesMut};

/// The longest message there may be: OpenSSH's own limit (`SFTP_MAX_MSG_LENGTH`).
pub(super) const LONGEST: usize = 256 * 1024;

/// What says that a message of more than [`LONGEST`] follows: the bytes that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) [u8; 4]);

/// What has come of the next message.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The length, until it is there.
    head: Vec<u8>,
    /// The rest, once its length is known.
    body: Option<(usize, BytesMut)>,
}

impl Packets {
    /// Takes in what came and hands out each message that is whole.
    pub(super) fn take(
        &mut self,
        mut data: Bytes,
        mut message: impl FnMut(Bytes),
    ) -> Result<(), TooLong> {
        while !data.is_empty() {
            let Some((length, body)) = &mut self.body else {
                self.take_head(&mut data)?;
                continue;
            };
            if body.is_empty() && data.len() >= *length {
                message(data.split_to(*length));
                self.body = None;
                continue;
            }
            let piece = data.split_to((*length - body.len()).min(data.len()));
            body.reserve(*length - body.len());
            body.extend_from_slice(&piece);
            if body.len() == *length {
                message(body.split().freeze());
                self.body = None;
            }
        }
        Ok(())
    }

    fn take_head(&mut self, data: &mut Bytes) -> Result<(), TooLong> {
        let piece = data.split_to((4 - self.head.len()).min(data.len()));
        self.head.extend_from_slice(&piece);
        if let Ok(head) = <[u8; 4]>::try_from(self.head.as_slice()) {
            let length = u32::from_be_bytes(head) as usize;
            if length > LONGEST {
                return Err(TooLong(head));
            }
            self.head.clear();
            self.body = Some((length, BytesMut::new()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> (Vec<u8>, Vec<Vec<u8>>) {
        let messages: Vec<Vec<u8>> = [1_usize, 70_000, 5, 300]
            .iter()
            .map(|length| (0..*length).map(|at| at.to_le_bytes()[0]).collect())
            .collect();
        let mut bytes = Vec::new();
        for message in &messages {
            bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            bytes.extend(message);
        }
        (bytes, messages)
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let (bytes, messages) = stream();
        for piece in [1, 3, 4, 7, 4096, 32_768, bytes.len()] {
            let mut packets = Packets::default();
            let mut found = Vec::new();
            for data in bytes.chunks(piece) {
                packets
                    .take(Bytes::copy_from_slice(data), |one| found.push(one.to_vec()))
                    .unwrap();
            }
            assert!(found == messages, "cut into {piece}");
        }
    }

    #[test]
    fn a_greeting_of_the_shell_is_no_message() {
        let said = Bytes::from_static(b"Welcome to this host\n");
        let error = Packets::default().take(said, drop).unwrap_err();
        assert_eq!(&error.0, b"Welc");
    }
}
