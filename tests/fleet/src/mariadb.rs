//! A database server of its own, to be stopped, crashed and frozen.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::process::{self, Server};

/// A running `MariaDB`. Killed when dropped.
#[derive(Debug)]
pub struct MariaDb {
    folder: Folder,
    user: String,
    port: u16,
    server: Mutex<Option<Server>>,
}

impl MariaDb {
    /// An empty one on a free port of 127.0.0.1.
    pub fn start() -> Result<Self> {
        let folder = Folder::new(None)?;
        let user = process::run("id", &["-un"])?.trim().to_owned();
        let data = format!("--datadir={}", folder.join("data").display());
        process::run(
            "mariadb-install-db",
            &[
                "--no-defaults",
                &data,
                &format!("--user={user}"),
                // Several at once would take each other's temporary tables away.
                &format!("--tmpdir={}", folder.path().display()),
                "--auth-root-authentication-method=normal",
                "--skip-name-resolve",
                "--skip-test-db",
            ],
        )?;
        let mut database = Self {
            folder,
            user,
            port: process::free_port()?,
            server: Mutex::new(None),
        };
        if database.start_again().is_err() {
            // Somebody may have taken the port.
            database.port = process::free_port()?;
            database.start_again()?;
        }
        Ok(database)
    }

    /// The server's address as a URL, without a database.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a database; its URL.
    pub fn database(&self, name: &str) -> Result<String> {
        self.sql(&format!("CREATE DATABASE `{name}`"))?;
        Ok(self.url() + name)
    }

    /// Runs statements; their rows, columns separated by tabs, without headings.
    pub fn sql(&self, statements: &str) -> Result<String> {
        process::output(
            Command::new(process::find("mariadb")?)
                .args(["--no-defaults", "--protocol=TCP", "--host=127.0.0.1"])
                .args(["--user=root", "--batch", "--skip-column-names"])
                .arg(format!("--port={}", self.port)),
            Some(statements),
        )
    }

    /// Stops it in good order.
    pub fn stop(&self) -> Result<()> {
        if let Some(mut server) = self.server().take() {
            server.signal(Signal::TERM)?;
            process::wait_until(|| !server.is_running());
        }
        Ok(())
    }

    /// Kills it.
    pub fn crash(&self) {
        drop(self.server().take());
    }

    /// Starts it where it was, after [`stop`](Self::stop) or [`crash`](Self::crash).
    pub fn start_again(&self) -> Result<()> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut server = Server::start(
            Command::new(process::find("mariadbd")?)
                .arg("--no-defaults")
                .arg(format!("--datadir={}", file("data")))
                .arg(format!("--socket={}", file("socket")))
                .arg(format!("--pid-file={}", file("pid")))
                .arg(format!("--log-error={}", file("log")))
                .arg(format!("--tmpdir={}", self.folder.path().display()))
                .arg(format!("--port={}", self.port))
                .arg(format!("--user={}", self.user))
                .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
                .arg("--innodb-buffer-pool-size=32M")
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        process::wait_until(|| !server.is_running() || self.answers());
        if !server.is_running() || !self.answers() {
            return Err(Error::NotReady {
                what: format!("mariadbd on port {}", self.port),
                said: fs::read_to_string(self.folder.join("log")).unwrap_or_default(),
            });
        }
        *self.server() = Some(server);
        Ok(())
    }

    /// Whether it is this one that answers at the port.
    fn answers(&self) -> bool {
        let folder = self.sql("SELECT @@datadir").unwrap_or_default();
        folder.starts_with(&*self.folder.path().to_string_lossy())
    }

    /// Stops its time: it still accepts connections, in the kernel, and says nothing.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.server()
            .as_ref()
            .map_or(Ok(()), |server| server.signal(signal))
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn it_survives_what_is_done_to_it() {
        if crate::left_out("the database of the test bed", "mariadbd") {
            return;
        }
        let database = MariaDb::start().unwrap();
        let url = database.database("one").unwrap();
        assert!(url.ends_with("/one"), "{url}");
        database
            .sql("CREATE TABLE one.t (n INT); INSERT INTO one.t VALUES (1), (2)")
            .unwrap();
        database.crash();
        assert!(database.sql("SELECT 1").is_err());
        database.start_again().unwrap();
        assert_eq!(
            database.sql("SELECT n, n + 1 FROM one.t").unwrap(),
            "1\t2\n2\t3\n"
        );
        database.stop().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", database.port())).is_err());
        database.start_again().unwrap();
        database.freeze().unwrap();
        TcpStream::connect(("127.0.0.1", database.port())).unwrap();
        database.thaw().unwrap();
        assert_eq!(database.sql("SELECT 1").unwrap(), "1\n");
    }
}
