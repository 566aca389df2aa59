//! What a host has, what of it is here already.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::asking::{stat, stat_all};
use super::beneath::Beneath;
use super::comparing::{compare, hash};
use super::local;
use super::mirror::{extra, names_here, root};
use super::names::{Typed, folder_of, is_safe};
use super::{Act, Download};
use crate::event::{ErrorKind, FileAction, FileRecord, HostError, Route};
use crate::shell::files::{Answer, FileTask, Found, HostPath, Kind, Walk};
use crate::transfer::EARLY;
use crate::transfer::leaving::leaves;
use crate::transfer::link::Trouble;
use crate::transfer::records::removal;
use crate::transfer::remote::{Remote, expect_answer};

/// One thing on the host.
#[derive(Debug)]
pub(super) struct Item {
    /// Where it is there.
    pub(super) path: HostPath,
    /// Its name here, below the host's folder.
    pub(super) name: Vec<u8>,
    pub(super) found: Found,
    /// Of a link, where it leads.
    pub(super) link: Option<HostPath>,
    /// What its content comes to there; `None`: nobody there can tell.
    pub(super) digest: Option<String>,
    pub(super) fetch: bool,
    /// Whether its digest is asked for.
    pub(super) compare: bool,
    /// Whether it is equal but for its time, which is to be kept.
    pub(super) touch: bool,
}

impl Item {
    pub(super) fn is_file(&self) -> bool {
        self.found.kind == Kind::File
    }

    /// Anything but a folder.
    pub(super) fn is_leaf(&self) -> bool {
        self.found.kind != Kind::Folder
    }

    pub(super) fn record(&self, survey: &Survey, action: FileAction) -> FileRecord {
        self.record_of(survey, action, self.digest.as_ref())
    }

    fn record_of(&self, survey: &Survey, action: FileAction, came: Option<&String>) -> FileRecord {
        let digest = |length: usize| came.filter(|digest| digest.len() == length).cloned();
        FileRecord {
            source: survey.source_shown(&self.path),
            target: survey.shown(&self.name),
            action,
            size: if self.is_file() { self.found.size } else { 0 },
            md5: digest(32),
            sha256: digest(64),
            bytes: 0,
            via: None,
            files: None,
            changed: self.touch,
        }
    }

    /// The same, fetched; what came of a file comes to `digest`.
    pub(super) fn fetched(
        &self,
        survey: &Survey,
        resumed: u64,
        via: Route,
        digest: Option<&String>,
    ) -> FileRecord {
        let action = if resumed > 0 {
            FileAction::Resumed
        } else {
            FileAction::Sent
        };
        FileRecord {
            bytes: self.found.size.saturating_sub(resumed),
            via: self.is_file().then_some(via),
            ..self.record_of(survey, action, digest)
        }
    }
}

/// What there is.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) items: Vec<Item>,
    /// What is here and not there, for `--delete`.
    pub(super) extra: Vec<Vec<u8>>,
    /// What people are to know beside it, in lines.
    pub(super) notices: Vec<String>,
    /// The host's folder; none while it need not be there.
    pub(super) here: Option<Arc<Beneath>>,
    shown: std::path::PathBuf,
    windows: bool,
}

impl Survey {
    /// A name here, for people.
    pub(super) fn shown(&self, name: &[u8]) -> String {
        use std::os::unix::ffi::OsStrExt as _;
        let path = self.shown.join(std::ffi::OsStr::from_bytes(name));
        path.to_string_lossy().into_owned()
    }

    fn source_shown(&self, path: &HostPath) -> String {
        let text = path.to_string();
        if self.windows {
            text.replace('/', "\\")
        } else {
            text
        }
    }

    pub(super) fn removal(&self, name: &[u8]) -> FileRecord {
        removal(self.shown(name))
    }
}

/// Looks.
pub(super) async fn survey(
    order: &Download,
    host: &str,
    remote: &mut Remote<'_>,
) -> Result<Survey, Trouble> {
    let windows = remote.is_windows();
    let typed = Typed::new(&order.source, windows);
    let mut notices = Vec::new();
    let mut items = there(order, &typed, remote, &mut notices).await?;
    items.sort_by(|one, other| one.name.cmp(&other.name));
    links(order, &typed, remote, &mut items).await?;
    lie_in_folders(&items)?;
    let mirrored = if order.options.delete {
        Some(root(order, &typed, &items)?)
    } else {
        None
    };
    if order.options.act == Act::Send && items.iter().any(|item| item.found.size >= EARLY) {
        remote.expect_channel();
    }
    let shown = order.dest.join(folder_of(host));
    let make = order.options.act == Act::Send;
    let opened = shown.clone();
    let here = local::run(move || Beneath::open(&opened, make)).await?;
    let mut survey = Survey {
        items,
        extra: Vec::new(),
        notices,
        here: here.map(Arc::new),
        shown,
        windows,
    };
    hash(order, remote, &mut survey).await?;
    compare(order, &mut survey).await?;
    if let (Some(root), Some(here)) = (mirrored, survey.here.clone()) {
        let names = names_here(&survey.items);
        survey.extra = local::run(move || extra(&here, &names, root)).await?;
    }
    Ok(survey)
}

/// A host may say anything, but not that something lies below a file or link.
fn lie_in_folders(items: &[Item]) -> Result<(), Trouble> {
    let leaves: HashSet<&[u8]> = items
        .iter()
        .filter(|item| item.is_leaf())
        .map(|item| item.name.as_slice())
        .collect();
    for item in items {
        let mut name = item.name.as_slice();
        while let Some(at) = name.iter().rposition(|b| *b == b'/') {
            name = name.get(..at).unwrap_or_default();
            if leaves.contains(name) {
                return Err(climbs(&item.path));
            }
        }
    }
    Ok(())
}

/// Everything the source names, with what it is.
async fn there(
    order: &Download,
    typed: &Typed,
    remote: &mut Remote<'_>,
    notices: &mut Vec<String>,
) -> Result<Vec<Item>, Trouble> {
    let root = HostPath::from(typed.root.as_str());
    let walk = Walk {
        roots: vec![if typed.content && !typed.pattern {
            root.with_slash()
        } else {
            root
        }],
        patterns: typed.pattern,
        follow: order.options.follow,
    };
    let paths =
        expect_answer!(remote.ask(FileTask::Walk(walk)).await?, Answer::Walk(names) => names)?;
    if paths.is_empty() {
        let why = format!("{}: No such file or directory", order.source);
        return Err(HostError::new(ErrorKind::RemoteIo, why)
            .hint("is the name right? patterns are expanded by the host's shell")
            .into());
    }
    let found = stat_all(order, remote, &paths, notices).await?;
    let mut items: Vec<Item> = Vec::with_capacity(paths.len());
    let mut names: HashMap<Vec<u8>, usize> = HashMap::with_capacity(paths.len());
    for (path, found) in paths.into_iter().zip(found) {
        // Gone since, which was said.
        let Some(found) = found else {
            continue;
        };
        let Some(name) = typed.lands(path.as_bytes()) else {
            return Err(climbs(&path));
        };
        if name.is_empty() {
            continue;
        }
        if !is_safe(&name) {
            return Err(climbs(&path));
        }
        if found.kind == Kind::Other {
            tracing::info!(%path, "is no file, folder or link, and left out");
            continue;
        }
        if let Some(other) = names.get(&name).and_then(|at| items.get(*at)) {
            let folders = found.kind == Kind::Folder && !other.is_leaf();
            if folders || other.path == path {
                continue;
            }
            return Err(twice(&other.path, &path));
        }
        names.insert(name.clone(), items.len());
        items.push(Item {
            path,
            name,
            found,
            link: None,
            digest: None,
            fetch: true,
            compare: true,
            touch: false,
        });
    }
    Ok(items)
}

fn twice(one: &HostPath, other: &HostPath) -> Trouble {
    let why = format!("{one} and {other} would land on the same name");
    HostError::new(ErrorKind::Arguments, why)
        .hint("without the slash at the end each keeps a folder of its own")
        .into()
}

fn climbs(path: &HostPath) -> Trouble {
    HostError::new(
        ErrorKind::Protocol,
        format!("the host names {path:?}, which would not stay in its folder here"),
    )
    .hint("nothing was fetched; what the host says of its files can't be trusted")
    .into()
}

/// Where links lead. What was asked for itself is followed.
async fn links(
    order: &Download,
    typed: &Typed,
    remote: &mut Remote<'_>,
    items: &mut [Item],
) -> Result<(), Trouble> {
    let is_link = |item: &&mut Item| item.found.kind == Kind::Link;
    let (mut roots, mut inner): (Vec<&mut Item>, Vec<&mut Item>) = items
        .iter_mut()
        .filter(is_link)
        .partition(|item| typed.is_root(&item.name));
    if !roots.is_empty() {
        let paths: Vec<HostPath> = roots.iter().map(|item| item.path.clone()).collect();
        let found = stat(order, remote, &paths, true).await?;
        for (item, found) in roots.iter_mut().zip(found) {
            // Where it leads nowhere, it is a link like others.
            if let Some(found) = found {
                item.found = found;
            }
        }
    }
    inner.extend(
        roots
            .into_iter()
            .filter(|item| item.found.kind == Kind::Link),
    );
    if inner.is_empty() {
        return Ok(());
    }
    let paths = inner.iter().map(|item| item.path.clone()).collect();
    let targets = expect_answer!(remote.ask(FileTask::ReadLinks(paths)).await?, Answer::Links(links) => links)?;
    for (item, target) in inner.into_iter().zip(targets) {
        let to = target.unwrap_or_default();
        if leaves(&item.name, to.as_bytes(), typed.above()) {
            let why = format!(
                "{}: this link leads out of what is fetched, to {to}",
                item.path
            );
            return Err(HostError::new(ErrorKind::RemoteIo, why)
                .hint("--follow fetches what it leads to")
                .into());
        }
        item.link = Some(to);
    }
    Ok(())
}
