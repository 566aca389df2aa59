//! TLS against real handshakes: certificates made by openssl, believed and not believed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::certificates::Certificates;
use super::leaf::{ScannedCertificate, end_point, fingerprint};
use super::tls::secure;
use super::{forget, scan, testing};
use crate::event::{ErrorKind, HostError};
use crate::target::{HostKeyMode, Via, WinrmAuth, WinrmOptions, WinrmTarget};
use crate::transport::dial::dial;
use crate::transport::types::Transport as _;

/// Certificates in a folder of their own.
struct Papers(tempfile::TempDir);

impl Papers {
    /// An authority `ca`, and `leaf` for `winhost1` and 127.0.0.1 of it.
    fn new() -> Self {
        let papers = Self(tempfile::tempdir().unwrap());
        papers.own(
            "ca",
            "rsa:2048",
            &["-addext", "keyUsage=critical,keyCertSign"],
        );
        papers.signed("leaf", "30");
        papers
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, args: &[&str]) {
        let done = Command::new("openssl")
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "openssl {args:?}: {said}");
    }

    /// A certificate that vouches for itself; an authority, as openssl makes them.
    fn own(&self, name: &str, key: &str, more: &[&str]) {
        let (pem, secret) = (format!("{name}.pem"), format!("{name}.key"));
        let subject = format!("/CN={name}");
        let mut args = vec!["req", "-x509", "-newkey", key, "-nodes", "-days", "30"];
        if key == "ec" {
            args.extend(["-pkeyopt", "ec_paramgen_curve:P-384"]);
        }
        args.extend(["-keyout", &secret, "-out", &pem, "-subj", &subject]);
        args.extend(more);
        self.openssl(&args);
    }

    /// One of the authority's, for so many days.
    fn signed(&self, name: &str, days: &str) {
        let (pem, secret) = (format!("{name}.pem"), format!("{name}.key"));
        self.openssl(&[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            &secret,
            "-out",
            "request",
            "-subj",
            "/CN=winhost1",
        ]);
        std::fs::write(
            self.path("extensions"),
            "subjectAltName=DNS:winhost1,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
        )
        .unwrap();
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            "request",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            "extensions",
            "-out",
            &pem,
        ]);
    }

    fn der(&self, name: &str) -> Vec<u8> {
        let path = self.path(&format!("{name}.pem"));
        CertificateDer::from_pem_file(path).unwrap().to_vec()
    }

    fn pair(&self, certificate: &str, key: &str) -> CertifiedKey {
        let key = PrivateKeyDer::from_pem_file(self.path(&format!("{key}.key"))).unwrap();
        let key = ring::sign::any_supported_type(&key).unwrap();
        CertifiedKey::new(vec![self.der(certificate).into()], key)
    }

    /// A server that shows a certificate; its port.
    async fn serve(&self, certificate: &str) -> u16 {
        serve(self.pair(certificate, certificate)).await
    }
}

async fn serve(pair: CertifiedKey) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.read(&mut [0; 1]).await;
                }
            });
        }
    });
    port
}

fn target(port: u16, change: impl FnOnce(&mut WinrmOptions)) -> Arc<WinrmTarget> {
    let mut options = testing::options();
    options.https = true;
    change(&mut options);
    Arc::new(WinrmTarget {
        address: "127.0.0.1".to_owned(),
        port,
        user: "u".to_owned(),
        password: None,
        options: Arc::new(options),
    })
}

fn none() -> Arc<Certificates> {
    Arc::new(Certificates::new("/nonexistent/known_certificates".into()))
}

/// What ties a login to the connection, where the host is believed.
async fn believed(
    certificates: &Arc<Certificates>,
    target: &Arc<WinrmTarget>,
) -> Result<Vec<u8>, HostError> {
    let stream = dial(&target.address, target.port, Duration::from_secs(5)).await?;
    secure(certificates, target, stream)
        .await
        .map(|secured| secured.binding)
}

#[tokio::test]
async fn a_certificate_is_believed_for_its_authority_or_for_itself() {
    let papers = Papers::new();
    let port = papers.serve("leaf").await;
    let error = believed(&none(), &target(port, |_| {})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Certificate);
    assert!(
        error
            .message
            .contains("CN=winhost1, issued by CN=ca: nobody"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("hostkeys scan"));
    let folder = papers.path("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(papers.path("ca.pem"), folder.join("one.crt")).unwrap();
    std::fs::write(folder.join("README"), "not a certificate").unwrap();
    for ca in [papers.path("ca.pem"), folder] {
        let target = target(port, |options| options.ca = Some(ca));
        assert_eq!(
            believed(&none(), &target).await.unwrap(),
            end_point(&papers.der("leaf"))
        );
    }
    let empty = target(port, |options| options.ca = Some(papers.path("leaf.key")));
    let error = believed(&none(), &empty).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LocalIo);
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_vouches_for_itself_works_when_named() {
    // What New-SelfSignedCertificate's forerunners and openssl make: CA:TRUE, which the library
    // takes for no host's.
    let papers = Papers::new();
    papers.own(
        "self",
        "rsa:2048",
        &["-addext", "subjectAltName=IP:127.0.0.1"],
    );
    let port = papers.serve("self").await;
    let error = believed(&none(), &target(port, |_| {})).await.unwrap_err();
    assert!(error.message.contains("vouches for itself"), "{error}");
    let named = target(port, |options| options.ca = Some(papers.path("self.pem")));
    believed(&none(), &named).await.unwrap();
    let other_name = target(port, |options| {
        options.ca = Some(papers.path("self.pem"));
        options.tls_name = Some("winhost9".to_owned());
    });
    let error = believed(&none(), &other_name).await.unwrap_err();
    assert!(
        error
            .message
            .contains("it is for 127.0.0.1, not for winhost9"),
        "{error}"
    );
    let pin = pin(&papers.der("self"));
    let pinned = target(port, |options| options.pin = Some(pin));
    believed(&none(), &pinned).await.unwrap();
}

fn pin(der: &[u8]) -> [u8; 32] {
    let text = fingerprint(der);
    let digest = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(text.strip_prefix("SHA256:").unwrap());
    digest.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_whoever_vouches() {
    let papers = Papers::new();
    let port = papers.serve("leaf").await;
    let target = target(port, |options| {
        options.pin = Some([7; 32]);
        options.ca = Some(papers.path("ca.pem"));
        options.host_key = HostKeyMode::Off;
    });
    let error = believed(&none(), &target).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::HostKeyChanged);
}

#[tokio::test]
async fn a_certificate_without_its_key_proves_nothing() {
    let papers = Papers::new();
    papers.own("thief", "rsa:2048", &[]);
    let port = serve(papers.pair("leaf", "thief")).await;
    for change in [
        |options: &mut WinrmOptions, der: &[u8]| options.pin = Some(pin(der)),
        |options: &mut WinrmOptions, _: &[u8]| options.host_key = HostKeyMode::Off,
    ] {
        let target = target(port, |options| change(options, &papers.der("leaf")));
        let error = believed(&none(), &target).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Certificate);
        assert!(error.message.contains("could not prove"), "{error}");
    }
}

#[tokio::test]
async fn expired_and_foreign_certificates_are_told_apart() {
    let papers = Papers::new();
    papers.signed("old", "-1");
    let ca = papers.path("ca.pem");
    let port = papers.serve("old").await;
    let target_of_old = target(port, |options| options.ca = Some(ca.clone()));
    let error = believed(&none(), &target_of_old).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Certificate);
    assert!(error.message.contains("it expired on 20"), "{error}");
    let port = papers.serve("leaf").await;
    let foreign = target(port, |options| {
        options.ca = Some(ca);
        options.tls_name = Some("winhost2".to_owned());
    });
    let error = believed(&none(), &foreign).await.unwrap_err();
    assert!(
        error
            .message
            .contains("it is for winhost1, 127.0.0.1, not for winhost2"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_approved_is_believed_and_what_was_replaced_is_not() {
    let papers = Papers::new();
    papers.own("self", "rsa:2048", &[]);
    papers.own("other", "ec", &[]);
    let file = papers.path("data/known_certificates");
    let port = papers.serve("self").await;
    let learning = Arc::new(Certificates::new(file.clone()));
    let accepting = target(port, |options| options.host_key = HostKeyMode::AcceptNew);
    believed(&learning, &accepting).await.unwrap();
    let learnt = learning.save_learnt().unwrap();
    assert_eq!(learnt[0].name, format!("[127.0.0.1]:{port}"));
    assert_eq!(learnt[0].fingerprint, fingerprint(&papers.der("self")));
    // Another run, another certificate on another port.
    let strict = target(port, |_| {});
    let known = Arc::new(Certificates::new(file.clone()));
    believed(&known, &strict).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let port = papers.serve("other").await;
    let moved = text.replace(&learnt[0].name, &format!("[127.0.0.1]:{port}"));
    std::fs::write(&file, moved).unwrap();
    for mode in [HostKeyMode::Strict, HostKeyMode::AcceptNew] {
        let changed = target(port, |options| options.host_key = mode);
        let known = Arc::new(Certificates::new(file.clone()));
        let error = believed(&known, &changed).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::HostKeyChanged);
        assert!(error.message.contains("in line 1"), "{error}");
    }
    // Unless an authority vouches for the new one: that is how they are renewed.
    let renewed = papers.serve("leaf").await;
    let line = text.replace(&learnt[0].name, &format!("[127.0.0.1]:{renewed}"));
    std::fs::write(&file, line).unwrap();
    let known = Arc::new(Certificates::new(file.clone()));
    let vouched = target(renewed, |options| options.ca = Some(papers.path("ca.pem")));
    believed(&known, &vouched).await.unwrap();
    assert_eq!(
        forget(&file, &[format!("[127.0.0.1]:{renewed}")]).unwrap(),
        1
    );
}

#[tokio::test]
async fn a_certificate_that_changes_within_a_run_is_noticed() {
    let papers = Papers::new();
    let port = papers.serve("leaf").await;
    let learning = none();
    let accepting = target(port, |options| options.host_key = HostKeyMode::AcceptNew);
    believed(&learning, &accepting).await.unwrap();
    believed(&learning, &accepting).await.unwrap();
    papers.own("other", "ec", &[]);
    let shown = papers.der("other");
    let shown = super::certificates::Shown {
        leaf: &shown.into(),
        others: &[],
        ocsp: &[],
        now: tokio_rustls::rustls::pki_types::UnixTime::now(),
    };
    let name = "127.0.0.1".try_into().unwrap();
    let error = learning.judge(&accepting, &name, &shown).unwrap_err();
    assert_eq!(error.kind, ErrorKind::HostKeyChanged);
}

#[tokio::test]
async fn checks_that_are_off_are_counted() {
    let papers = Papers::new();
    let port = papers.serve("leaf").await;
    let certificates = none();
    let off = target(port, |options| options.host_key = HostKeyMode::Off);
    believed(&certificates, &off).await.unwrap();
    assert_eq!(certificates.unchecked(), [format!("127.0.0.1:{port}")]);
    assert!(certificates.save_learnt().unwrap().is_empty());
}

#[tokio::test]
async fn a_scan_shows_any_certificate_without_logging_in() {
    let papers = Papers::new();
    papers.own(
        "self",
        "rsa:2048",
        &["-addext", "subjectAltName=DNS:elsewhere"],
    );
    let port = papers.serve("self").await;
    let scanned = scan(&target(port, |_| {})).await.unwrap();
    assert_eq!(scanned.subject, "CN=self");
    assert_eq!(scanned.fingerprint, fingerprint(&papers.der("self")));
    assert!(scanned.not_after > scanned.not_before);
    let error = scan(&target(port, |options| options.https = false))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn the_binding_is_hashed_as_the_certificate_was_signed() {
    let papers = Papers(tempfile::tempdir().unwrap());
    for (name, key, digest, expected) in [
        ("a", "rsa:2048", "-sha256", "-sha256"),
        ("b", "rsa:2048", "-sha384", "-sha384"),
        ("c", "rsa:2048", "-sha512", "-sha512"),
        // RFC 5929: what is too weak is replaced.
        ("d", "rsa:2048", "-sha1", "-sha256"),
        ("e", "ec", "-sha384", "-sha384"),
        ("f", "rsa-pss", "-sha512", "-sha512"),
    ] {
        let mut more = vec![digest];
        let mut key = key;
        if key == "rsa-pss" {
            key = "rsa:2048";
            more.extend(["-sigopt", "rsa_padding_mode:pss"]);
        }
        papers.own(name, key, &more);
        let pem = papers.path(&format!("{name}.pem"));
        let said = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", expected, "-in"])
            .arg(pem)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let hex = said.trim().rsplit('=').next().unwrap().replace(':', "");
        let binding = end_point(&papers.der(name));
        let hash = binding.strip_prefix(b"tls-server-end-point:").unwrap();
        let theirs: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(hash, theirs, "{name}");
    }
}

#[test]
fn what_is_no_certificate_is_none() {
    assert_eq!(ScannedCertificate::read(b"no certificate"), None);
    assert!(end_point(b"no certificate").len() > 32);
}

/// `openssl s_server`, ended with the test.
struct OldServer(Child, u16);

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn old_server(papers: &Papers, args: &[&str]) -> OldServer {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-accept",
            &format!("127.0.0.1:{port}"),
        ])
        .args(["-cert", "leaf.pem", "-key", "leaf.key"])
        .args(args)
        .current_dir(papers.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = OldServer(child, port);
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return server;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("openssl s_server does not come up");
}

#[tokio::test]
async fn a_host_without_a_common_version_or_suite_is_told_the_ways_out() {
    let papers = Papers::new();
    for args in [
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"][..],
    ] {
        let server = old_server(&papers, args);
        let error = believed(&none(), &target(server.1, |_| {}))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert!(
            error
                .message
                .contains("no common TLS version or cipher suite"),
            "{error}"
        );
        let hint = error.hint.unwrap();
        assert!(hint.contains("5985") && hint.contains("OpenSSH"));
    }
}

/// As Windows does: hangs up on a greeting that it can't serve. `old`: what it says to one it can.
async fn hangs_up(old: &'static [u8]) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut greeting = vec![0; 4096];
            let Ok(length) = stream.read(&mut greeting).await else {
                continue;
            };
            let has_cbc = greeting[..length]
                .windows(2)
                .any(|pair| pair == [0xc0, 0x14]);
            if has_cbc {
                let _ = stream.write_all(old).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_host_that_hangs_up_is_asked_whether_it_is_old() {
    let port = hangs_up(&[22, 3, 1, 0, 81, 2, 0, 0, 77, 3, 1]).await;
    let error = believed(&none(), &target(port, |_| {})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.message.contains("TLS 1.0"), "{error}");
    let port = hangs_up(b"").await;
    let error = believed(&none(), &target(port, |_| {})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Reset, "{error}");
}

#[tokio::test]
async fn what_speaks_no_tls_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let error = believed(&none(), &target(port, |_| {})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.message.contains("does not speak TLS"), "{error}");
    assert!(error.hint.unwrap().contains("5985"));
}

/// A listener that wants certificates of `ca`, and says to whoever has one who it is.
async fn wants_certificates(papers: &Papers) -> u16 {
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::server::WebPkiClientVerifier;
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(papers.der("ca").into()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .unwrap();
    let pair = papers.pair("leaf", "leaf");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
            let status = if request.contains(
                "authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual",
            ) {
                "200 OK"
            } else {
                "401 Unauthorized"
            };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_client_certificate_logs_in_and_a_foreign_one_is_explained() {
    let papers = Papers::new();
    papers.own("me", "rsa:2048", &[]);
    std::fs::write(papers.path("extensions"), "extendedKeyUsage=clientAuth\n").unwrap();
    papers.openssl(&[
        "req", "-new", "-key", "me.key", "-out", "request", "-subj", "/CN=ops",
    ]);
    papers.openssl(&[
        "x509",
        "-req",
        "-in",
        "request",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        "extensions",
        "-out",
        "mine.pem",
    ]);
    let port = wants_certificates(&papers).await;
    let with = |certificate: &str| crate::target::Target {
        via: Via::Winrm(target(port, |options| {
            options.auth = WinrmAuth::Certificate;
            options.ca = Some(papers.path("ca.pem"));
            let pair = (papers.path(certificate), papers.path("me.key"));
            options.client_certificate = Some(pair);
        })),
        ..testing::target(port, "x")
    };
    super::Winrm::new(none())
        .connect(&with("mine.pem"))
        .await
        .unwrap();
    let error = super::Winrm::new(none())
        .connect(&with("me.pem"))
        .await
        .err()
        .unwrap();
    assert!(error.hint.unwrap().contains("clientcertnegotiation"));
}

#[tokio::test]
async fn a_certificate_to_log_in_with_that_is_unusable_is_named() {
    let papers = Papers::new();
    let port = papers.serve("leaf").await;
    let with = |certificate: &Path, key: &Path| {
        let pair = (certificate.to_owned(), key.to_owned());
        crate::target::Target {
            via: Via::Winrm(target(port, |options| {
                options.auth = WinrmAuth::Certificate;
                options.ca = Some(papers.path("ca.pem"));
                options.client_certificate = Some(pair);
            })),
            ..testing::target(port, "x")
        }
    };
    for (certificate, key, said) in [
        ("leaf.pem", "ca.key", "not the key of the certificate"),
        ("missing.pem", "leaf.key", "missing.pem"),
        ("leaf.key", "leaf.key", "no certificate"),
    ] {
        let target = with(&papers.path(certificate), &papers.path(key));
        let error = super::Winrm::new(none())
            .connect(&target)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::LocalIo);
        assert!(error.message.contains(said), "{error}");
    }
}
