//! One host's object in the documents, written field by field: outputs go from their files to the
//! reader without ever being in memory whole.

use std::io::{self, Write};
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde::Serialize;
use serde_json::{Map, Value};

use super::has_files;
use super::json;
use super::reading::{Reading, pieces};
use crate::base::clock::rfc3339;
use crate::base::text::Charset;
use crate::event::{Captured, HostResult, Stream};

/// Milliseconds with one decimal.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Writes a host's object; with `do` what its `module` gave, too. The document stays whole where a kept output can't be read: it is `null`
/// there, and the error is given back.
pub(super) fn write_host(
    out: &mut dyn Write,
    name: &str,
    verb: &str,
    result: &HostResult,
    module: Option<&Map<String, Value>>,
) -> io::Result<Option<io::Error>> {
    let mut host = Object {
        out,
        separator: "{",
        unread: None,
    };
    host.field("host", name)?;
    host.field("outcome", &result.outcome)?;
    host.field("exit", &result.exit)?;
    host.field("signal", &result.signal)?;
    host.output(Stream::Stdout, &result.stdout, result.encoding)?;
    host.output(Stream::Stderr, &result.stderr, result.encoding)?;
    host.field("encoding", &result.encoding.name())?;
    host.field("truncated", &result.truncated())?;
    host.field("started", &rfc3339(result.started))?;
    host.field("duration_ms", &ms(result.duration))?;
    host.field("attempts", &result.attempts)?;
    if let Some(timings) = result.timings.filter(|_| verb == "ping") {
        host.field("connect_ms", &ms(timings.connect))?;
        host.field("auth_ms", &ms(timings.auth))?;
    }
    host.field("error", &result.error)?;
    if has_files(verb) {
        host.field("files", &result.files)?;
    }
    if verb == "do" {
        host.field("result", &module)?;
    }
    host.out.write_all(b"}")?;
    Ok(host.unread)
}

struct Object<'a> {
    out: &'a mut dyn Write,
    separator: &'static str,
    unread: Option<io::Error>,
}

impl Object<'_> {
    fn key(&mut self, name: &str) -> io::Result<()> {
        write!(self.out, "{}\"{name}\":", self.separator)?;
        self.separator = ",";
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> io::Result<()> {
        self.key(name)?;
        json::write(self.out, value)
    }

    fn output(&mut self, stream: Stream, output: &Captured, host: Charset) -> io::Result<()> {
        let name = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let reading = match Reading::of(output, stream, host) {
            Ok(reading) => reading,
            Err(error) => {
                self.unread.get_or_insert(error);
                return self.field(name, &());
            }
        };
        self.key(name)?;
        self.quoted(|out| reading.decode(output, |text| json::write_inside(out, text)))?;
        if reading.encoding != host && !(reading.ascii && host.is_ascii_compatible()) {
            self.field(&format!("{name}_encoding"), &reading.encoding.name())?;
        }
        if reading.lossy {
            self.field(&format!("{name}_lossy"), &true)?;
        }
        if !reading.exact {
            self.key(&format!("{name}_b64"))?;
            self.quoted(|out| {
                let mut encoder = EncoderWriter::new(out, &STANDARD);
                pieces(output, |piece, _| encoder.write_all(piece).map(|()| true))?;
                encoder.finish().map(|_| ())
            })?;
        }
        if output.truncated() {
            self.field(&format!("{name}_bytes"), &output.total)?;
        }
        Ok(())
    }

    /// Writes a string whose content `write` reads from somewhere: when that fails it ends early,
    /// but it ends.
    fn quoted(&mut self, write: impl FnOnce(&mut Ours<'_>) -> io::Result<()>) -> io::Result<()> {
        self.out.write_all(b"\"")?;
        let mut ours = Ours {
            out: &mut *self.out,
            failed: false,
        };
        let done = write(&mut ours);
        if let Err(error) = done {
            if ours.failed {
                return Err(error);
            }
            self.unread.get_or_insert(error);
        }
        self.out.write_all(b"\"")
    }
}

/// Tells errors of writing from those of reading.
struct Ours<'a> {
    out: &'a mut dyn Write,
    failed: bool,
}

impl Write for Ours<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        self.failed |= done
            .as_ref()
            .is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        done
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
