//! Each host's whole output in files of its own, as it comes: `--outdir`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::{Context, Part};
use crate::event::{Event, HostIx, Stamped, Stream};

pub(super) struct Outdir {
    folder: PathBuf,
    begun: HashSet<(HostIx, Stream)>,
}

impl Outdir {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            begun: HashSet::new(),
        }
    }

    /// Appends; the first time the file begins anew. It is opened each time: hosts may be many.
    fn append(
        &mut self,
        cx: &Context,
        host: HostIx,
        stream: Stream,
        bytes: &[u8],
    ) -> io::Result<()> {
        let ending = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let path = self
            .folder
            .join(format!("{}.{ending}", file_name(&cx.name(host))));
        let first = self.begun.insert((host, stream));
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(first)
            .append(!first)
            .open(&path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("--outdir: {}: {error}", path.display()),
                )
            })
    }
}

/// A host's name as the name of a file: what does not fit is %-escaped.
pub(super) fn file_name(host: &str) -> String {
    let mut name = String::new();
    for (at, c) in host.char_indices() {
        let unfit = c.is_control()
            || matches!(
                c,
                '/' | '%' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'
            );
        if unfit || (at == 0 && c == '.') {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(c);
        }
    }
    name
}

impl Part for Outdir {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::RunStarted(_) => std::fs::create_dir_all(&self.folder).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("--outdir {}: {error}", self.folder.display()),
                )
            }),
            Event::Output {
                host,
                stream,
                bytes,
                ..
            } => self.append(cx, *host, *stream, bytes),
            Event::HostFinished(host, _) => {
                for stream in [Stream::Stdout, Stream::Stderr] {
                    if !self.begun.contains(&(*host, stream)) {
                        self.append(cx, *host, stream, b"")?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_that_could_climb_or_hide_are_escaped() {
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name("主机-01"), "主机-01");
        assert_eq!(file_name("fe80::1"), "fe80%3A%3A1");
    }
}
