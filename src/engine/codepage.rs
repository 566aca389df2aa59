//! Which code page a Windows console writes, asked once a host and only when it matters: when output
//! is no UTF-8 and nobody knows the host's page yet.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::timeout;

use super::drive::request;
use super::job::Targets;
use super::listener::Listener;
use crate::base::text;
use crate::event::{HostIx, Stream};
use crate::shell::{Conversation, Opening};
use crate::target::{ShellKind, Target};
use crate::transport::{Connection, OutputEvent};

/// How long the answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// How much of an answer is read, in bytes.
const ANSWER: usize = 4096;

/// What is known of one host's console.
pub(super) struct Console<'a> {
    host: HostIx,
    targets: &'a Arc<dyn Targets>,
    connection: &'a Arc<dyn Connection>,
    known: bool,
}

impl<'a> Console<'a> {
    pub(super) fn new(
        host: HostIx,
        targets: &'a Arc<dyn Targets>,
        target: &Target,
        connection: &'a Arc<dyn Connection>,
    ) -> Self {
        Self {
            host,
            targets,
            connection,
            known: target.encoding.is_some() || target.shell == ShellKind::Posix,
        }
    }

    /// Before output is passed on: finds out what the host speaks, if it must be known for it.
    pub(super) async fn look_at(
        &mut self,
        bytes: &[u8],
        conversation: &dyn Conversation,
        output: &mut dyn Listener,
    ) {
        if self.known {
            return;
        }
        if let Some(page) = conversation.codepage() {
            self.learn(page, output);
        } else if std::str::from_utf8(bytes).is_err() {
            // Once, whatever comes of it.
            self.known = true;
            if let Ok(Some(page)) = timeout(LIMIT, self.ask()).await {
                self.learn(page, output);
            } else {
                tracing::debug!("the host did not say its code page");
            }
        }
    }

    fn learn(&mut self, page: u16, output: &mut dyn Listener) {
        self.known = true;
        if let Some(encoding) = text::encoding(&page.to_string()) {
            output.speaks(encoding);
            self.targets.learnt_codepage(self.host, page);
        }
    }

    /// `chcp` names it in the host's language, and in digits.
    async fn ask(&self) -> Option<u16> {
        let opening = Opening {
            command: "chcp".into(),
            ..Opening::default()
        };
        let mut process = self.connection.exec(request(opening)).await.ok()?;
        let mut said = BytesMut::new();
        loop {
            match process.output.next().await {
                OutputEvent::Data(Stream::Stdout, bytes) if said.len() < ANSWER => {
                    said.extend_from_slice(&bytes);
                }
                OutputEvent::Closed | OutputEvent::Refused => break,
                _ => {}
            }
        }
        process.output.close().await;
        page(&said)
    }
}

/// The last number of an answer: `Active code page: 936`, `活动代码页: 936`, whatever the bytes.
fn page(said: &[u8]) -> Option<u16> {
    said.split(|byte| !byte.is_ascii_digit())
        .rfind(|digits| !digits.is_empty())
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_code_page_is_read_in_any_language() {
        assert_eq!(page(b"Active code page: 437\r\n"), Some(437));
        assert_eq!(
            page(b"\xbb\xee\xb6\xaf\xb4\xfa\xc2\xeb\xd2\xb3: 936\r\n"),
            Some(936)
        );
        assert_eq!(page(b"Aktive Codepage: 850.\r\n"), Some(850));
        assert_eq!(page(b"sh: chcp: not found"), None);
        assert_eq!(page(b"99999999"), None);
    }
}
