//! How two texts differ, in lines for people. Knows nothing of where they come from.

use async_trait::async_trait;
use bytes::Bytes;

use super::link::{Sink, Trouble};
use super::remote::Remote;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{FileTask, HostPath, Send};

/// Larger files are not compared line by line, in bytes.
pub(super) const MOST: u64 = 256 * 1024;

/// How they differ, unified; empty where they don't, or are no texts.
pub(super) fn unified(old: (&str, &[u8]), new: (&str, &[u8])) -> String {
    let (Ok(old_text), Ok(new_text)) = (std::str::from_utf8(old.1), std::str::from_utf8(new.1))
    else {
        return String::new();
    };
    let diff = similar::TextDiff::from_lines(old_text, new_text);
    let mut shown = diff.unified_diff().header(old.0, new.0).to_string();
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown.push('\n');
    }
    shown
}

/// A host's text, as far as it is compared.
pub(super) async fn text(remote: &mut Remote<'_>, path: &HostPath) -> Result<Vec<u8>, Trouble> {
    let task = FileTask::Send(Send {
        path: path.clone(),
        offset: 0,
    });
    let mut text = Text(Vec::new());
    remote.fetch(task, &mut text).await?;
    Ok(text.0)
}

/// A text that has an end.
struct Text(Vec<u8>);

#[async_trait]
impl Sink for Text {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        if (self.0.len() + bytes.len()) as u64 > MOST {
            let why = "a file that was to be compared has grown meanwhile";
            return Err(HostError::new(ErrorKind::VerifyMismatch, why));
        }
        self.0.extend_from_slice(&bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_by_lines_and_other_things_are_not() {
        let shown = unified(("here", b"a\nb\n"), ("there", b"a\nc"));
        assert!(shown.starts_with("--- here\n+++ there\n@@"), "{shown}");
        assert!(
            shown.contains("-b\n+c\n") && shown.ends_with('\n'),
            "{shown}"
        );
        assert_eq!(unified(("a", b"x"), ("b", b"x")), "");
        assert_eq!(unified(("a", b"\xff"), ("b", b"x")), "");
    }

    #[tokio::test]
    async fn a_text_without_end_is_not_read_to_its_end() {
        let mut text = Text(Vec::new());
        let piece = Bytes::from(vec![b'x'; 200 * 1024]);
        assert!(text.take(piece.clone()).await.is_ok());
        assert!(text.take(piece).await.is_err());
    }
}
