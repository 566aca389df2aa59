//! The keys of hosts behind SSH.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Known;
use super::chosen::Chosen;
use super::rows::{Row, Seen, State};
use crate::cli::{CliError, Setup};
use crate::event::HostError;
use crate::target::SshTarget;
use crate::transport::ssh::{HostKeys, ScannedKey, Ssh};

/// Asks hosts for their keys.
pub(super) struct Scanner(Ssh);

impl Scanner {
    pub(super) fn new(setup: &Setup, chosen: &Chosen) -> Self {
        // Bastions on the way are checked as ever.
        let known = Arc::new(HostKeys::new());
        Self(Ssh::new(
            chosen.prompt.clone(),
            known,
            setup.settings.post_quantum(),
        ))
    }

    /// What a host shows.
    pub(super) async fn scan(
        &self,
        host: &Arc<str>,
        target: &Arc<SshTarget>,
        known: &Known,
    ) -> Result<Seen, HostError> {
        let keys = crate::transport::ssh::scan(&self.0, target).await?;
        let rows = keys
            .iter()
            .map(|key| row(host, key, state(known, target, key)))
            .collect();
        let kept = keys.iter().map(ScannedKey::openssh).collect();
        Ok(Seen {
            rows,
            kept: Some((HostKeys::name(target), kept)),
        })
    }
}

/// A key's row.
pub(super) fn row(host: &Arc<str>, key: &ScannedKey, state: State) -> Row {
    Row {
        kind: Some(key.kind()),
        fingerprint: Some(key.fingerprint()),
        ..Row::new(host, state)
    }
}

/// How a key that was shown stands to those on record.
pub(super) fn state(known: &Known, target: &SshTarget, key: &ScannedKey) -> State {
    let on_record = known.keys.on_record(target);
    let any = |fits: &dyn Fn(&ScannedKey) -> bool| {
        on_record
            .iter()
            .any(|(one, ..)| fits(&ScannedKey { key: one.clone() }))
    };
    if any(&|one| one.key.key_data() == key.key.key_data()) {
        State::Known
    } else if any(&|one| one.key.algorithm() == key.key.algorithm()) {
        State::Changed
    } else {
        State::New
    }
}

/// What is on record for a host.
pub(super) fn on_record(known: &Known, host: &Arc<str>, target: &SshTarget) -> Vec<Row> {
    known
        .keys
        .on_record(target)
        .into_iter()
        .map(|(key, file, line)| Row {
            place: Some((file, line)),
            ..row(host, &ScannedKey { key }, State::Known)
        })
        .collect()
}

/// Takes the entries of these names out of a file; says how many there were.
pub(super) fn forget(file: &Path, names: &[String]) -> Result<(PathBuf, usize), CliError> {
    let edit = crate::transport::ssh::forget(file, names)
        .map_err(|error| CliError::new(format!("{}: {error}", file.display())))?;
    Ok((edit.file, edit.removed))
}
