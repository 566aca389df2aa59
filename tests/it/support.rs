//! What the end-to-end tests share: the program, run as a user would run it, in an environment of
//! its own.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ioms::store::{DatabaseUrl, Store};
use ioms_fleet::{MariaDb, Sshd};
use serde_json::Value;

/// A folder for the program's data and the user's home, and the program.
pub struct Desk {
    pub dir: tempfile::TempDir,
    pub inventory: Option<PathBuf>,
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home/.ssh")).unwrap();
        Self {
            dir,
            inventory: None,
        }
    }

    /// With an inventory of this text.
    pub fn with(text: &str) -> Self {
        let mut desk = Self::new();
        desk.inventory = Some(desk.file("inventory.yml", text));
        desk
    }

    /// With the inventory at this path.
    pub fn inventoried(mut self, path: PathBuf) -> Self {
        self.inventory = Some(path);
        self
    }

    /// The controller itself, under these names.
    pub fn local(hosts: &str) -> Self {
        Self::with(&format!(
            "all: {{hosts: {{'{hosts}': {{ansible_connection: local}}}}}}\n"
        ))
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// Writes a file, private as some have to be, and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .unwrap();
        file.write_all(content.as_ref()).unwrap();
        path
    }

    /// The program with these arguments, its environment that of a fresh user.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iomsctl"));
        command
            .args(args)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.home())
            .env("LC_ALL", "C.UTF-8")
            .env("IOMS_DATA_DIR", self.dir.path().join("data"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        if let Some(inventory) = &self.inventory {
            command.env("IOMS_INVENTORY", inventory);
        }
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        Ran::of(self.command(args))
    }

    /// With something on standard input.
    pub fn feed<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Ran {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // It need not read it.
            let _ = stdin.write_all(&input);
        });
        let ran = Ran::from(child.wait_with_output().unwrap());
        writer.join().unwrap();
        ran
    }

    /// Started, to be watched or interrupted.
    pub fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The JSON document that arguments print.
    pub fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        let mut all: Vec<&OsStr> = vec![OsStr::new("--output"), OsStr::new("json")];
        all.extend(args.iter().map(AsRef::as_ref));
        let ran = self.run(&all);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

impl Ran {
    pub fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Both streams.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}", self.said());
        self
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        Self {
            status: output
                .status
                .code()
                .unwrap_or_else(|| -output.status.signal().unwrap()),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A fleet of real OpenSSH hosts and a desk whose inventory it is.
pub struct Lab {
    pub desk: Desk,
    pub sshd: Sshd,
}

impl Lab {
    pub fn new(hosts: usize) -> Self {
        Self::on(Sshd::start().unwrap(), hosts, 0)
    }

    pub fn with_down(hosts: usize, down: usize) -> Self {
        Self::on(Sshd::start().unwrap(), hosts, down)
    }

    pub fn on(sshd: Sshd, hosts: usize, down: usize) -> Self {
        let mut desk = Desk::new();
        let path = desk.dir.path().join("inventory.yml");
        if down == 0 {
            sshd.write_inventory(hosts, &path).unwrap();
        } else {
            sshd.write_inventory_with_down(hosts, down, &path).unwrap();
        }
        sshd.write_known_hosts(hosts).unwrap();
        desk.inventory = Some(path);
        Self { desk, sshd }
    }

    /// One host, and no key in its inventory: tests name theirs.
    pub fn new_without_key(sshd: Sshd) -> Self {
        Self::host(sshd, "")
    }

    /// One host with these further variables, in YAML's flow form: `a: 1, b: 2`.
    pub fn one(sshd: Sshd, vars: &str) -> Self {
        let key = sshd.key().display().to_string();
        Self::host(
            sshd,
            &format!("ansible_ssh_private_key_file: {key}, {vars}"),
        )
    }

    fn host(sshd: Sshd, vars: &str) -> Self {
        sshd.write_known_hosts(1).unwrap();
        let text = format!(
            "all: {{hosts: {{web01: {{ansible_host: {}, ansible_port: {}, ansible_user: {}, \
             ansible_ssh_common_args: '{}', {vars}}}}}}}\n",
            sshd.address(0),
            sshd.port(),
            sshd.user(),
            known_hosts(&sshd),
        );
        Self {
            desk: Desk::with(&text),
            sshd,
        }
    }

    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        self.desk.run(args)
    }

    pub fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        self.desk.json(args)
    }

    /// The bytes of the database, what SQLite has not yet moved into its file too.
    pub fn database(&self) -> Vec<u8> {
        let path = self.desk.dir.path().join("data/ioms.db");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap_or_default());
        bytes
    }

    /// A file in the home that all accounts have on these hosts.
    pub fn sshd_home(&self, name: &str, text: &str) {
        std::fs::write(self.sshd.home().join(name), text).unwrap();
    }
}

/// The ssh arguments that name a fleet's known hosts and nobody else's.
pub fn known_hosts(sshd: &Sshd) -> String {
    format!(
        "-o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null",
        sshd.dir().join("known_hosts").display()
    )
}

/// A field of each host of a document: `web01=ok`.
pub fn each(document: &Value, field: &str) -> Vec<String> {
    document["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| {
            let value = match &host[field] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!("{}={value}", host["host"].as_str().unwrap())
        })
        .collect()
}

/// The only host of a document.
pub fn only(document: &Value) -> &Value {
    let hosts = document["hosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 1, "{document}");
    &hosts[0]
}

/// Waits until something is so, ten seconds at most.
#[track_caller]
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("in vain: {what}");
}

/// Whether a process whose arguments hold this text runs; the program itself does not count.
pub fn runs(text: &str) -> bool {
    processes().any(|(_, line)| line.contains(text) && !line.contains("/iomsctl "))
}

/// All processes of the machine: folder and command line.
pub fn processes() -> impl Iterator<Item = (PathBuf, String)> {
    let me = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(move |path| path.file_name().is_some_and(|name| name != me.as_str()))
        .filter_map(|path| {
            let line = std::fs::read(path.join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (!line.is_empty()).then_some((path, line))
        })
}

/// Sends a signal to a child.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(status.success());
}

/// What a path holds, as text.
pub fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// A MariaDB of the test's own with the tables of the record, and its address.
pub async fn mariadb() -> (MariaDb, String) {
    let server = MariaDb::start().unwrap();
    let address = server.database("ioms").unwrap();
    let url = DatabaseUrl::parse(&address).unwrap();
    let store = Store::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    (server, address)
}

/// Promises on both engines: each name is a test with a `Bed` on SQLite and one on MariaDB, where there is
/// one.
macro_rules! on_both {
    ($what:literal: $($name:ident)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::promises::$name(super::Bed::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_mariadb() {
                if ioms_fleet::left_out($what, "mariadbd") {
                    return;
                }
                super::promises::$name(super::Bed::mariadb().await).await;
            }
        }
    )*};
}
pub(crate) use on_both;
