//! Tasks with files in PowerShell's words, and what they print. The texts are in `ps/files*.ps1`: .NET's
//! types and the language only, as PowerShell 2 has them. It knows no transport.
//!
//! Short things (paths, sizes, the one-time address) are said with the program; a file's content
//! follows on standard input, byte for byte where the way to PowerShell allows it.

pub mod frames;
mod names;
mod read;

pub use names::path;
pub use read::read;

use bytes::Bytes;

use super::powershell::{self, Part, Program};
use super::task::{Footing, Task};
use crate::shell::conversation::Failure;
use crate::shell::files::{
    Algorithm, Attributes, FileTask, HostPath, Origin, Pull, Receive, Unpack, Walk,
};
use names::{fits, text};

/// The exit codes by which the texts tell failures apart.
mod exit {
    pub(super) const NO_SPACE: i32 = 81;
    pub(super) const REFUSED: i32 = 82;
    pub(super) const NO_TOOL: i32 = 83;
}

/// The program of a task.
pub(super) fn task(task: &FileTask, footing: Footing<'_>, mark: &str) -> Result<Task, Failure> {
    let mut program = Program::new(mark);
    let coded = !footing.raw && is_fed(task);
    program.parts(&[powershell::FILES]);
    if coded {
        program.parts(&[powershell::INPUT]).say("coded", "1");
        if footing.nested {
            // The folder it begins in is private, and goes with what is in it.
            program.say("spool", ".");
        }
    }
    say(&mut program, task)?;
    Ok(Task {
        program,
        payload: Bytes::new(),
        coded,
        reports: false,
        folder: false,
    })
}

/// The text of a task that is given no content, for a session that runs already.
pub fn in_session(task: &FileTask, mark: &str) -> Result<String, Failure> {
    let mut program = Program::new(mark);
    program.parts(&[powershell::FILES]);
    say(&mut program, task)?;
    Ok(program.in_session())
}

/// Whether content follows.
fn is_fed(task: &FileTask) -> bool {
    match task {
        FileTask::Receive(receive) => matches!(receive.origin, Origin::Input),
        FileTask::Unpack(_) => true,
        _ => false,
    }
}

fn say(program: &mut Program, task: &FileTask) -> Result<(), Failure> {
    match task {
        FileTask::Stat {
            paths,
            algorithm,
            follow,
        } => {
            let mut list = String::new();
            for asked in paths {
                item(&mut list, fits(&asked.path)?);
                let size = asked.size.map(|size| size.to_string());
                item(&mut list, size.as_deref().unwrap_or_default());
            }
            looking(program, "stat", *algorithm, list);
            flag(program, "follow", *follow);
        }
        FileTask::Hash { paths, algorithm } => {
            looking(program, "hash", *algorithm, listed(paths)?);
        }
        FileTask::ReadLinks(paths) => {
            looking(program, "links", Algorithm::default(), listed(paths)?);
        }
        FileTask::Walk(walk) => walked(program, walk)?,
        FileTask::Receive(receive) => received(program, receive)?,
        FileTask::Unpack(unpack) => unpacked(program, unpack)?,
        // All that was unpacked is in its place; of numbers for users Windows knows nothing.
        FileTask::Place(_) | FileTask::Identify { .. } => {
            program.parts(&[powershell::EXIT]);
        }
        FileTask::Adjust(items) => {
            let mut list = String::new();
            for (path, attributes) in items {
                is_of_windows(attributes)?;
                item(&mut list, fits(path)?);
                item(&mut list, if attributes.folder { "1" } else { "" });
                item(&mut list, &seconds(attributes.mtime));
            }
            program.parts(&[powershell::FILES_ADJUST]).say("list", list);
        }
        FileTask::Remove(paths) => {
            for path in paths {
                names::is_removable(path)?;
            }
            program
                .parts(&[powershell::FILES_ADJUST])
                .say("remove", "1")
                .say("list", listed(paths)?);
        }
        FileTask::Send(send) => {
            program
                .parts(&[powershell::FILES_SEND])
                .say("path", fits(&send.path)?)
                .say("offset", send.offset.to_string());
        }
        FileTask::Pack(pack) => {
            program
                .parts(&[powershell::FILES_SEND])
                .say("root", fits(&pack.root)?)
                .say("list", listed(&pack.names)?);
        }
    }
    Ok(())
}

fn looking(program: &mut Program, what: &str, algorithm: Algorithm, list: String) {
    program
        .parts(&[powershell::FILES_STAT])
        .say("what", what)
        .say("algorithm", name(algorithm))
        .say("list", list);
}

fn walked(program: &mut Program, walk: &Walk) -> Result<(), Failure> {
    let mut list = String::new();
    for root in &walk.roots {
        item(
            &mut list,
            if walk.patterns {
                text(root)
            } else {
                fits(root)
            }?,
        );
    }
    program.parts(&[powershell::FILES_WALK]).say("list", list);
    flag(program, "patterns", walk.patterns);
    flag(program, "follow", walk.follow);
    Ok(())
}

fn received(program: &mut Program, receive: &Receive) -> Result<(), Failure> {
    is_of_windows(&receive.attributes)?;
    let origin = match &receive.origin {
        Origin::Input => "input",
        Origin::There => "there",
        Origin::Pull(_) => "pull",
    };
    let parts: &[Part] = match &receive.origin {
        Origin::Pull(_) => &[powershell::FILES_PULL, powershell::FILES_RECEIVE],
        _ => &[powershell::FILES_RECEIVE],
    };
    program
        .parts(parts)
        .say("part", fits(&receive.part)?)
        .say("target", fits(&receive.target)?)
        .say("origin", origin)
        .say("offset", receive.offset.to_string())
        .say("size", receive.size.to_string())
        .say("algorithm", name(receive.algorithm))
        .say("digest", &receive.digest)
        .say("mtime", seconds(receive.attributes.mtime));
    if let Some(backup) = &receive.backup {
        program.say("backup", fits(backup)?);
    }
    flag(program, "mkdir", receive.mkdir);
    if let Origin::Pull(pull) = &receive.origin {
        pulled(program, pull);
    }
    Ok(())
}

fn pulled(program: &mut Program, pull: &Pull) {
    program
        .say("url", pull.url.expose())
        .say("sha256", &pull.sha256);
    if let Some(pin) = &pull.pin {
        program.say("pin", dashed(&pin.certificate));
    }
}

/// Hex as .NET's `BitConverter` writes it.
fn dashed(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs: Vec<String> = digits
        .chunks(2)
        .map(|pair| pair.iter().collect::<String>().to_ascii_uppercase())
        .collect();
    pairs.join("-")
}

fn unpacked(program: &mut Program, unpack: &Unpack) -> Result<(), Failure> {
    program
        .parts(&[powershell::FILES_UNPACK])
        .say("root", fits(&unpack.root)?)
        .say("algorithm", name(unpack.algorithm));
    if let Some(suffix) = &unpack.backup {
        fits(&HostPath::from(format!("x{suffix}").as_str()))?;
        program.say("backup", suffix);
    }
    flag(program, "mkdir", unpack.mkdir);
    Ok(())
}

/// What only Unix has. Permission bits are left away: they come along with any file of ours.
fn is_of_windows(attributes: &Attributes) -> Result<(), Failure> {
    let what = if attributes.link.is_some() {
        "links are not made on Windows (they need a right of their own there): leave them out, or --follow them"
    } else if attributes.owner.is_some() || attributes.group.is_some() {
        "Windows has no owners and groups as Unix has: leave --owner and --group away, and use icacls"
    } else {
        return Ok(());
    };
    Err(Failure::Unsupported(what.to_owned()))
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "md5",
        Algorithm::Sha256 => "sha256",
    }
}

fn flag(program: &mut Program, name: &'static str, on: bool) {
    if on {
        program.say(name, "1");
    }
}

fn seconds(time: Option<i64>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn item(list: &mut String, text: &str) {
    list.push_str(text);
    list.push('\0');
}

fn listed(paths: &[HostPath]) -> Result<String, Failure> {
    let mut list = String::new();
    for path in paths {
        item(&mut list, fits(path)?);
    }
    Ok(list)
}
