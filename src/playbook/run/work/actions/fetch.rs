//! `fetch`: a file of the host comes to the controller, where it differs from what is there. The
//! module `stat` says what there is; what is to come streams into a file beside its place.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::super::context::Context;
use super::super::exchange;
use super::super::results::Outcome;
use super::text;
use crate::base::digest;
use crate::base::value::{Map, Value};
use crate::engine::task::{self, Fetch};
use crate::module::Platform;
use crate::target::Target;
use crate::transfer::download::{Single, folder_of};

/// How Ansible says that what is named is a folder.
const IS_FOLDER: &str = "remote file is a directory, fetch cannot work on directories";

pub(super) async fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    if context.check {
        return Outcome::skipped("check mode not (yet) supported for this module");
    }
    let source = text(params, "src").unwrap_or_default().to_owned();
    let target = match context.target() {
        Ok(target) => target,
        Err(error) => return Outcome::error(error),
    };
    let windows = exchange::platform(&target) == Platform::Windows;
    let place = match Place::of(context, params, &below(&source, windows)) {
        Ok(place) => place,
        Err(why) => return Outcome::failed(why),
    };
    let known = Sums::of(place.path()).await;
    let validate = params.get("validate_checksum") != Some(&Value::Bool(false));
    let there = match look(context, &source, validate || known.is_some()).await {
        Ok(there) => there,
        Err(outcome) => return outcome,
    };
    let must = params.get("fail_on_missing") != Some(&Value::Bool(false));
    match there {
        There::Nothing => missing(&source, must),
        There::Folder => folder(must),
        There::Other => Outcome::failed(format!("source is not a regular file: {source}")),
        There::Unreadable => unreadable(&source, must),
        There::File { digest, .. }
            if digest.is_some() && digest == known.as_ref().map(Sums::sha256) =>
        {
            equal(&source, &place, known)
        }
        There::File { size, digest } => {
            let file = Single {
                source,
                size,
                digest: digest.filter(|_| validate),
                folder: place.folder.clone(),
                name: place.name.clone(),
            };
            bring(context, &target, &file, &place).await
        }
    }
}

/// What there is.
enum There {
    Nothing,
    Folder,
    /// A device, a pipe, a socket.
    Other,
    Unreadable,
    File {
        size: Option<u64>,
        digest: Option<String>,
    },
}

async fn look(context: &Context<'_>, source: &str, digest: bool) -> Result<There, Outcome> {
    let Ok(Some(stat)) = context.runner().library.find("stat", &[]) else {
        let why = "fetch needs the module stat, which is not there";
        return Err(Outcome::failed(why));
    };
    let args = Map::from_iter([
        ("path".into(), Value::Unsafe(source.into())),
        ("follow".into(), Value::Bool(true)),
        ("get_checksum".into(), Value::Bool(digest)),
        ("checksum_algorithm".into(), Value::string("sha256")),
        ("get_mime".into(), Value::Bool(false)),
        ("get_attributes".into(), Value::Bool(false)),
    ]);
    let said = exchange::module(context, &stat, &args).await;
    if said.flag("unreachable") || said.flag("failed") {
        return Err(said);
    }
    let Some(Value::Map(stat)) = said.result.get("stat") else {
        let why = format!("the host did not say what {source} is");
        return Err(Outcome::failed(why));
    };
    let flag = |name: &str| match stat.get(name) {
        Some(Value::Bool(flag)) => Some(*flag),
        _ => None,
    };
    let digest = text(stat, "checksum").map(str::to_owned);
    // What /proc has is of size 0, whatever is in it.
    let size = match stat.get("size") {
        Some(Value::Int(size)) => u64::try_from(*size).ok().filter(|size| *size > 0),
        _ => None,
    };
    Ok(match flag("exists") {
        Some(true) if flag("isdir") == Some(true) => There::Folder,
        Some(true) if flag("isreg") == Some(false) => There::Other,
        Some(true) if flag("readable") == Some(false) => There::Unreadable,
        Some(true) => There::File { size, digest },
        _ => There::Nothing,
    })
}

async fn bring(
    context: &Context<'_>,
    target: &Arc<Target>,
    file: &Single,
    place: &Place,
) -> Outcome {
    let runner = context.runner();
    let fetch = Fetch {
        connections: &runner.connections,
        target,
        file,
        timeout: context.timeout,
        halt: runner.halt.clone(),
    };
    if let Err(end) = task::fetch(&fetch).await {
        return exchange::lost(context, end);
    }
    let Some(sums) = Sums::of(place.path()).await else {
        return Outcome::failed(format!("{} can't be read", place.path().display()));
    };
    let sha1 = words(&sums.sha1);
    Outcome::with([
        ("changed", Value::Bool(true)),
        ("checksum", sha1.clone()),
        ("remote_checksum", sha1),
        ("md5sum", words(&sums.md5)),
        ("remote_md5sum", Value::Null),
        ("dest", words(&place.path().to_string_lossy())),
    ])
}

fn equal(source: &str, place: &Place, sums: Option<Sums>) -> Outcome {
    let sums = sums.unwrap_or_default();
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("checksum", words(&sums.sha1)),
        ("md5sum", words(&sums.md5)),
        ("dest", words(&place.path().to_string_lossy())),
        ("file", words(source)),
    ])
}

/// (Ansible says so of a failure, too.)
fn missing(source: &str, must: bool) -> Outcome {
    let told = "the remote file does not exist, not transferring, ignored";
    if must {
        return Outcome::failed(told);
    }
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("file", words(source)),
        ("msg", words(told)),
    ])
}

fn folder(must: bool) -> Outcome {
    if must {
        return Outcome::failed(IS_FOLDER);
    }
    let told = format!("{IS_FOLDER}, not transferring, ignored");
    Outcome::with([("changed", Value::Bool(false)), ("msg", words(&told))])
}

fn unreadable(source: &str, must: bool) -> Outcome {
    let told = format!("file is not readable: {source}");
    if must {
        return Outcome::failed(told);
    }
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("file", words(source)),
        ("msg", words(&told)),
    ])
}

fn words(text: &str) -> Value {
    Value::Unsafe(text.into())
}

/// Where the file goes.
struct Place {
    folder: PathBuf,
    /// Below it: names and slashes between them.
    name: Vec<u8>,
    path: PathBuf,
}

impl Place {
    fn of(context: &Context<'_>, params: &Map, below: &Path) -> Result<Self, String> {
        let dest = text(params, "dest").unwrap_or_default();
        let base = context.scope.batch.play.folder.join(expanded(dest));
        let base = std::path::absolute(&base).unwrap_or(base);
        if params.get("flat") != Some(&Value::Bool(true)) {
            return Ok(Self::new(base.join(folder_of(&context.host())), below));
        }
        let path = if dest.ends_with('/') {
            let name = below.file_name().unwrap_or_default();
            let path = base.join(name);
            if path.is_dir() {
                return Err(format!(
                    "calculated dest '{}' is an existing directory, use another path that does not point to an existing directory",
                    path.display()
                ));
            }
            path
        } else if base.is_dir() {
            let why = "dest is an existing directory, use a trailing slash if you want to fetch src into that directory";
            return Err(why.to_owned());
        } else {
            base
        };
        // A link that the user has put there is followed.
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        Ok(Self::new(folder, &name))
    }

    fn new(folder: PathBuf, name: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        Self {
            path: folder.join(name),
            name: name.as_os_str().as_bytes().to_vec(),
            folder,
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// `~` on the controller.
fn expanded(dest: &str) -> PathBuf {
    let home = || std::env::var_os("HOME");
    match dest
        .strip_prefix("~/")
        .and_then(|rest| Some((rest, home()?)))
    {
        Some((rest, home)) => Path::new(&home).join(rest),
        None => PathBuf::from(dest),
    }
}

/// What the host calls its file, as a name that leads out of no folder here.
fn below(source: &str, windows: bool) -> PathBuf {
    let source = if windows {
        source.replace('\\', "/")
    } else {
        source.to_owned()
    };
    let mut name = PathBuf::new();
    for part in Path::new(&source).components() {
        match part {
            Component::Normal(part) => name.push(part),
            Component::ParentDir => {
                name.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    name
}

/// What a file here comes to.
#[derive(Default)]
struct Sums {
    sha256: String,
    md5: String,
    sha1: String,
}

impl Sums {
    /// `None`: there is no file.
    async fn of(path: &Path) -> Option<Self> {
        let path = path.to_owned();
        let sums = tokio::task::spawn_blocking(move || Self::read(&path).ok());
        sums.await.ok().flatten()
    }

    fn read(path: &Path) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        let (mut strong, mut shown) = (digest::Hasher::default(), digest::FileHasher::default());
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let got = file.read(&mut buffer)?;
            let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else {
                break;
            };
            strong.update(piece);
            shown.update(piece);
        }
        let (md5, sha1) = shown.finish();
        Ok(Self {
            sha256: digest::hex(&strong.finish()),
            md5: digest::hex(&md5),
            sha1: digest::hex(&sha1),
        })
    }

    fn sha256(&self) -> String {
        self.sha256.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_host_leads_out_of_its_folder() {
        for (source, windows, expected) in [
            ("/etc/hosts", false, "etc/hosts"),
            ("/srv/../../etc/shadow", false, "etc/shadow"),
            ("../../x", false, "x"),
            ("..", false, ""),
            ("/a/./b//c", false, "a/b/c"),
            (r"/srv/a\..\b", false, r"srv/a\..\b"),
            (r"C:\Windows\..\..\x.log", true, "x.log"),
            (r"C:\logs\a b.log", true, "C:/logs/a b.log"),
        ] {
            assert_eq!(below(source, windows), Path::new(expected), "{source}");
        }
    }
}
