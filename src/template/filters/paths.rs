//! Filters over paths: of the controller's kind and of Windows'.

use std::sync::Arc;

use super::super::args::Args;
use super::super::error::{Fail, fail, failure};
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep};

pub(super) const ALL: &[Filter] = &[
    deep("basename", "p", |args| {
        on_path(args, |path| split(path).1.to_owned())
    }),
    deep("dirname", "p", |args| {
        on_path(args, |path| split(path).0.to_owned())
    }),
    deep("splitext", "p", |args| {
        let (root, ending) = splitext(&args.text(0)?);
        Ok(Val::tuple(vec![Val::from(root), Val::from(ending)]))
    }),
    deep("normpath", "path", |args| on_path(args, normal)),
    deep("commonpath", "paths", commonpath),
    deep("path_join", "paths", path_join),
    deep("realpath", "filename", realpath),
    deep("relpath", "path start", relpath),
    deep("expanduser", "path", expanduser),
    deep("expandvars", "path", expandvars),
    deep("fileglob", "pathname", fileglob),
    deep("win_basename", "p", |args| {
        on_path(args, |path| win_split(path).1)
    }),
    deep("win_dirname", "p", |args| {
        on_path(args, |path| win_split(path).0)
    }),
    deep("win_splitdrive", "p", |args| {
        let text = args.text(0)?;
        let (drive, rest) = splitdrive(&text);
        Ok(Val::tuple(vec![Val::str(drive), Val::str(rest)]))
    }),
];

fn on_path(args: &Args<'_>, work: impl Fn(&str) -> String) -> Result<Val, Fail> {
    match args.input()? {
        Val::Str(path) => Ok(Val::from(work(path))),
        other => fail(format!(
            "expected str, bytes or os.PathLike object, not {}",
            other.type_name()
        )),
    }
}

/// `os.path.split`.
fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (head, tail) = path.split_at(at);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

fn splitext(path: &str) -> (String, String) {
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    let name = path.get(name_at..).unwrap_or_default();
    let leading = name.len() - name.trim_start_matches('.').len();
    match name.rfind('.') {
        Some(at) if at >= leading && at > 0 => {
            let (root, ending) = path.split_at(name_at + at);
            (root.to_owned(), ending.to_owned())
        }
        _ => (path.to_owned(), String::new()),
    }
}

/// `os.path.normpath`.
pub(in super::super) fn normal(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let lead = match path {
        _ if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            ".." if !lead.is_empty() => {}
            part => parts.push(part),
        }
    }
    let joined = format!("{lead}{}", parts.join("/"));
    if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

fn path_join(args: &Args<'_>) -> Result<Val, Fail> {
    let parts: Vec<Val> = match args.input()? {
        text @ Val::Str(_) => vec![text.clone()],
        _ => args.items(0)?,
    };
    let mut path = String::new();
    for part in parts {
        let Val::Str(part) = &part else {
            return fail("path_join expects text or a list of text");
        };
        if part.starts_with('/') {
            path.clear();
        } else if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(part);
    }
    Ok(Val::from(path))
}

fn commonpath(args: &Args<'_>) -> Result<Val, Fail> {
    let paths: Vec<Arc<str>> = args
        .items(0)?
        .iter()
        .map(python::text)
        .collect::<Result<_, _>>()?;
    let Some(first) = paths.first() else {
        return fail("commonpath() arg is an empty sequence");
    };
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let mut common = parts(first);
    for path in &paths {
        let other = parts(path);
        let same = common
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    let lead = if first.starts_with('/') { "/" } else { "" };
    Ok(Val::from(format!("{lead}{}", common.join("/"))))
}

/// The path without links where the controller's files are there, else tidied up.
fn realpath(args: &Args<'_>) -> Result<Val, Fail> {
    let path = args.text(0)?;
    let found = args
        .cx
        .scope
        .controller()
        .and_then(|controller| controller.real_path(&path));
    Ok(Val::from(match found {
        Some(real) => real,
        None => normal(&absolute(&path)),
    }))
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    format!("{}/{path}", here.display())
}

fn relpath(args: &Args<'_>) -> Result<Val, Fail> {
    let start = args.maybe_text(1)?.unwrap_or_else(|| Arc::from("."));
    let (path, start) = (normal(&absolute(&args.text(0)?)), normal(&absolute(&start)));
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let same = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - same);
    let way: Vec<String> = up.chain(path.into_iter().skip(same)).collect();
    Ok(Val::from(if way.is_empty() {
        ".".to_owned()
    } else {
        way.join("/")
    }))
}

fn environment(args: &Args<'_>, name: &str) -> Option<String> {
    match args.cx.scope.controller() {
        Some(controller) => controller.env(name),
        None => std::env::var(name).ok(),
    }
}

fn expanduser(args: &Args<'_>) -> Result<Val, Fail> {
    let path = args.text(0)?;
    let rest = path
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    Ok(Val::from(match (rest, environment(args, "HOME")) {
        (Some(rest), Some(home)) => format!("{}{rest}", home.trim_end_matches('/')),
        _ => path.to_string(),
    }))
}

/// `$NAME` and `${NAME}`; what is not set stays.
fn expandvars(args: &Args<'_>) -> Result<Val, Fail> {
    let path = args.text(0)?;
    let mut out = String::new();
    let mut rest: &str = &path;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let inner = after.get(1..).unwrap_or_default();
        let (name, width) = match inner.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (braced.get(..end).unwrap_or_default(), end + 3),
                None => ("", 1),
            },
            None => {
                let end = inner
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(inner.len());
                (inner.get(..end).unwrap_or_default(), end + 1)
            }
        };
        let (written, behind) = after.split_at(width);
        match environment(args, name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(written),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(Val::from(out))
}

fn fileglob(args: &Args<'_>) -> Result<Val, Fail> {
    let Some(controller) = args.cx.scope.controller() else {
        return fail("the controller's files are not available here");
    };
    let found = controller.glob(&args.text(0)?).map_err(failure)?;
    let files = found
        .into_iter()
        .filter(|path| controller.kind(path).is_some_and(|kind| kind.file));
    Ok(Val::list(files.map(Val::from).collect()))
}

/// `ntpath.splitdrive`.
fn splitdrive(path: &str) -> (&str, &str) {
    let is_mark = |c: char| c == '\\' || c == '/';
    if let Some(share) = path
        .strip_prefix(is_mark)
        .and_then(|rest| rest.strip_prefix(is_mark))
    {
        let Some(host_end) = share.find(is_mark) else {
            return (path, "");
        };
        let behind = share.get(host_end + 1..).unwrap_or_default();
        let end = behind
            .find(is_mark)
            .map_or(path.len(), |at| 2 + host_end + 1 + at);
        return path.split_at(end);
    }
    if path.as_bytes().get(1) == Some(&b':') {
        return path.split_at(2);
    }
    ("", path)
}

/// `ntpath.split`.
fn win_split(path: &str) -> (String, String) {
    let (drive, rest) = splitdrive(path);
    let at = rest.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (head, tail) = rest.split_at(at);
    let trimmed = head.trim_end_matches(['\\', '/']);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (format!("{drive}{head}"), tail.to_owned())
}
