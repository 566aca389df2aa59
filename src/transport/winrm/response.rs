//! Reading of what a host answers (MS-WSMV 2.2.4, DSP0226): an envelope to typed data. Answers are
//! hostile until shown otherwise: depth and lengths are bounded, no entities but XML's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::fault::Fault;
use crate::event::Stream;

/// How deep elements may be: Windows' answers are 12 deep at most.
const DEPTH: usize = 48;
/// How long a name of ours or theirs (a shell, a message) may be.
const NAME: usize = 256;
/// How much of a fault's text is kept.
const PROSE: usize = 2048;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The request it answers: `uuid:...`.
    pub relates_to: Option<String>,
    /// The shell that was opened.
    pub shell: Option<String>,
    /// The command that was started.
    pub command: Option<String>,
    /// Output, in order.
    pub output: Vec<(Stream, Bytes)>,
    /// Whether the command is over.
    pub done: bool,
    /// Its exit code, as Windows has it: 32 bits, shown signed.
    pub exit: Option<i32>,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// `ProductVersion` of an identity: `OS: 10.0.20348 SP: 0.0 Stack: 3.0`.
    pub version: Option<String>,
    /// `MaxEnvelopeSizekb` of the service's settings.
    pub max_envelope_kb: Option<u32>,
}

/// Why an answer can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no XML.
    #[error("it is not well-formed XML: {0}")]
    Xml(String),
    /// It is XML, but no SOAP.
    #[error("it is no SOAP envelope")]
    NoEnvelope,
    /// It nests without end.
    #[error("its elements are nested deeper than {DEPTH}")]
    TooDeep,
    /// It brings entities of its own.
    #[error("it defines entities of its own, which no WS-Management service does")]
    Entities,
    /// Something in it is not what it should be.
    #[error("its {0} is not what it should be")]
    Value(&'static str),
}

/// Reads an answer.
pub fn parse(bytes: &[u8]) -> Result<Response, Malformed> {
    let mut reader = Reader::from_reader(bytes);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    let mut parsing = Parsing::default();
    loop {
        match reader.read_event().map_err(xml)? {
            Event::Start(start) => parsing.start(&start)?,
            Event::End(_) => parsing.end()?,
            Event::Text(text) => parsing.text(&text),
            Event::CData(text) => parsing.text(&text),
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().map_err(xml)? {
                    Some(c) => c.to_string(),
                    None => std::str::from_utf8(&reference)
                        .ok()
                        .and_then(resolve_predefined_entity)
                        .ok_or(Malformed::Entities)?
                        .to_owned(),
                };
                parsing.text(c.as_bytes());
            }
            Event::DocType(_) => return Err(Malformed::Entities),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    if !parsing.stack.is_empty() {
        return Err(Malformed::Xml("it ends in the middle".to_owned()));
    }
    if !parsing.envelope {
        return Err(Malformed::NoEnvelope);
    }
    Ok(parsing.response)
}

fn xml(error: impl std::fmt::Display) -> Malformed {
    Malformed::Xml(error.to_string().chars().take(200).collect())
}

/// The elements that matter; all others are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Envelope,
    Header,
    Body,
    RelatesTo,
    ShellId,
    CommandId,
    Stream(Stream),
    ExitCode,
    Fault,
    Value,
    Reason,
    WsmanFault,
    Extended,
    Version,
    MaxEnvelope,
    Other,
}

#[derive(Default)]
struct Parsing {
    response: Response,
    stack: Vec<Node>,
    /// The text of the innermost element that has one.
    text: Vec<u8>,
    envelope: bool,
    /// The text of the fault's details, which says more than its reason.
    detail: String,
}

impl Parsing {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Malformed> {
        if self.stack.len() >= DEPTH {
            return Err(Malformed::TooDeep);
        }
        let node = self.node(start)?;
        if self.stack.is_empty() {
            if node != Node::Envelope || self.envelope {
                return Err(Malformed::NoEnvelope);
            }
            self.envelope = true;
        }
        self.take_detail();
        self.text.clear();
        self.stack.push(node);
        Ok(())
    }

    fn node(&mut self, start: &BytesStart<'_>) -> Result<Node, Malformed> {
        let name = start.local_name();
        let node = match (self.stack.len(), name.as_ref()) {
            (0, b"Envelope") => Node::Envelope,
            (1, b"Header") => Node::Header,
            (1, b"Body") => Node::Body,
            (2, b"RelatesTo") if self.within(Node::Header) => Node::RelatesTo,
            (2, b"Fault") if self.within(Node::Body) => {
                self.response.fault = Some(Fault::default());
                Node::Fault
            }
            _ if self.within(Node::Fault) => self.fault_node(name.as_ref(), start)?,
            _ if !self.within(Node::Body) => Node::Other,
            (_, b"Selector") if attribute(start, b"Name")?.as_deref() == Some("ShellId") => {
                Node::ShellId
            }
            (_, b"ShellId") => Node::ShellId,
            (_, b"CommandId") => Node::CommandId,
            (_, b"Stream") => match attribute(start, b"Name")?.as_deref() {
                Some("stdout") => Node::Stream(Stream::Stdout),
                Some("stderr") => Node::Stream(Stream::Stderr),
                _ => Node::Other,
            },
            (_, b"CommandState") => {
                let state = attribute(start, b"State")?.unwrap_or_default();
                self.response.done |= state.ends_with("CommandState/Done");
                Node::Other
            }
            (_, b"ExitCode") => Node::ExitCode,
            (_, b"ProductVersion") => Node::Version,
            (_, b"MaxEnvelopeSizekb") => Node::MaxEnvelope,
            _ => Node::Other,
        };
        Ok(node)
    }

    /// Inside of a fault (MS-WSMV 2.2.4.43; SOAP 1.2, 5.4).
    fn fault_node(&mut self, name: &[u8], start: &BytesStart<'_>) -> Result<Node, Malformed> {
        Ok(match name {
            b"Value" => Node::Value,
            b"Text" => Node::Reason,
            b"WSManFault" => {
                let code = attribute(start, b"Code")?.and_then(|code| code.parse().ok());
                if let Some(fault) = &mut self.response.fault {
                    // The outermost is the service's own; providers' are inside.
                    fault.code = fault.code.or(code);
                }
                Node::WsmanFault
            }
            b"ExtendedError" => Node::Extended,
            _ => Node::Other,
        })
    }

    fn within(&self, node: Node) -> bool {
        self.stack.contains(&node)
    }

    fn text(&mut self, bytes: &[u8]) {
        if self.stack.last().is_some_and(|node| *node != Node::Other)
            || self.within(Node::WsmanFault)
        {
            self.text.extend_from_slice(bytes);
        }
    }

    /// The text of a fault's details is what stands between any of its tags.
    fn take_detail(&mut self) {
        if !self.within(Node::WsmanFault) || self.within(Node::Extended) {
            return;
        }
        let text = prose(&self.text);
        if !text.is_empty() && self.detail.len() < PROSE {
            if !self.detail.is_empty() {
                self.detail.push(' ');
            }
            self.detail.push_str(&text);
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.take_detail();
        let Some(node) = self.stack.pop() else {
            return Err(Malformed::Xml("an end without a start".to_owned()));
        };
        match node {
            Node::RelatesTo => self.response.relates_to = Some(self.name("RelatesTo")?),
            Node::ShellId => self.response.shell = Some(self.name("ShellId")?),
            Node::CommandId => self.response.command = Some(self.name("CommandId")?),
            Node::Version => self.response.version = Some(prose(&self.text)),
            Node::Stream(stream) => {
                let bytes = decode(&mut self.text)?;
                if !bytes.is_empty() {
                    self.response.output.push((stream, bytes.into()));
                }
            }
            Node::ExitCode => {
                let code: i64 = self.number("ExitCode")?;
                // Windows writes 32 bits, without a sign or with one.
                let code = u32::try_from(code)
                    .map(u32::cast_signed)
                    .or_else(|_| i32::try_from(code))
                    .map_err(|_| Malformed::Value("ExitCode"))?;
                self.response.exit = Some(code);
            }
            Node::MaxEnvelope => {
                self.response.max_envelope_kb = Some(self.number("MaxEnvelopeSizekb")?);
            }
            Node::Value => {
                let value = prose(&self.text);
                if let Some(fault) = &mut self.response.fault {
                    // Code first, then Subcode, which is the one that says something.
                    value
                        .rsplit(':')
                        .next()
                        .unwrap_or_default()
                        .clone_into(&mut fault.subcode);
                }
            }
            Node::Reason => {
                let reason = prose(&self.text);
                if let Some(fault) = &mut self.response.fault
                    && fault.message.is_empty()
                {
                    fault.message = reason;
                }
            }
            Node::Fault => {
                let detail = std::mem::take(&mut self.detail);
                if let Some(fault) = &mut self.response.fault
                    && !detail.is_empty()
                {
                    fault.message = detail;
                }
            }
            _ => {}
        }
        self.text.clear();
        Ok(())
    }

    fn name(&self, what: &'static str) -> Result<String, Malformed> {
        let text = std::str::from_utf8(&self.text).map_err(|_| Malformed::Value(what))?;
        let text = text.trim();
        if text.is_empty() && what != "RelatesTo" || text.len() > NAME {
            return Err(Malformed::Value(what));
        }
        Ok(text.to_owned())
    }

    fn number<T: std::str::FromStr>(&self, what: &'static str) -> Result<T, Malformed> {
        std::str::from_utf8(&self.text)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or(Malformed::Value(what))
    }
}

fn attribute(start: &BytesStart<'_>, name: &[u8]) -> Result<Option<String>, Malformed> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(xml)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(xml)?;
            return Ok(Some(value.chars().take(NAME).collect()));
        }
    }
    Ok(None)
}

/// Base64; white space in it is legal in XML Schema's, though Windows writes none.
fn decode(text: &mut Vec<u8>) -> Result<Vec<u8>, Malformed> {
    if text.iter().any(u8::is_ascii_whitespace) {
        text.retain(|byte| !byte.is_ascii_whitespace());
    }
    STANDARD
        .decode(&*text)
        .map_err(|_| Malformed::Value("base64"))
}

/// Text for people: one line, not too long.
fn prose(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() > PROSE {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
