//! Tasks with files in the words of a Unix shell, and what they print. The texts are in `sh/`; they
//! lean on what GNU's, busybox' and BSD's tools have in common.

mod answers;
mod globbing;
mod texts;

use bytes::Bytes;

use super::super::quote::Line;
use crate::shell::files::{Algorithm, Attributes, FileTask, HostPath, Origin, Receive, Walk};

pub use answers::read;

/// The script of a task. Paths that lists are made of follow on standard input: [`payload`].
pub(super) fn script(task: &FileTask) -> Line {
    let mut line = Line::default();
    line.code(texts::PRELUDE.as_str());
    match task {
        FileTask::Stat { paths, follow, .. } => {
            line.code(if *follow { "l=-L; " } else { "l=; " });
            line.code(&texts::STAT);
            singly(&mut line, paths.iter().map(|asked| &asked.path));
        }
        FileTask::Hash { paths, algorithm } => {
            digest(&mut line, *algorithm);
            line.code(&texts::HASH);
            singly(&mut line, paths.iter());
        }
        FileTask::Identify { user, group } => {
            variable(&mut line, "u", user.as_deref().unwrap_or_default());
            variable(&mut line, "g", group.as_deref().unwrap_or_default());
            line.code(&texts::IDENTIFY);
        }
        FileTask::ReadLinks(paths) => {
            for path in paths {
                path_variable(&mut line, "f", path);
                line.code(r#"readlink "$f"; printf '\0'; "#);
            }
            line.code("exit 0");
        }
        FileTask::Walk(walk) => walked(&mut line, walk),
        FileTask::Receive(receive) => received(&mut line, receive),
        FileTask::Unpack(unpack) => {
            path_variable(&mut line, "s", &unpack.staging);
            path_variable(&mut line, "d", &unpack.staging.folder());
            line.code(if unpack.mkdir { "k=1; " } else { "k=; " });
            digest(&mut line, unpack.algorithm);
            line.code(&texts::SWEEP);
            line.code(&texts::UNPACK);
        }
        FileTask::Place(place) => {
            path_variable(&mut line, "s", &place.staging);
            path_variable(&mut line, "r", &place.root);
            variable(&mut line, "b", place.backup.as_deref().unwrap_or_default());
            line.code(&texts::PLACE);
        }
        FileTask::Adjust(items) => adjusted(&mut line, items),
        FileTask::Remove(_) => {
            line.code("e=$(xargs -0 rm -rf -- 2>&1) || fail \"$e\"; echo done");
        }
        FileTask::Send(send) => {
            path_variable(&mut line, "f", &send.path);
            match send.offset {
                0 => line.code(r#"exec cat "$f""#),
                offset => line.code(&format!(r#"exec tail -c +{} "$f""#, offset + 1)),
            };
        }
        FileTask::Pack(pack) => {
            path_variable(&mut line, "r", &pack.root);
            line.code(
                // GNU's tar takes `\n` in a name for a newline if it isn't told not to.
                r#"command -v tar >/dev/null 2>&1 || exit 127; n=--no-unquote; tar $n --version >/dev/null 2>&1 || n=; cd "$r/." && xargs -0 tar $n -chf -"#,
            );
        }
    }
    line
}

/// What goes to a task's standard input before any content: the paths that the script reads.
pub(super) fn payload(task: &FileTask) -> Bytes {
    let mut bytes = Vec::new();
    let mut list = |path: &HostPath| {
        bytes.extend_from_slice(&said(path));
        bytes.push(0);
    };
    match task {
        // Those with odd names are asked for one by one.
        FileTask::Stat { paths, .. } => {
            let paths = paths.iter().map(|asked| &asked.path);
            paths.filter(|path| !is_odd(path)).for_each(&mut list);
        }
        FileTask::Hash { paths, .. } => {
            paths
                .iter()
                .filter(|path| !is_odd(path))
                .for_each(&mut list);
        }
        FileTask::Remove(paths) => paths.iter().for_each(&mut list),
        // Below their folder, where `~` is a name as any other.
        FileTask::Pack(pack) => {
            for name in &pack.names {
                bytes.extend_from_slice(b"./");
                bytes.extend_from_slice(name.as_bytes());
                bytes.push(0);
            }
        }
        _ => {}
    }
    bytes.into()
}

/// A path as a tool is told it: never to be taken for an option, `~` for home.
fn said(path: &HostPath) -> Vec<u8> {
    match path.as_bytes() {
        b"" | b"~" => b".".to_vec(),
        [b'/', ..] => path.as_bytes().to_vec(),
        [b'~', b'/', rest @ ..] | rest => [b"./", rest].concat(),
    }
}

fn path_variable(line: &mut Line, name: &str, path: &HostPath) {
    line.code(name).code("=").bytes(&said(path)).code("; ");
}

fn variable(line: &mut Line, name: &str, value: &str) {
    line.code(name).code("=").quoted(value).code("; ");
}

fn digest(line: &mut Line, algorithm: Algorithm) {
    line.code(match algorithm {
        Algorithm::Md5 => "a=md5; ",
        Algorithm::Sha256 => "a=sha256; ",
    });
    line.code(&texts::DIGEST);
}

/// Whether a name in a tool's output could not be told from two.
fn is_odd(path: &HostPath) -> bool {
    path.as_bytes()
        .iter()
        .any(|b| matches!(b, b'\n' | b'\r' | b'\\'))
}

/// Asks for paths with odd names one by one, by their place in the list.
fn singly<'a>(line: &mut Line, paths: impl Iterator<Item = &'a HostPath>) {
    for (index, path) in paths.enumerate().filter(|(_, path)| is_odd(path)) {
        path_variable(line, "n", path);
        line.code(&format!(r#"printf '#{index} %s\n' "$(one "$n")"; "#));
    }
    line.code("exit 0");
}

fn walked(line: &mut Line, walk: &Walk) {
    line.code("for f in");
    for root in &walk.roots {
        line.code(" ");
        let root = HostPath::new(said(root));
        if walk.patterns {
            globbing::pattern(line, root.as_bytes());
        } else {
            line.bytes(root.as_bytes());
        }
    }
    line.code(r#"; do [ -e "$f" ] || [ -L "$f" ] || continue; "#);
    line.code(if walk.follow {
        r#"find -L "$f" -print0 || exit 1; "#
    } else {
        r#"find -H "$f" -print0 || exit 1; "#
    });
    line.code("done; exit 0");
}

fn received(line: &mut Line, receive: &Receive) {
    path_variable(line, "p", &receive.part);
    path_variable(line, "t", &receive.target);
    path_variable(line, "d", &receive.target.folder());
    match &receive.backup {
        Some(backup) => path_variable(line, "b", backup),
        None => variable(line, "b", ""),
    }
    let origin = match &receive.origin {
        Origin::Input => "input",
        Origin::There => "there",
        Origin::Pull(pull) => {
            let fetch = super::files_pull::fetch(pull, receive.offset);
            line.code("fetch() { ").code(&fetch).code("; }; ");
            "pull"
        }
    };
    line.code(&format!(
        "o={}; z={}; k={}; f={origin}; h={}; ",
        receive.offset,
        receive.size,
        if receive.mkdir { "1" } else { "" },
        receive.digest
    ));
    attributes(line, &receive.attributes);
    digest(line, receive.algorithm);
    line.code(&texts::ATTRIBUTES);
    line.code(&texts::SWEEP);
    line.code(&texts::RECEIVE);
}

/// The variables of `set_attributes`.
fn attributes(line: &mut Line, attributes: &Attributes) {
    let number = |value: Option<String>| value.unwrap_or_default();
    let mode = number(attributes.mode.map(|mode| format!("{mode:04o}")));
    let kept = number(
        attributes
            .kept
            .map(|(user, group)| format!("{user}:{group}")),
    );
    let time = number(attributes.mtime.map(time_stamp));
    variable(line, "u", attributes.owner.as_deref().unwrap_or_default());
    variable(line, "g", attributes.group.as_deref().unwrap_or_default());
    let inherited = if attributes.inherited { "1" } else { "" };
    line.code(&format!("m={mode}; q={kept}; i={inherited}; c={time}; "));
}

/// A time as `touch -t` takes it, in UTC (POSIX: `[[CC]YY]MMDDhhmm[.SS]`).
fn time_stamp(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%d%H%M.%S").to_string()
}

fn adjusted(line: &mut Line, items: &[(HostPath, Attributes)]) {
    line.code(&texts::ATTRIBUTES);
    for (path, change) in items {
        path_variable(line, "n", path);
        attributes(line, change);
        if change.folder {
            line.code(r#"[ -d "$n/." ] || e=$(mkdir -p "$n" 2>&1) || fail "$e"; "#);
        }
        if let Some(to) = &change.link {
            line.code("l=").bytes(to.as_bytes()).code("; ");
            line.code(r#"[ -L "$n" ] || [ ! -d "$n" ] || fail "$n: Is a directory"; rm -f "$n"; e=$(ln -s -- "$l" "$n" 2>&1) || fail "$e"; "#);
        }
        line.code(r#"set_attributes "$n" || fail "$e"; "#);
    }
    line.code("echo done");
}

#[cfg(test)]
mod tests;
