//! The files of all hosts, as tests and the servers see them.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::entry::{Content, Entry, File};
use crate::hosts;

/// Where relative paths begin.
const HOME: &[u8] = b"/home/canned";

/// All hosts' files.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<All>);

#[derive(Debug, Default)]
struct All {
    hosts: Mutex<HashMap<Ipv4Addr, Host>>,
    /// Names that every folder is said to hold besides.
    lies: Mutex<Vec<Bytes>>,
    refused: AtomicBool,
    alone: AtomicBool,
}

/// One host's files.
#[derive(Debug, Clone)]
pub(in super::super) struct Host {
    entries: Arc<Mutex<BTreeMap<Vec<u8>, Entry>>>,
    all: Arc<All>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// What is at a path of host `n`, counted from 0. Relative paths begin in `/home/canned`.
    pub fn get(&self, n: usize, path: impl AsRef<[u8]>) -> Option<File> {
        self.numbered(n).get(path.as_ref())
    }

    /// All paths of a host.
    pub fn paths(&self, n: usize) -> Vec<Vec<u8>> {
        lock(&self.numbered(n).entries).keys().cloned().collect()
    }

    /// Puts a file there, with the folders it is in.
    pub fn put(&self, n: usize, path: impl AsRef<[u8]>, content: impl Into<Bytes>) {
        let content = Content::Given(content.into());
        self.numbered(n).put(path.as_ref(), content);
    }

    /// Puts so many zeros there.
    pub fn put_zeros(&self, n: usize, path: impl AsRef<[u8]>, size: u64) {
        self.numbered(n).put(path.as_ref(), Content::Zeros(size));
    }

    /// From now on every folder is said to hold these names too, each that of a small file: `../evil`.
    /// (Who falls for it finds what was put where that leads.)
    pub fn lie(&self, names: &[&str]) {
        *lock(&self.0.lies) = names
            .iter()
            .map(|name| Bytes::copy_from_slice(name.as_bytes()))
            .collect();
    }

    /// From now on there is no SFTP.
    pub fn refuse(&self) {
        self.0.refused.store(true, Ordering::SeqCst);
    }

    pub(in super::super) fn are_refused(&self) -> bool {
        self.0.refused.load(Ordering::SeqCst)
    }

    /// From now on there is nothing but SFTP: no command is executed.
    pub fn alone(&self) {
        self.0.alone.store(true, Ordering::SeqCst);
    }

    pub(in super::super) fn are_alone(&self) -> bool {
        self.0.alone.load(Ordering::SeqCst)
    }

    fn numbered(&self, n: usize) -> Host {
        let address = hosts::address(n).parse();
        self.host(address.unwrap_or(Ipv4Addr::LOCALHOST))
    }

    /// The files of the host at an address.
    pub(in super::super) fn host(&self, address: Ipv4Addr) -> Host {
        let mut hosts = lock(&self.0.hosts);
        let host = hosts.entry(address).or_insert_with(|| Host {
            entries: Arc::new(Mutex::new(
                [&b"/"[..], b"/home", HOME, b"/tmp", b"/etc"]
                    .iter()
                    .map(|path| (path.to_vec(), Entry::new(Content::Folder, 0o755)))
                    .collect(),
            )),
            all: self.0.clone(),
        });
        host.clone()
    }
}

/// A path from `/`, without what leads nowhere.
pub(super) fn absolute(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    let home = if path.starts_with(b"/") { b"" } else { HOME };
    for name in home.split(|b| *b == b'/').chain(path.split(|b| *b == b'/')) {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    [b"/", names.join(&b'/').as_slice()].concat()
}

/// The folder of an absolute path.
fn folder(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|b| *b == b'/') {
        None | Some(0) => b"/",
        Some(at) => path.get(..at).unwrap_or_default(),
    }
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum No {
    NoSuchFile,
    Failure(&'static str),
}

impl Host {
    pub(super) fn get(&self, path: &[u8]) -> Option<File> {
        lock(&self.entries).get(&absolute(path)).map(File::from)
    }

    fn put(&self, path: &[u8], content: Content) {
        let path = absolute(path);
        let mut entries = lock(&self.entries);
        let mut at = folder(&path);
        while !entries.contains_key(at) {
            entries.insert(at.to_vec(), Entry::new(Content::Folder, 0o755));
            at = folder(at);
        }
        entries.insert(path, Entry::new(content, 0o644));
    }

    /// Does something with what is at a path, links not followed.
    pub(super) fn with<T>(&self, path: &[u8], work: impl FnOnce(&mut Entry) -> T) -> Result<T, No> {
        let mut entries = lock(&self.entries);
        entries.get_mut(path).map(work).ok_or(No::NoSuchFile)
    }

    /// Where a path leads once links are followed.
    pub(super) fn followed(&self, path: &[u8]) -> Vec<u8> {
        let entries = lock(&self.entries);
        let mut path = absolute(path);
        for _ in 0..8 {
            match entries.get(&path).map(|entry| &entry.content) {
                Some(Content::Link(to)) => {
                    path = absolute(&[folder(&path), b"/", to.as_slice()].concat());
                }
                _ => break,
            }
        }
        path
    }

    /// Makes something where nothing is.
    pub(super) fn make(&self, path: &[u8], entry: Entry) -> Result<(), No> {
        let mut entries = lock(&self.entries);
        let parent = entries.get(folder(path)).ok_or(No::NoSuchFile)?;
        if !matches!(parent.content, Content::Folder) {
            return Err(No::NoSuchFile);
        }
        if entries.contains_key(path) {
            return Err(No::Failure("File exists"));
        }
        entries.insert(path.to_vec(), entry);
        Ok(())
    }

    pub(super) fn remove(&self, path: &[u8], a_folder: bool) -> Result<(), No> {
        let mut entries = lock(&self.entries);
        let entry = entries.get(path).ok_or(No::NoSuchFile)?;
        if matches!(entry.content, Content::Folder) != a_folder {
            return Err(No::Failure("Failure"));
        }
        if a_folder && below(&entries, path).next().is_some() {
            return Err(No::Failure("Directory not empty"));
        }
        entries.remove(path);
        Ok(())
    }

    /// Moves a file, or a folder with all that is in it.
    pub(super) fn rename(&self, from: &[u8], to: &[u8], replace: bool) -> Result<(), No> {
        let mut entries = lock(&self.entries);
        if !entries.contains_key(from) || !entries.contains_key(folder(to)) {
            return Err(No::NoSuchFile);
        }
        if entries.contains_key(to) && !replace {
            return Err(No::Failure("File exists"));
        }
        let mut moved: Vec<Vec<u8>> = below(&entries, from)
            .map(|(path, _)| path.clone())
            .collect();
        moved.push(from.to_vec());
        for path in moved {
            if let Some(entry) = entries.remove(&path) {
                let rest = path.get(from.len()..).unwrap_or_default();
                entries.insert([to, rest].concat(), entry);
            }
        }
        Ok(())
    }

    /// The names in a folder, and what is said of each.
    pub(super) fn list(&self, path: &[u8]) -> Result<Vec<(Bytes, Entry)>, No> {
        let entries = lock(&self.entries);
        let entry = entries.get(path).ok_or(No::NoSuchFile)?;
        if !matches!(entry.content, Content::Folder) {
            return Err(No::NoSuchFile);
        }
        let mut names: Vec<(Bytes, Entry)> = [&b"."[..], b".."]
            .iter()
            .map(|name| (Bytes::from_static(name), entry.clone()))
            .collect();
        let start = if path == b"/" { 1 } else { path.len() + 1 };
        for (child, entry) in below(&entries, path) {
            let name = child.get(start..).unwrap_or_default();
            if !name.is_empty() && !name.contains(&b'/') {
                names.push((Bytes::copy_from_slice(name), entry.clone()));
            }
        }
        for lie in lock(&self.all.lies).iter() {
            names.push((lie.clone(), Entry::new(Content::Zeros(6), 0o644)));
        }
        Ok(names)
    }
}

/// All that is below a path.
fn below<'a>(
    entries: &'a BTreeMap<Vec<u8>, Entry>,
    path: &[u8],
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Entry)> + use<'a> {
    let mut start = path.to_vec();
    if path != b"/" {
        start.push(b'/');
    }
    entries
        .range(start.clone()..)
        .take_while(move |(path, _)| path.starts_with(&start))
        .filter(|(path, _)| path.as_slice() != b"/")
}
