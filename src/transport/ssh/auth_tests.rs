//! Logins that end in ways OpenSSH's server can't be brought to.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, Config, Handler, PublicKeyOffer, run_stream};

use super::testing::options;
use super::{HostKeys, Ssh};
use crate::base::prompt::Nobody;
use crate::event::ErrorKind;
use crate::target::{HostKeyMode, SshOptions, SshTarget};

fn new_key() -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
}

/// Ends without a word as soon as a key is shown.
struct Cutting;

impl Handler for Cutting {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        _key: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Err(russh::Error::Disconnect)
    }
}

#[tokio::test]
async fn a_line_that_is_cut_during_login_is_no_refusal() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(Config {
        keys: vec![new_key()],
        ..Config::default()
    });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(session) = run_stream(config, stream, Cutting).await {
            let _ = session.await;
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    new_key().write_openssh_file(&file, LineEnding::LF).unwrap();
    let target = Arc::new(SshTarget {
        address: "127.0.0.1".to_owned(),
        port,
        user: "root".to_owned(),
        password: None,
        host_key_alias: None,
        proxy_command: None,
        jump: Vec::new(),
        options: Arc::new(SshOptions {
            identity_files: vec![file],
            host_key: HostKeyMode::Off,
            connect_timeout: Duration::from_secs(10),
            ..options()
        }),
    });
    let ssh = Ssh::new(Arc::new(Nobody), Arc::new(HostKeys::new()), false);
    let error = ssh.core().open(&target).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Reset, "{error}");
}
