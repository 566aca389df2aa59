//! Is this host who it should be: the key it shows against the files of known hosts, read once a
//! run for each set of files, and what is learnt on the way.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use russh::keys::PublicKeyOrCertificate;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::algorithms::same_type;
pub use super::known_hosts_append::append;
use super::known_hosts_certificate::check_certificate;
use super::known_hosts_file::{Entry, Marker, entry, lookup_name};
use crate::event::{ErrorKind, HostError};
use crate::target::{HostKeyMode, SshOptions, SshTarget};

/// The known hosts of one run.
#[derive(Default)]
pub struct HostKeys {
    sets: RwLock<HashMap<Vec<PathBuf>, Arc<KnownHosts>>>,
    learnt: Mutex<Vec<Learnt>>,
}

/// What is known of a host that may be spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Its key is on record or was learnt, or checks are off.
    Host,
    /// Its key is not the one on record, and checks are off.
    Impostor,
}

/// A key that was new and is accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// The name it is kept under.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// The file it goes to.
    pub file: PathBuf,
}

/// The entries of a set of files, indexed by name where that is possible.
#[derive(Default)]
pub(super) struct KnownHosts {
    entries: Vec<(Entry, Arc<Path>)>,
    /// By plain name.
    plain: HashMap<String, Vec<usize>>,
    /// Hashed names and patterns: these must be tried one by one.
    other: Vec<usize>,
    revoked: Vec<PublicKey>,
    /// Where a file could not be read.
    broken: Option<HostError>,
}

impl KnownHosts {
    fn load(options: &SshOptions) -> Self {
        let mut known = Self::default();
        for file in options
            .user_known_hosts
            .iter()
            .chain(&options.global_known_hosts)
        {
            let text = match std::fs::read(file) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) => {
                    if error.kind() != std::io::ErrorKind::NotFound {
                        tracing::warn!(file = %file.display(), %error, "known hosts can't be read");
                    }
                    continue;
                }
            };
            let file: Arc<Path> = file.as_path().into();
            for (index, line) in text.lines().enumerate() {
                if let Some(entry) = entry(line, index + 1) {
                    known.add(entry, file.clone());
                }
            }
        }
        if let Some(file) = &options.revoked_host_keys {
            known.load_revoked(file);
        }
        known
    }

    fn add(&mut self, entry: Entry, file: Arc<Path>) {
        let index = self.entries.len();
        match entry.names.plain() {
            Some(names) if entry.marker == Marker::Host => {
                for name in names {
                    self.plain.entry(name.clone()).or_default().push(index);
                }
            }
            _ => self.other.push(index),
        }
        self.entries.push((entry, file));
    }

    /// `RevokedHostKeys`: a list of keys. Without it every host would be refused, as in ssh.
    fn load_revoked(&mut self, file: &Path) {
        let refuse = |why: String| {
            HostError::new(
                ErrorKind::Unsupported,
                format!("RevokedHostKeys {}: {why}", file.display()),
            )
            .hint("give it as a text file with one public key a line")
        };
        match std::fs::read(file) {
            Err(error) => self.broken = Some(refuse(error.to_string())),
            Ok(bytes) if bytes.starts_with(b"SSHKRL\n\0") => {
                self.broken = Some(refuse("binary revocation lists are not read".into()));
            }
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.revoked = text
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .filter_map(|line| PublicKey::from_openssh(line).ok())
                    .collect();
            }
        }
    }

    /// The entries for a name.
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (Entry, Arc<Path>)> {
        let plain = self.plain.get(name).into_iter().flatten();
        let other = self.other.iter().filter(|index| {
            self.entries
                .get(**index)
                .is_some_and(|(entry, _)| entry.names.matches(name))
        });
        plain
            .chain(other)
            .filter_map(|index| self.entries.get(*index))
    }

    /// Whether this very key is on record for the name. Comparing keys first spares the hashing of
    /// the name against each of thousands of hashed entries.
    fn has(&self, name: &str, key: &PublicKey) -> bool {
        let same = |index: &&usize| {
            self.entries.get(**index).is_some_and(|(entry, _)| {
                entry.marker == Marker::Host && entry.key.key_data() == key.key_data()
            })
        };
        self.plain
            .get(name)
            .is_some_and(|indexes| indexes.iter().any(|index| same(&index)))
            || self.other.iter().filter(same).any(|index| {
                self.entries
                    .get(*index)
                    .is_some_and(|(entry, _)| entry.names.matches(name))
            })
    }

    /// Whether this key signs certificates of hosts of the name.
    pub(super) fn trusts(&self, authority: &PublicKey, name: &str) -> bool {
        self.other
            .iter()
            .filter_map(|index| self.entries.get(*index))
            .any(|(entry, _)| {
                entry.marker == Marker::Authority
                    && entry.key.key_data() == authority.key_data()
                    && entry.names.matches(name)
            })
    }

    pub(super) fn is_revoked(&self, name: &str, key: &PublicKey) -> bool {
        self.revoked
            .iter()
            .any(|revoked| revoked.key_data() == key.key_data())
            || self
                .other
                .iter()
                .filter_map(|index| self.entries.get(*index))
                .any(|(entry, _)| {
                    entry.marker == Marker::Revoked
                        && entry.key.key_data() == key.key_data()
                        && entry.names.matches(name)
                })
    }
}

pub(super) fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

fn name_of(target: &SshTarget) -> String {
    match &target.host_key_alias {
        // ssh looks an alias up without the port.
        Some(alias) => alias.to_lowercase(),
        None => lookup_name(&target.address, target.port),
    }
}

/// The names a host's keys may be kept under.
pub(super) struct Names {
    /// Its own: where a key that differs is a change, and where new keys go.
    pub(super) kept: String,
    /// Without the port: a key that is on record there is good as well, as in ssh.
    pub(super) plain: Option<String>,
}

impl Names {
    fn of(target: &SshTarget) -> Self {
        let kept = name_of(target);
        let plain = lookup_name(&target.address, 22);
        let other = target.host_key_alias.is_none() && plain != kept;
        Self {
            kept,
            plain: other.then_some(plain),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.kept.as_str()).chain(self.plain.as_deref())
    }
}

impl HostKeys {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self, options: &SshOptions) -> Arc<KnownHosts> {
        let mut files = options.user_known_hosts.clone();
        files.push(PathBuf::new());
        files.extend(options.global_known_hosts.iter().cloned());
        files.extend(options.revoked_host_keys.clone());
        if let Some(known) = self
            .sets
            .read()
            .ok()
            .and_then(|sets| sets.get(&files).cloned())
        {
            return known;
        }
        let Ok(mut sets) = self.sets.write() else {
            return Arc::default();
        };
        sets.entry(files)
            .or_insert_with(|| Arc::new(KnownHosts::load(options)))
            .clone()
    }

    /// Judges the key a host shows.
    pub fn check(
        &self,
        target: &SshTarget,
        shown: &PublicKeyOrCertificate,
    ) -> Result<Trust, HostError> {
        let checked = self.check_all(target, shown);
        match checked {
            Ok(()) => Ok(Trust::Host),
            // Switched off or not: what is revoked is revoked.
            Err(error) if target.options.host_key != HostKeyMode::Off => Err(error),
            Err(error) => match error.kind {
                ErrorKind::HostKeyRevoked | ErrorKind::Unsupported => Err(error),
                ErrorKind::HostKeyChanged => Ok(Trust::Impostor),
                _ => Ok(Trust::Host),
            },
        }
    }

    fn check_all(
        &self,
        target: &SshTarget,
        shown: &PublicKeyOrCertificate,
    ) -> Result<(), HostError> {
        let known = self.known(&target.options);
        if let Some(broken) = &known.broken {
            return Err(broken.clone());
        }
        let names = Names::of(target);
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.check_key(target, &known, &names, key)
            }
            PublicKeyOrCertificate::Certificate(certificate) => {
                check_certificate(&known, target, &names, certificate)
            }
        }
    }

    fn check_key(
        &self,
        target: &SshTarget,
        known: &KnownHosts,
        names: &Names,
        key: &PublicKey,
    ) -> Result<(), HostError> {
        let name = names.kept.as_str();
        if known.is_revoked(name, key) {
            return Err(HostError::new(
                ErrorKind::HostKeyRevoked,
                format!("{name} shows a revoked key: {}", fingerprint(key)),
            ));
        }
        if known.has(name, key) {
            return Ok(());
        }
        let mut on_record = known
            .of(name)
            .filter(|(entry, _)| entry.marker == Marker::Host)
            .peekable();
        if on_record.peek().is_some() {
            let record: Vec<String> = on_record
                .map(|(entry, file)| {
                    format!(
                        "{} ({}:{})",
                        fingerprint(&entry.key),
                        file.display(),
                        entry.line
                    )
                })
                .collect();
            return Err(HostError::new(
                ErrorKind::HostKeyChanged,
                format!(
                    "{name} shows {}, on record is {}",
                    fingerprint(key),
                    record.join(", ")
                ),
            ));
        }
        if let Some(plain) = &names.plain
            && known.has(plain, key)
            && !known.is_revoked(plain, key)
        {
            return Ok(());
        }
        if target.options.host_key != HostKeyMode::AcceptNew {
            return Err(HostError::new(
                ErrorKind::HostKeyUnknown,
                format!(
                    "{name} shows {}, and no key of it is on record",
                    fingerprint(key)
                ),
            ));
        }
        self.learn(target, name, key)
    }

    /// Accepts a new key: once, even when hosts share a name; a second one is a change.
    fn learn(&self, target: &SshTarget, name: &str, key: &PublicKey) -> Result<(), HostError> {
        let Some(file) = target.options.user_known_hosts.first() else {
            return Ok(());
        };
        let Ok(mut learnt) = self.learnt.lock() else {
            return Ok(());
        };
        match learnt
            .iter()
            .find(|each| each.name == name && each.file == *file)
        {
            Some(before) if before.key.key_data() == key.key_data() => Ok(()),
            Some(before) => Err(HostError::new(
                ErrorKind::HostKeyChanged,
                format!(
                    "{name} shows {}, a moment ago it showed {}",
                    fingerprint(key),
                    fingerprint(&before.key)
                ),
            )),
            None => {
                learnt.push(Learnt {
                    name: name.to_owned(),
                    key: key.clone(),
                    file: file.clone(),
                });
                Ok(())
            }
        }
    }

    /// The types of keys on record for a host: it must be asked for these.
    pub fn types_on_record(&self, target: &SshTarget) -> Vec<Algorithm> {
        let known = self.known(&target.options);
        let names = Names::of(target);
        let mut types: Vec<Algorithm> = Vec::new();
        // Hashed entries are not asked here: thousands of them for each host would cost more than
        // the whole connection. A host of hashed files is asked for the types that stand in them.
        let plain = names.all().find_map(|name| known.plain.get(name));
        let indexes = plain.map_or(known.other.as_slice(), Vec::as_slice);
        for (entry, _) in indexes.iter().filter_map(|index| known.entries.get(*index)) {
            let algorithm = entry.key.algorithm();
            if entry.marker == Marker::Host && !types.contains(&algorithm) {
                types.push(algorithm);
            }
        }
        types.sort_by_key(ToString::to_string);
        types
    }

    /// The types on record for a host that shows a key which is not: empty where one of its type is.
    pub(super) fn other_types(&self, target: &SshTarget, shown: &Algorithm) -> Vec<Algorithm> {
        let known = self.known(&target.options);
        let names = Names::of(target);
        let mut types: Vec<Algorithm> = Vec::new();
        for name in names.all() {
            let entries = known.of(name).map(|(entry, _)| entry);
            for entry in entries.filter(|entry| entry.marker == Marker::Host) {
                let algorithm = entry.key.algorithm();
                if !types.contains(&algorithm) {
                    types.push(algorithm);
                }
            }
            if !types.is_empty() {
                break;
            }
        }
        if types.iter().any(|known| same_type(known, shown)) {
            types.clear();
        }
        types
    }

    /// Whether an authority could vouch for the host.
    pub fn has_authority(&self, target: &SshTarget) -> bool {
        let known = self.known(&target.options);
        let names = Names::of(target);
        known
            .other
            .iter()
            .filter_map(|index| known.entries.get(*index))
            .any(|(entry, _)| {
                entry.marker == Marker::Authority
                    && names.all().any(|name| entry.names.matches(name))
            })
    }

    /// The keys on record for a host, each with its place.
    pub fn on_record(&self, target: &SshTarget) -> Vec<(PublicKey, PathBuf, usize)> {
        let known = self.known(&target.options);
        let name = name_of(target);
        known
            .of(&name)
            .filter(|(entry, _)| entry.marker == Marker::Host)
            .map(|(entry, file)| (entry.key.clone(), file.to_path_buf(), entry.line))
            .collect()
    }

    /// The name a host's keys are kept under: `host`, `[host]:port`, or its alias.
    pub fn name(target: &SshTarget) -> String {
        name_of(target)
    }

    /// What was learnt so far.
    pub fn learnt(&self) -> Vec<Learnt> {
        self.learnt
            .lock()
            .map(|learnt| learnt.clone())
            .unwrap_or_default()
    }

    /// Appends what was learnt to its files, once.
    pub fn save_learnt(&self) -> Result<Vec<Learnt>, HostError> {
        let learnt = match self.learnt.lock() {
            Ok(mut learnt) => std::mem::take(&mut *learnt),
            Err(_) => Vec::new(),
        };
        append(&learnt)?;
        Ok(learnt)
    }
}
