//! Programs that are run, and servers that must not outlive us.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result, Tried};

/// Where a program is: in `PATH` or where servers and tools of the administrator live.
pub(crate) fn find(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::NoProgram(program.to_owned()))
}

/// Runs a program to its end; what it printed.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<String> {
    output(Command::new(find(program)?).args(args), None)
}

/// Runs a command, with `input` on its standard input; what it printed.
pub(crate) fn output(command: &mut Command, input: Option<&str>) -> Result<String> {
    let name = name(command);
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .tried(&name)?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        io::Write::write_all(&mut stdin, input.as_bytes()).tried(&name)?;
    }
    let output = child.wait_with_output().tried(&name)?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    Err(Error::Failed {
        program: name,
        said: format!("{}{}", said(&output.stderr), said(&output.stdout)),
    })
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or_default().to_string_lossy();
    command.get_args().fold(program.into_owned(), |name, arg| {
        format!("{name} {}", arg.to_string_lossy())
    })
}

/// The variable by which a server's offspring is known.
pub(crate) const MARK: &str = "IOMS_FLEET";

/// Waits for the end of its standard input, then kills a process if it is still the same one: an id
/// is given anew, a start time is not. A signal for all of the terminal's processes is not for it.
const LEASH: &str = r#"trap "" HUP INT TERM; started() { cut -d" " -f22 "/proc/$1/stat" 2>/dev/null; }
s=$(started "$1"); read -r x; [ "$s" = "$(started "$1")" ] && kill -9 "$1""#;

/// A server: killed when dropped, and also when we die without dropping anything.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    leash: Child,
}

impl Server {
    /// Starts it, with a leash: a shell that waits for the end of a pipe which only we hold.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = name(command);
        let mut child = command.stdin(Stdio::null()).spawn().tried(name)?;
        let leash = Command::new("/bin/sh")
            .args(["-c", LEASH, "sh", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .tried("/bin/sh");
        match leash {
            Ok(leash) => Ok(Self { child, leash }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).tried("kill")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.leash.kill();
        let _ = self.leash.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills every process that came from `server`, and every one with `mark` as the value of
/// [`MARK`] in its environment, which finds those whose parents have ended.
pub(crate) fn kill_offspring(server: &mut Server, mark: &str) {
    let variable = format!("{MARK}={mark}");
    let processes = processes();
    let parents: HashMap<u32, u32> = processes.iter().copied().collect();
    // Once it has ended its id may be somebody else's.
    let root = server.is_running().then(|| server.id());
    let is_offspring = |id: u32| {
        std::iter::successors(parents.get(&id), |id| parents.get(id)).any(|id| Some(*id) == root)
    };
    for (id, _) in &processes {
        if is_offspring(*id) || has_variable(*id, &variable) {
            let pid = i32::try_from(*id).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// The processes that a process has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let all = processes().into_iter();
    all.filter_map(|(id, of)| (of == parent).then_some(id))
        .collect()
}

/// Whether a process runs still: of one that has ended, and that nobody has waited for, an id is left.
pub(crate) fn is_alive(id: u32) -> bool {
    // Not by its words: between its fork and the end of its exec a process may have none.
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// All processes with their parents.
fn processes() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name, in parentheses, may hold anything.
            let (_, rest) = stat.rsplit_once(") ")?;
            Some((id, rest.split(' ').nth(1)?.parse().ok()?))
        })
        .collect()
}

fn has_variable(id: u32, variable: &str) -> bool {
    let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|one| one == variable.as_bytes())
}

/// A port that is free on every address.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("0.0.0.0", 0)).tried("a free port")?;
    Ok(listener.local_addr().tried("a free port")?.port())
}

/// Whether a server on `port` greets with `first`.
pub(crate) fn says(port: u16, first: &[u8]) -> bool {
    says_at("127.0.0.1", port, first)
}

/// The same at another address.
pub(crate) fn says_at(address: &str, port: u16, first: &[u8]) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let timeout = Duration::from_secs(1);
    let Ok(mut stream) = TcpStream::connect_timeout(&(address, port).into(), timeout) else {
        return false;
    };
    let mut heard = vec![0; first.len()];
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .is_ok()
        && stream.read_exact(&mut heard).is_ok()
        && heard == first
}

/// Waits until `done`, half a minute at most.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_in_the_error() {
        let error = run("sh", &["-c", "echo no such luck >&2; exit 3"]).unwrap_err();
        assert!(error.to_string().contains("no such luck"), "{error}");
    }

    #[test]
    fn offspring_and_orphans_end_and_nobody_else() {
        let mark = format!("{:x}", rand::random::<u64>());
        let bystander = Server::start(Command::new("sleep").arg("60")).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        // Both say their ids; the second one's parent ends at once, and only it has the mark.
        let script = format!(
            "sleep 60 & echo $! >&3; ({MARK}={mark} sleep 60 & echo $! >&3); exec sleep 60"
        );
        let mut server = Server::start(
            Command::new("/bin/sh")
                .args(["-c", &format!("exec 3>{}; {script}", file.path().display())]),
        )
        .unwrap();
        let ids = || -> Vec<u32> {
            let said = fs::read_to_string(file.path()).unwrap();
            said.lines().filter_map(|id| id.parse().ok()).collect()
        };
        wait_until(|| ids().len() == 2);
        wait_until(|| ids().into_iter().all(is_alive));
        kill_offspring(&mut server, &mark);
        wait_until(|| !ids().into_iter().any(is_alive));
        assert!(!ids().into_iter().any(is_alive));
        assert!(is_alive(bystander.id()));
        assert!(is_alive(server.id()));
    }
}
