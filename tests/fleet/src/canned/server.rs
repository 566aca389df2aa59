//! The SSH side: who may come in, and one task for each command.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelMsg, MethodKind, MethodSet, Preferred, cipher};
use tokio::net::TcpListener;

use super::files::{self, Files};
use super::speech::{End, Speech};
use super::{Answer, Output};

/// One line of output that is counted in bytes.
const LINE: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 012345678\n";
/// Lines written at once.
const LINES: usize = 512;

/// Those of an OpenSSH server: the client chooses.
const CIPHERS: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
];

pub(super) fn config(host_key: PrivateKey) -> Arc<Config> {
    Arc::new(Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host_key],
        preferred: Preferred {
            cipher: Cow::Borrowed(CIPHERS),
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..Preferred::DEFAULT
        },
        inactivity_timeout: None,
        nodelay: true,
        // While an answer waits for room in a channel, all requests under way must fit: behind them
        // comes the word that there is room.
        channel_buffer_size: 1000,
        ..Config::default()
    })
}

pub(super) async fn serve(
    listener: TcpListener,
    config: Arc<Config>,
    allowed: PublicKey,
    answer: Answer,
    files: Files,
) {
    let (allowed, answer) = (Arc::new(allowed), Arc::new(answer));
    loop {
        // Out of files, say: better later than never.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if !peer.ip().is_loopback() {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let Ok(SocketAddr::V4(near)) = stream.local_addr() else {
            continue;
        };
        let host = Host {
            allowed: allowed.clone(),
            answer: answer.clone(),
            address: *near.ip(),
            files: files.clone(),
        };
        let config = config.clone();
        tokio::spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, stream, host).await {
                let _ = session.await;
            }
        });
    }
}

/// One connection's callbacks.
struct Host {
    allowed: Arc<PublicKey>,
    answer: Arc<Answer>,
    address: Ipv4Addr,
    files: Files,
}

impl Host {
    fn judge(&self, key: &PublicKey) -> Auth {
        if key.key_data() == self.allowed.key_data() {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        let (answer, files) = (self.answer.clone(), self.files.clone());
        let address = self.address;
        tokio::spawn(async move { command(channel, &answer, &files, address).await });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.files.are_alone() {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if name == "sftp" && !self.files.are_refused() {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }
}

/// One command, or one session of SFTP, from its beginning to its end.
async fn command(
    mut channel: Channel<Msg>,
    answer: &Answer,
    files: &Files,
    address: Ipv4Addr,
) -> Option<()> {
    let mut speech = None;
    loop {
        let (reply, end) = match (channel.wait().await?, &mut speech) {
            (ChannelMsg::Exec { .. }, _) if files.are_alone() => continue,
            (ChannelMsg::Exec { command, .. }, speech) => {
                speech.insert(Speech::new()).begin(&command)
            }
            (ChannelMsg::Data { data }, Some(speech)) => speech.hear(&data),
            (ChannelMsg::Eof, Some(speech)) => speech.end_of_input(),
            (ChannelMsg::RequestSubsystem { .. }, _) if !files.are_refused() => {
                return files::serve(channel, files.host(address)).await;
            }
            (ChannelMsg::Close, _) => return None,
            _ => continue,
        };
        if !reply.is_empty() {
            channel.data_bytes(reply).await.ok()?;
        }
        if let Some(end) = end {
            return finish(channel, answer, end).await;
        }
    }
}

async fn finish(channel: Channel<Msg>, answer: &Answer, end: End) -> Option<()> {
    let (mut read, write) = channel.split();
    // What comes is read even so: it would hold up the connection.
    tokio::spawn(async move { while read.wait().await.is_some() {} });
    if end == End::Answer {
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        match &answer.output {
            Output::Text(text) if text.is_empty() => {}
            Output::Text(text) => write.data_bytes(text.clone().into_bytes()).await.ok()?,
            Output::Bytes(count) => {
                let lines = Bytes::from(LINE.repeat(LINES));
                let mut left = *count;
                while left > 0 {
                    let length = usize::try_from(left).map_or(lines.len(), |n| n.min(lines.len()));
                    write.data_bytes(lines.slice(..length)).await.ok()?;
                    left -= length as u64;
                }
            }
        }
    }
    let status = if end == End::Answer { answer.status } else { 0 };
    write.exit_status(status).await.ok()?;
    write.eof().await.ok()?;
    write.close().await.ok()
}
