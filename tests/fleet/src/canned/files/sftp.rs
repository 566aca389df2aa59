//! SFTP for one channel, as OpenSSH's server speaks it, with as little work as possible.

use std::collections::HashMap;

use bytes::{BufMut as _, Bytes};
use russh::server::Msg;
use russh::{Channel, ChannelMsg};

use super::entry::{Content, Entry, Written};
use super::store::{Host, No, absolute};
use super::wire::{Answers, Attributes, Fields, Messages, put_attributes, put_string};

/// The most bytes of a read or a write: OpenSSH's.
const MOST: usize = 255 * 1024;
/// Names in one answer: OpenSSH's.
const NAMES: usize = 100;

const OK: (u32, &str) = (0, "Success");
const END: (u32, &str) = (1, "End of file");
const BAD_MESSAGE: (u32, &str) = (5, "Bad message");
const UNSUPPORTED: (u32, &str) = (8, "Operation unsupported");

/// One channel's session.
struct Session {
    host: Host,
    zeros: Bytes,
    next: u32,
    open: HashMap<u32, Open>,
}

/// What is open.
enum Open {
    File(Vec<u8>),
    Folder(Vec<(Bytes, Entry)>),
}

/// What is said to a request.
enum Answer {
    Status((u32, &'static str)),
    Handle(Open),
    Data(Bytes),
    Attributes(Entry),
    Names(Vec<(Bytes, Entry)>),
    Limits,
}

impl From<No> for Answer {
    fn from(no: No) -> Self {
        Self::Status(match no {
            No::NoSuchFile => (2, "No such file"),
            No::Failure(words) => (4, words),
        })
    }
}

impl From<Result<(), No>> for Answer {
    fn from(result: Result<(), No>) -> Self {
        result.map_or_else(Self::from, |()| Self::Status(OK))
    }
}

/// Serves a host's files until the channel ends.
pub(in super::super) async fn serve(mut channel: Channel<Msg>, host: Host) -> Option<()> {
    let mut session = Session {
        host,
        zeros: Bytes::from(vec![0; MOST]),
        next: 0,
        open: HashMap::new(),
    };
    let mut messages = Messages::default();
    loop {
        match channel.wait().await? {
            ChannelMsg::Data { mut data } => {
                let mut answers = Answers::default();
                while let Some(message) = messages.next(&mut data) {
                    if let Some(content) = session.answer(message, &mut answers) {
                        channel
                            .data_bytes(answers.bytes.split().freeze())
                            .await
                            .ok()?;
                        channel.data_bytes(content).await.ok()?;
                    }
                }
                if !answers.bytes.is_empty() {
                    channel.data_bytes(answers.bytes.freeze()).await.ok()?;
                }
            }
            ChannelMsg::Eof => {
                channel.exit_status(0).await.ok()?;
                channel.eof().await.ok()?;
                return channel.close().await.ok();
            }
            ChannelMsg::Close => return None,
            _ => {}
        }
    }
}

impl Session {
    /// Answers one request; the content that follows the answer, if any.
    fn answer(&mut self, message: Bytes, answers: &mut Answers) -> Option<Bytes> {
        let mut fields = Fields(message);
        let (kind, number) = (fields.u8()?, fields.u32()?);
        if kind == 1 {
            answers.add(2, 0, |to| {
                to.put_u32(3);
                for (name, version) in [
                    ("posix-rename@openssh.com", "1"),
                    ("limits@openssh.com", "1"),
                ] {
                    put_string(to, name.as_bytes());
                    put_string(to, version.as_bytes());
                }
            });
            return None;
        }
        let answer = self.request(kind, &mut fields);
        match answer.unwrap_or(Answer::Status(BAD_MESSAGE)) {
            Answer::Status((code, words)) => answers.add(101, 0, |to| {
                to.put_u32(number);
                to.put_u32(code);
                put_string(to, words.as_bytes());
                put_string(to, b"");
            }),
            Answer::Handle(open) => {
                let handle = self.next;
                self.next = self.next.wrapping_add(1);
                self.open.insert(handle, open);
                answers.add(102, 0, |to| {
                    to.put_u32(number);
                    put_string(to, &handle.to_be_bytes());
                });
            }
            Answer::Data(content) => {
                answers.add(103, content.len(), |to| {
                    to.put_u32(number);
                    to.put_u32(u32::try_from(content.len()).unwrap_or(u32::MAX));
                });
                return Some(content);
            }
            Answer::Attributes(entry) => answers.add(105, 0, |to| {
                to.put_u32(number);
                put_attributes(to, &entry);
            }),
            Answer::Names(names) => answers.add(104, 0, |to| {
                to.put_u32(number);
                to.put_u32(u32::try_from(names.len()).unwrap_or(u32::MAX));
                for (name, entry) in &names {
                    put_string(to, name);
                    put_string(to, name);
                    put_attributes(to, entry);
                }
            }),
            Answer::Limits => answers.add(201, 0, |to| {
                to.put_u32(number);
                for limit in [256 * 1024, MOST as u64, MOST as u64, 1000] {
                    to.put_u64(limit);
                }
            }),
        }
        None
    }

    /// `None`: it makes no sense.
    fn request(&mut self, kind: u8, fields: &mut Fields) -> Option<Answer> {
        let subject = fields.string()?;
        Some(match kind {
            3 => self.open(&subject, fields.u32()?, &fields.attributes()?),
            4 => Answer::Status(match self.open.remove(&handle(&subject)?) {
                Some(_) => OK,
                None => BAD_MESSAGE,
            }),
            5 => self.read(&subject, fields.u64()?, fields.u32()?)?,
            6 => self.write(&subject, fields.u64()?, fields.string()?)?,
            7 => self.stat(&absolute(&subject)),
            8 => self.stat(self.file(&subject)?),
            9 => {
                let attributes = fields.attributes()?;
                let path = self.host.followed(&subject);
                let set = self.host.with(&path, |entry| attributes.set(entry));
                set.into()
            }
            10 => {
                let attributes = fields.attributes()?;
                let path = self.file(&subject)?;
                self.host.with(path, |entry| attributes.set(entry)).into()
            }
            11 => match self.host.list(&self.host.followed(&subject)) {
                Ok(names) => Answer::Handle(Open::Folder(names)),
                Err(no) => no.into(),
            },
            12 => match self.open.get_mut(&handle(&subject)?)? {
                Open::Folder(names) if names.is_empty() => Answer::Status(END),
                Open::Folder(names) => {
                    Answer::Names(names.drain(..names.len().min(NAMES)).collect())
                }
                Open::File(_) => return None,
            },
            13 => self.host.remove(&absolute(&subject), false).into(),
            14 => {
                let mode = fields.attributes()?.mode.unwrap_or(0o755);
                let entry = Entry::new(Content::Folder, mode & 0o7777);
                self.host.make(&absolute(&subject), entry).into()
            }
            15 => self.host.remove(&absolute(&subject), true).into(),
            16 => named(absolute(&subject)),
            17 => self.stat(&self.host.followed(&subject)),
            18 => self.rename(&subject, &fields.string()?, false),
            19 => match self
                .host
                .with(&absolute(&subject), |entry| entry.content.clone())
            {
                Ok(Content::Link(to)) => named(to),
                Ok(_) => No::Failure("Invalid argument").into(),
                Err(no) => no.into(),
            },
            20 => {
                let path = absolute(&fields.string()?);
                let link = Entry::new(Content::Link(subject.to_vec()), 0o777);
                self.host.make(&path, link).into()
            }
            200 => match &subject[..] {
                b"limits@openssh.com" => Answer::Limits,
                b"posix-rename@openssh.com" => {
                    self.rename(&fields.string()?, &fields.string()?, true)
                }
                _ => Answer::Status(UNSUPPORTED),
            },
            _ => Answer::Status(UNSUPPORTED),
        })
    }

    fn file(&self, subject: &[u8]) -> Option<&[u8]> {
        match self.open.get(&handle(subject)?)? {
            Open::File(path) => Some(path),
            Open::Folder(_) => None,
        }
    }

    fn stat(&self, path: &[u8]) -> Answer {
        match self.host.with(path, |entry| entry.clone()) {
            Ok(entry) => Answer::Attributes(entry),
            Err(no) => no.into(),
        }
    }

    fn rename(&self, from: &[u8], to: &[u8], replace: bool) -> Answer {
        let (from, to) = (absolute(from), absolute(to));
        self.host.rename(&from, &to, replace).into()
    }

    fn open(&self, path: &[u8], flags: u32, attributes: &Attributes) -> Answer {
        const CREATE: u32 = 0x08;
        const TRUNCATE: u32 = 0x10;
        const EXCLUSIVE: u32 = 0x20;
        let path = self.host.followed(path);
        if flags & CREATE != 0 {
            let mode = attributes.mode.unwrap_or(0o644) & 0o7777;
            let made = self.host.make(
                &path,
                Entry::new(Content::Written(Written::default()), mode),
            );
            match made {
                Err(No::Failure(_)) if flags & EXCLUSIVE == 0 => {}
                Err(no) => return no.into(),
                Ok(()) => {}
            }
        }
        let opened = self.host.with(&path, |entry| {
            if matches!(entry.content, Content::Folder) {
                return Err(No::Failure("Is a directory"));
            }
            if flags & TRUNCATE != 0 {
                entry.content.resize(0);
            }
            Ok(())
        });
        match opened.and_then(|opened| opened) {
            Ok(()) => Answer::Handle(Open::File(path)),
            Err(no) => no.into(),
        }
    }

    fn read(&self, subject: &[u8], offset: u64, length: u32) -> Option<Answer> {
        let length = length.min(u32::try_from(MOST).unwrap_or(u32::MAX));
        let read = self.host.with(self.file(subject)?, |entry| {
            entry.content.read(offset, length, &self.zeros)
        });
        Some(match read {
            Ok(content) if content.is_empty() => Answer::Status(END),
            Ok(content) => Answer::Data(content),
            Err(no) => no.into(),
        })
    }

    fn write(&self, subject: &[u8], offset: u64, content: Bytes) -> Option<Answer> {
        let path = self.file(subject)?;
        let written = self
            .host
            .with(path, |entry| entry.content.write(offset, content));
        Some(written.into())
    }
}

fn handle(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn named(name: Vec<u8>) -> Answer {
    let entry = Entry::new(Content::Zeros(0), 0);
    Answer::Names(vec![(name.into(), entry)])
}
