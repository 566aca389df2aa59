//! One host of a system fleet: its power switch, its console, its files.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result, Tried};
use crate::folder;
use crate::keys;
use crate::process::{self, Server};
use crate::tree::Tree;

const BOOT: &str = include_str!("boot.sh");

/// Not 22: the machine may have an sshd of its own, on every address.
pub(super) const PORT: u16 = 2240;

/// The files of a host that change without anybody's doing.
const RESTLESS: [&str; 9] = [
    "var/cache",
    "var/log",
    "var/lib/systemd",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/apt/lists/lock",
    "var/tmp",
    "run",
    "tmp",
];

/// A Debian with systemd, cron and sshd.
#[derive(Debug)]
pub struct SystemHost {
    name: String,
    address: String,
    folder: PathBuf,
    /// Control group, layers, further options: the arguments of `boot.sh`.
    boot: Vec<String>,
    /// The machine's end of a private network's line: interface and address.
    line: Option<(String, String)>,
    power: Mutex<Option<Server>>,
    /// Its files when it was new.
    new: Mutex<Tree>,
}

/// What a host is to be.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) folder: PathBuf,
    pub(super) group: String,
    pub(super) layers: Vec<PathBuf>,
    /// With a private network: the machine's interface and its address.
    pub(super) line: Option<(String, String)>,
    /// Who may log in, as a line of `authorized_keys`.
    pub(super) key: String,
}

/// A process inside, waited for from outside. nsenter's own waiting stops with the process, which a
/// system that goes down stops before it kills it: neither would ever end.
const INSIDE: &str = "/bin/sh -c \"$1\"; exit \"$?\"";

impl SystemHost {
    /// Writes the files by which it differs from its base.
    pub(super) fn prepare(plan: Plan) -> Result<Self> {
        for name in ["upper", "work", "root"] {
            let folder = plan.folder.join(name);
            fs::create_dir_all(&folder).tried(folder.to_string_lossy())?;
            folder::permit(&folder, 0o755)?;
        }
        let layers: Vec<_> = plan
            .layers
            .iter()
            .map(|one| one.to_string_lossy())
            .collect();
        let mut boot = vec![plan.name.clone(), plan.group, layers.join(":")];
        if let Some((interface, _)) = &plan.line {
            boot.push("--private-network".to_owned());
            boot.push(format!("--network-veth-extra={interface}:eth0"));
        }
        let host = Self {
            name: plan.name,
            address: plan.address,
            folder: plan.folder,
            boot,
            line: plan.line,
            power: Mutex::default(),
            new: Mutex::default(),
        };
        host.write_files(&plan.key)?;
        Ok(host)
    }

    fn write_files(&self, key: &str) -> Result<()> {
        let name = &self.name;
        self.write("etc/hostname", &format!("{name}\n"))?;
        let hosts = format!("127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n");
        self.write("etc/hosts", &hosts)?;
        self.write(
            "etc/machine-id",
            &format!("{:032x}\n", rand::random::<u128>()),
        )?;
        if let Ok(text) = fs::read_to_string("/etc/resolv.conf") {
            self.write("etc/resolv.conf", &text)?;
        }
        let listen = match &self.line {
            Some(_) => "0.0.0.0",
            None => &self.address,
        };
        self.write(
            "etc/ssh/sshd_config.d/ioms-fleet.conf",
            &format!(
                "Port {PORT}\nListenAddress {listen}\nHostKey /etc/ssh/host_key\n\
                 AuthorizedKeysFile /etc/ssh/authorized_keys .ssh/authorized_keys\n\
                 PermitRootLogin prohibit-password\nPasswordAuthentication yes\nUseDNS no\n\
                 MaxStartups 1000\nMaxSessions 100\n"
            ),
        )?;
        self.write("etc/ssh/authorized_keys", key)?;
        keys::generate(&self.file("etc/ssh/host_key"), &[])?;
        if self.line.is_some() {
            let unit = format!(
                "[Unit]\nBefore=ssh.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
                 ExecStart=ip address add {}/30 dev eth0\nExecStart=ip link set eth0 up\n\
                 [Install]\nWantedBy=multi-user.target\n",
                self.address
            );
            self.write("etc/systemd/system/eth0.service", &unit)?;
            let wants = "etc/systemd/system/multi-user.target.wants/eth0.service";
            self.folder_of(wants)?;
            let link = self.file(wants);
            std::os::unix::fs::symlink("/etc/systemd/system/eth0.service", &link)
                .tried(link.to_string_lossy())?;
        }
        Ok(())
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        self.folder_of(path)?;
        let file = self.file(path);
        fs::write(&file, text).tried(file.to_string_lossy())?;
        folder::permit(&file, 0o644)
    }

    /// Makes the folder of a file; what is in that of the base stays.
    fn folder_of(&self, path: &str) -> Result<()> {
        let file = self.file(path);
        let folder = file.parent().unwrap_or(&file);
        fs::create_dir_all(folder).tried(folder.to_string_lossy())
    }

    fn file(&self, path: &str) -> PathBuf {
        self.upper().join(path)
    }

    /// Its name, in the inventory and in its own eyes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its sshd listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its sshd's port.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// A line of `known_hosts`.
    pub fn known_hosts_line(&self) -> Result<String> {
        let key = keys::public_line(&self.file("etc/ssh/host_key"))?;
        Ok(format!("[{}]:{PORT} {key}", self.address))
    }

    /// The files that differ from the base's, those of its own set-up among them: the upper folder of
    /// an overlay, where what was removed is a character device 0, 0.
    pub fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// What was changed, added or removed since it was started for the first time; logs and temporary
    /// files are left out.
    pub fn changes(&self) -> Result<Tree> {
        Ok(self.tree()?.since(&lock(&self.new)))
    }

    /// From now on [`changes`](Self::changes) counts anew.
    pub fn forget_changes(&self) -> Result<()> {
        *lock(&self.new) = self.tree()?;
        Ok(())
    }

    fn tree(&self) -> Result<Tree> {
        Tree::of(&self.upper(), |path| {
            RESTLESS.iter().any(|folder| path.starts_with(folder))
        })
    }

    /// Runs a command line as root, beside sshd; what it printed.
    pub fn exec(&self, command: &str) -> Result<String> {
        process::output(&mut self.command(command)?, None)
    }

    /// The same with something on its standard input.
    pub fn feed(&self, command: &str, input: &str) -> Result<String> {
        process::output(&mut self.command(command)?, Some(input))
    }

    /// A command line of its, to be run by the caller.
    pub fn command(&self, command: &str) -> Result<Command> {
        let init = self.init().ok_or_else(|| self.not_ready("it is off"))?;
        let mut nsenter = Command::new(process::find("nsenter")?);
        nsenter
            .args(["-t", &init.to_string(), "-a", "-F", "--"])
            .args(["/bin/sh", "-c", INSIDE, "sh", command])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .envs([("HOME", "/root"), ("LC_ALL", "C.UTF-8")]);
        Ok(nsenter)
    }

    /// Switches it on; [`wait_ready`](Self::wait_ready) says when it is up.
    pub fn power_on(&self) -> Result<()> {
        let console = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("console"))
            .tried("a console")?;
        let mut unshare = Command::new(process::find("unshare")?);
        unshare
            .args([
                "-m",
                "--propagation",
                "private",
                "/bin/sh",
                "-c",
                BOOT,
                "boot.sh",
            ])
            .args(&self.boot)
            .current_dir(&self.folder)
            // A signal for the terminal's processes is not for hosts.
            .process_group(0)
            .stdout(console.try_clone().tried("a console")?)
            .stderr(console);
        *lock(&self.power) = Some(Server::start(&mut unshare)?);
        Ok(())
    }

    /// Waits until it has booted and sshd answers: after a start, and after a reboot.
    pub fn wait_ready(&self) -> Result<()> {
        let mut ready = false;
        process::wait_until(|| {
            self.connect_line();
            ready = process::says_at(&self.address, PORT, b"SSH-") && self.has_booted();
            ready || !self.is_on()
        });
        if ready {
            return Ok(());
        }
        Err(self.not_ready(if self.is_on() {
            "it hangs"
        } else {
            "it is off"
        }))
    }

    /// Notes what it is made of when it is new.
    pub(super) fn is_new(&self, password: &str) -> Result<()> {
        self.feed("chpasswd", &format!("dev:{password}\n"))?;
        self.forget_changes()
    }

    fn has_booted(&self) -> bool {
        let said = self.exec("systemctl is-system-running --wait || true");
        said.is_ok_and(|said| ["running\n", "degraded\n"].contains(&said.as_str()))
    }

    /// The machine's end of the line is a new one after each start.
    fn connect_line(&self) {
        if let Some((interface, address)) = &self.line {
            let address = format!("{address}/30");
            if process::run("ip", &["address", "add", &address, "dev", interface]).is_ok() {
                let _ = process::run("ip", &["link", "set", interface, "up"]);
            }
        }
    }

    /// Switches it off as its button does: services are stopped.
    pub fn power_off(&self) -> Result<()> {
        if let Some(nspawn) = self.nspawn() {
            kill(nspawn, Signal::TERM)?;
            process::wait_until(|| !self.is_on());
        }
        self.cut()
    }

    /// Pulls the plug.
    pub fn power_cut(&self) -> Result<()> {
        self.cut()
    }

    fn cut(&self) -> Result<()> {
        let init = self.init();
        // Ends boot.sh; with it systemd-nspawn, with it the host.
        drop(lock(&self.power).take());
        if let Some(init) = init {
            let _ = kill(init, Signal::KILL);
            process::wait_until(|| !process::is_alive(init));
            if process::is_alive(init) {
                return Err(self.not_ready("it does not end"));
            }
        }
        Ok(())
    }

    /// Whether it has power.
    pub fn is_on(&self) -> bool {
        lock(&self.power).as_mut().is_some_and(Server::is_running)
    }

    /// What it has said on its console.
    pub fn console(&self) -> String {
        let text = fs::read(self.folder.join("console")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn nspawn(&self) -> Option<u32> {
        let boot = lock(&self.power).as_ref()?.id();
        let named = |id: &u32| comm(*id) == "systemd-nspawn";
        process::children(boot).into_iter().find(named)
    }

    /// Its first process, seen from outside.
    fn init(&self) -> Option<u32> {
        let is_first = |id: &u32| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let ids = status.lines().find(|line| line.starts_with("NSpid:"));
            ids.is_some_and(|ids| ids.ends_with("\t1")) && comm(*id) == "systemd"
        };
        process::children(self.nspawn()?).into_iter().find(is_first)
    }

    fn not_ready(&self, why: &str) -> Error {
        Error::NotReady {
            what: format!("{} ({})", self.name, self.address),
            said: format!("{why}\n{}", self.console()),
        }
    }
}

impl Drop for SystemHost {
    fn drop(&mut self) {
        let _ = self.cut();
    }
}

fn comm(id: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

fn kill(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    pid.map_or(Ok(()), |pid| kill_process(pid, signal).tried("kill"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
