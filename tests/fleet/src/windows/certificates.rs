//! Certificates of hosts and of users, made by openssl(1).

use std::path::PathBuf;
use std::process::Command;

use super::address;
use crate::error::Result;
use crate::folder::{self, Folder};
use crate::process;

/// How many addresses the host's certificate names.
const NAMED: usize = 40;

/// The certificate that the host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Signed by the authority to trust, for `winhost1` and the first addresses.
    Signed,
    /// Signed by nobody else, as `winrm quickconfig` makes it.
    SelfSigned,
    /// Signed by an authority that nobody trusts.
    Untrusted,
    /// As [`Self::Signed`], until a year ago.
    Expired,
    /// Signed, for another host.
    WrongName,
}

/// All files.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) ca: PathBuf,
    pub(crate) host: PathBuf,
    pub(crate) host_key: PathBuf,
    pub(crate) client: PathBuf,
    pub(crate) client_key: PathBuf,
    pub(crate) stranger: PathBuf,
    pub(crate) stranger_key: PathBuf,
    pub(crate) fingerprint: String,
}

impl Certificates {
    pub(crate) fn make(folder: &Folder, kind: Certificate, user: &str) -> Result<Self> {
        let made = Self {
            ca: folder.join("ca.pem"),
            host: folder.join("host.pem"),
            host_key: folder.join("host.key"),
            client: folder.join("client.pem"),
            client_key: folder.join("client.key"),
            stranger: folder.join("stranger.pem"),
            stranger_key: folder.join("stranger.key"),
            fingerprint: String::new(),
        };
        authority(folder, "ca")?;
        let addresses = (0..NAMED).map(|n| format!(",IP:{}", address(n)));
        let names = match kind {
            Certificate::WrongName => "DNS:elsewhere.example,IP:127.77.77.77".to_owned(),
            _ => format!("DNS:winhost1{}", addresses.collect::<String>()),
        };
        let server = format!("subjectAltName={names}\nextendedKeyUsage=serverAuth\n");
        match kind {
            Certificate::SelfSigned => {
                leaf(folder, "host", "winhost1", &server, None)?;
            }
            Certificate::Untrusted => {
                authority(folder, "other")?;
                leaf(folder, "host", "winhost1", &server, Some("other"))?;
            }
            Certificate::Expired => expired(folder, &server)?,
            Certificate::Signed | Certificate::WrongName => {
                leaf(folder, "host", "winhost1", &server, Some("ca"))?;
            }
        }
        for (name, whose) in [("client", user), ("stranger", "nobody")] {
            // Windows maps a certificate to an account by its user principal name.
            let upn = format!("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:{whose}@localhost");
            let client = format!("subjectAltName={upn}\nextendedKeyUsage=clientAuth\n");
            leaf(folder, name, whose, &client, Some("ca"))?;
        }
        let host = made.host.to_string_lossy();
        let said = process::run(
            "openssl",
            &["x509", "-in", &host, "-noout", "-fingerprint", "-sha256"],
        )?;
        let fingerprint = said.split_once('=').map_or("", |(_, digits)| digits);
        let fingerprint = fingerprint.trim().replace(':', "").to_lowercase();
        drop(host);
        Ok(Self {
            fingerprint,
            ..made
        })
    }
}

/// `NAME.pem` and `NAME.key` of an authority.
fn authority(folder: &Folder, name: &str) -> Result<()> {
    let subject = format!("/CN=ioms test bed {name}");
    let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &pem,
            "-days",
            "30",
            "-subj",
            &subject,
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
    )
}

/// `NAME.pem` and `NAME.key`, signed by `authority` or by itself.
fn leaf(
    folder: &Folder,
    name: &str,
    subject: &str,
    extensions: &str,
    authority: Option<&str>,
) -> Result<()> {
    request(folder, name, subject, extensions)?;
    let file = |ending: &str| format!("{name}.{ending}");
    let (request, extensions, pem) = (file("csr"), file("ext"), file("pem"));
    let signer = authority.unwrap_or(name);
    let (signer_key, signer_pem) = (format!("{signer}.key"), format!("{signer}.pem"));
    let mut args = vec![
        "x509",
        "-req",
        "-in",
        &request,
        "-extfile",
        &extensions,
        "-out",
        &pem,
    ];
    match authority {
        Some(_) => args.extend(["-CA", &signer_pem, "-CAkey", &signer_key, "-CAcreateserial"]),
        None => args.extend(["-signkey", &signer_key]),
    }
    args.extend(["-days", "30"]);
    openssl(folder, &args)
}

/// A key and a request to sign it.
fn request(folder: &Folder, name: &str, subject: &str, extensions: &str) -> Result<()> {
    // The host's is RSA, as Windows' are; the others are quicker to make.
    let kind: &[&str] = match name {
        "host" => &["rsa:2048"],
        _ => &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    };
    let text = format!("basicConstraints=critical,CA:FALSE\n{extensions}");
    folder::write(&folder.join(&format!("{name}.ext")), &text)?;
    let (key, request, subject) = (
        format!("{name}.key"),
        format!("{name}.csr"),
        format!("/CN={subject}"),
    );
    let mut args = vec!["req", "-nodes", "-keyout", &key, "-out", &request];
    args.extend(["-subj", &subject, "-newkey"]);
    args.extend(kind);
    openssl(folder, &args)
}

/// Only `openssl ca` sets the beginning and the end.
fn expired(folder: &Folder, extensions: &str) -> Result<()> {
    request(folder, "host", "winhost1", extensions)?;
    folder::write(&folder.join("index.txt"), "")?;
    let config = "[ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\nrand_serial = yes\n\
                  new_certs_dir = .\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";
    folder::write(&folder.join("ca.cnf"), config)?;
    openssl(
        folder,
        &[
            "ca",
            "-batch",
            "-config",
            "ca.cnf",
            "-cert",
            "ca.pem",
            "-keyfile",
            "ca.key",
            "-in",
            "host.csr",
            "-out",
            "host.pem",
            "-extfile",
            "host.ext",
            "-notext",
            "-startdate",
            "20230101000000Z",
            "-enddate",
            "20240101000000Z",
        ],
    )
}

fn openssl(folder: &Folder, args: &[&str]) -> Result<()> {
    let mut command = Command::new(process::find("openssl")?);
    process::output(command.args(args).current_dir(folder.path()), None)?;
    Ok(())
}
