//! A Kerberos realm of its own: MIT's key distribution centre, an account, and the key of a host.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::folder::{self, Folder};
use crate::process::{self, Server};

/// The realm.
const REALM: &str = "IOMS.TEST";
/// The host's name in it, which no DNS knows.
const HOST: &str = "winhost1.ioms.test";
const PASSWORD: &str = "Kerb3ros pass";

/// A running key distribution centre. Killed when dropped.
#[derive(Debug)]
pub struct Kdc {
    folder: Folder,
    host: String,
    port: u16,
    _server: Server,
}

impl Kdc {
    /// With `Administrator` and the host in it.
    pub fn start() -> Result<Self> {
        Self::start_for(HOST)
    }

    /// With a host of this name or address, for clients that take the address for the name.
    pub fn start_for(host: &str) -> Result<Self> {
        let folder = Folder::new(None)?;
        let port = process::free_port()?;
        configure(&folder, port)?;
        let tool = |program: &str, args: &[&str]| {
            let mut command = Command::new(process::find(program)?);
            process::output(command.args(args).envs(environment(folder.path())), None)
        };
        tool("kdb5_util", &["create", "-s", "-P", "master", "-r", REALM])?;
        let keytab = folder.join("keytab");
        for query in [
            // Proof of the password comes first, as Active Directory has it.
            format!("addprinc +requires_preauth -pw \"{PASSWORD}\" Administrator"),
            format!("addprinc -randkey HTTP/{host}"),
            format!("ktadd -k {} HTTP/{host}", keytab.display()),
        ] {
            tool("kadmin.local", &["-r", REALM, "-q", &query])?;
        }
        let mut command = Command::new(process::find("krb5kdc")?);
        command
            .args(["-n", "-r", REALM])
            .envs(environment(folder.path()))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Server::start(&mut command)?;
        process::wait_until(|| !server.is_running() || process::says(port, b""));
        if !server.is_running() {
            return Err(Error::NotReady {
                what: format!("krb5kdc on port {port}"),
                said: std::fs::read_to_string(folder.join("log")).unwrap_or_default(),
            });
        }
        Ok(Self {
            folder,
            host: host.to_owned(),
            port,
            _server: server,
        })
    }

    /// `IOMS.TEST`.
    #[allow(clippy::unused_self, reason = "reads better as kdc.realm()")]
    pub fn realm(&self) -> &'static str {
        REALM
    }

    /// The name in the host's principal `HTTP/NAME`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who has a ticket: `Administrator@IOMS.TEST`.
    #[allow(clippy::unused_self, reason = "reads better as kdc.user()")]
    pub fn user(&self) -> String {
        format!("Administrator@{REALM}")
    }

    /// The user's password in the realm.
    #[allow(clippy::unused_self, reason = "reads better as kdc.password()")]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Gets a ticket for the user, as `kinit` does, into a file for `KRB5CCNAME`.
    pub fn ticket(&self, cache: &Path) -> Result<()> {
        let mut command = Command::new(process::find("kinit")?);
        command
            .arg("-c")
            .arg(cache)
            .arg(self.user())
            .envs(environment(self.folder.path()));
        process::output(&mut command, Some(self.password())).map(|_| ())
    }

    /// The port on 127.0.0.1, TCP and UDP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host's keys.
    pub fn keytab(&self) -> PathBuf {
        self.folder.join("keytab")
    }

    /// `krb5.conf`, for `KRB5_CONFIG`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("krb5.conf")
    }
}

fn environment(folder: &Path) -> [(&'static str, PathBuf); 2] {
    [
        ("KRB5_CONFIG", folder.join("krb5.conf")),
        ("KRB5_KDC_PROFILE", folder.join("kdc.conf")),
    ]
}

fn configure(folder: &Folder, port: u16) -> Result<()> {
    let file = |name: &str| folder.join(name).display().to_string();
    // The name is not canonicalized: no DNS knows it.
    let client = format!(
        "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
         rdns = false\n dns_canonicalize_hostname = false\n udp_preference_limit = 1\n\
         [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
         [domain_realm]\n .ioms.test = {REALM}\n"
    );
    let server = format!(
        "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
         [realms]\n {REALM} = {{\n  database_name = {}\n  key_stash_file = {}\n  acl_file = {}\n \
         max_life = 10h\n }}\n[logging]\n kdc = FILE:{}\n",
        file("principal"),
        file("stash"),
        file("acl"),
        file("log"),
    );
    folder::write(&folder.join("krb5.conf"), &client)?;
    folder::write(&folder.join("kdc.conf"), &server)
}
