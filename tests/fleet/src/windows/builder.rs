//! How a WinRM server is brought up.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::certificates::{Certificate, Certificates};
use super::kdc::Kdc;
use super::prefix::Prefix;
use super::{Tier, Windows, needs};
use crate::error::{Error, Result, Tried};
use crate::folder::{self, Folder};
use crate::process::{self, MARK, Server};

/// The usual account.
const USER: &str = "Administrator";
const PASSWORD: &str = "P@ss w0rd!密";

/// How often other ports are tried when somebody takes them before the server does.
const TRIES: usize = 5;

/// Settings of a [`Windows`].
#[derive(Debug, Clone)]
#[must_use]
pub struct WindowsBuilder {
    tier: Tier,
    certificate: Certificate,
    users: Vec<(String, String)>,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
}

impl Default for WindowsBuilder {
    fn default() -> Self {
        Self {
            tier: Tier::Sh,
            certificate: Certificate::Signed,
            users: vec![(USER.to_owned(), PASSWORD.to_owned())],
            options: Vec::new(),
            environment: Vec::new(),
            folder: None,
        }
    }
}

impl WindowsBuilder {
    /// How commands run.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// What the host shows over HTTPS.
    pub fn https(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// A further account.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// An option of the server (`python -m server --help`): `--cbt`, `strict`.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push(format!("{name}={value}"));
        self
    }

    /// An option without a value: `--one-command`.
    pub fn flag(mut self, name: &str) -> Self {
        self.options.push(name.to_owned());
        self
    }

    /// Takes tickets of this realm.
    pub fn kerberos(self, kdc: &Kdc) -> Self {
        self.option("--keytab", &kdc.keytab().to_string_lossy())
            .option("--kerberos-host", kdc.host())
            .env("KRB5_CONFIG", &kdc.config().to_string_lossy())
    }

    /// The `PowerShell` that the engine passes for, if it is the build that can: 5.1 unless said.
    pub fn powershell(self, version: &str) -> Self {
        self.env("IOMS_PWSH_AS", version)
    }

    /// A variable of every command.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Uses this folder rather than a temporary one, and leaves it.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Brings it up and waits until it answers.
    pub fn start(self) -> Result<Windows> {
        let folder = Folder::new(self.folder.as_deref())?;
        let prefix = match self.tier {
            Tier::Sh => None,
            Tier::Wine(language) => Some(Prefix::new(language)?),
        };
        let certificates = Certificates::make(&folder, self.certificate, USER)?;
        let users = folder.join("users");
        let lines = self.users.iter();
        let lines = lines.map(|(name, password)| format!(":{name}:{password}\n"));
        folder::write(&users, &lines.collect::<String>())?;
        let home = folder.join("home");
        fs::create_dir_all(&home).tried(home.to_string_lossy())?;
        let mark = format!("{:x}", rand::random::<u64>());
        let mut tries = 0;
        let (http, https, server) = loop {
            tries += 1;
            let (http, https) = (process::free_port()?, process::free_port()?);
            let command =
                self.command(&folder, &certificates, prefix.as_ref(), http, https, &mark)?;
            match serve(command, &folder) {
                Ok(server) => break (http, https, server),
                Err(error @ Error::NotReady { .. }) if tries < TRIES && taken(&error) => {}
                Err(error) => return Err(error),
            }
        };
        Ok(Windows {
            folder,
            http,
            https,
            users: self.users,
            certificates,
            mark,
            server: Mutex::new(Some(server)),
            prefix,
        })
    }

    fn command(
        &self,
        folder: &Folder,
        certificates: &Certificates,
        prefix: Option<&Prefix>,
        http: u16,
        https: u16,
        mark: &str,
    ) -> Result<Command> {
        let sources = needs::sources();
        let file = |name: &str| folder.join(name).into_os_string();
        let mut command = Command::new(needs::python()?);
        command
            .args(["-m", "server"])
            .args(["--http", &http.to_string(), "--https", &https.to_string()])
            .arg("--cert")
            .arg(&certificates.host)
            .arg("--key")
            .arg(&certificates.host_key)
            .arg("--client-ca")
            .arg(&certificates.ca)
            .arg("--users")
            .arg(file("users"))
            .arg("--log")
            .arg(file("log"))
            .arg("--control")
            .arg(file("control"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", file("home"))
            .env("PYTHONPATH", &sources)
            .env("PYTHONPYCACHEPREFIX", folder::target().join("ioms-pycache"))
            .env("LC_ALL", "C.UTF-8")
            .env("IOMS_PWSH_AS", "5.1")
            .env(MARK, mark);
        if let Some(pwsh) = std::env::var_os("IOMS_PWSH") {
            command.env("IOMS_PWSH", pwsh);
        }
        match prefix {
            None => {
                command.args(["--exec", "sh", "--path"]);
                command.arg(sources.join("sh"));
            }
            Some(prefix) => prefix.serve_in(&mut command),
        }
        command.args(&self.options);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        Ok(command)
    }
}

/// Starts the server and waits for it.
fn serve(mut command: Command, folder: &Folder) -> Result<Server> {
    let (out, err) = (folder.join("out"), folder.join("err"));
    let create = |path: &Path| File::create(path).tried(path.to_string_lossy());
    command.stdout(create(&out)?).stderr(create(&err)?);
    let mut server = Server::start(&mut command)?;
    let ready = || fs::read_to_string(&out).is_ok_and(|said| said.contains("ready"));
    process::wait_until(|| ready() || !server.is_running());
    if ready() {
        return Ok(server);
    }
    Err(Error::NotReady {
        what: "the WinRM server".to_owned(),
        said: fs::read_to_string(&err).unwrap_or_default(),
    })
}

/// Whether a port was taken by somebody else.
fn taken(error: &Error) -> bool {
    error.to_string().contains("Address already in use")
}
