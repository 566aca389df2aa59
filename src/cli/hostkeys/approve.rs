//! `hostkeys approve`: what was scanned is written down, as it was scanned.

use std::sync::Arc;

use super::chosen::{Chosen, Way};
use super::rows::{Row, State, print_rows};
use super::shown::Shown;
use super::{Known, certificates, keys};
use crate::cli::ask::confirm;
use crate::cli::{CliError, Setup, Status};
use crate::target::{SshTarget, WinrmTarget};
use crate::transport::ssh::known_hosts::{Learnt, append};
use crate::transport::ssh::{HostKeys, ScannedKey};
use crate::transport::winrm::KnownCertificate;

/// What is going to be written.
#[derive(Default)]
struct Found {
    keys: Vec<Learnt>,
    certificates: Vec<KnownCertificate>,
    rows: Vec<Row>,
    /// Hosts that show something else than what is on record.
    changed: Vec<String>,
    /// Hosts that were not scanned, and have nothing on record.
    unseen: Vec<String>,
    /// What need not be kept any longer.
    done: Vec<String>,
}

/// Shows, asks, writes.
pub(super) fn approve(
    setup: &Setup,
    chosen: &Chosen,
    known: &Known,
    yes: bool,
) -> Result<Status, CliError> {
    let mut shown = Shown::load(setup);
    let mut found = Found::default();
    for (host, way) in chosen.ways() {
        match way {
            Way::Ssh(target) => found.key(host, target, known, &shown),
            Way::Winrm(target) if target.options.https => {
                found.certificate(host, target, known, &shown)?;
            }
            Way::Winrm(_) => {}
        }
    }
    found.must_not_differ()?;
    if !found.unseen.is_empty() {
        setup.warn(&format!("not scanned yet: {}", found.unseen.join(", ")));
    }
    if found.rows.is_empty() {
        return nothing(setup, &found);
    }
    if !yes && !setup.json() {
        print_rows(setup, &found.rows)?;
    }
    confirm(&format!("Believe these {} keys?", found.rows.len()), yes)?;
    append(&found.keys)?;
    crate::transport::winrm::append(known.certificates.file(), &found.certificates)
        .map_err(|error| CliError::new(error.message))?;
    for name in &found.done {
        shown.drop(name);
    }
    shown.save(setup)?;
    if setup.json() {
        print_rows(setup, &found.rows)?;
    } else {
        setup.print(&format!("{} keys written\n", found.rows.len()))?;
    }
    Ok(Status::OK)
}

fn nothing(setup: &Setup, found: &Found) -> Result<Status, CliError> {
    if !found.unseen.is_empty() {
        return Err(
            CliError::new("there is nothing to approve").hint("iomsctl hostkeys scan -g ...")
        );
    }
    if setup.json() {
        print_rows(setup, &[])?;
    } else {
        setup.print("all keys that were scanned are on record\n")?;
    }
    Ok(Status::OK)
}

impl Found {
    fn key(&mut self, host: &Arc<str>, target: &SshTarget, known: &Known, shown: &Shown) {
        let name = HostKeys::name(target);
        let Some(kept) = shown.get(&name) else {
            if known.keys.on_record(target).is_empty() {
                self.unseen.push(host.to_string());
            }
            return;
        };
        let Some(file) = target.options.user_known_hosts.first() else {
            return;
        };
        for key in kept.iter().filter_map(|key| ScannedKey::parse(key)) {
            match keys::state(known, target, &key) {
                State::Changed => self.changed.push(host.to_string()),
                State::New => {
                    self.rows.push(keys::row(host, &key, State::New));
                    self.keys.push(Learnt {
                        name: name.clone(),
                        key: key.key,
                        file: file.clone(),
                    });
                    self.done.push(name.clone());
                }
                State::Known | State::None | State::Unreachable => {}
            }
        }
    }

    fn certificate(
        &mut self,
        host: &Arc<str>,
        target: &WinrmTarget,
        known: &Known,
        shown: &Shown,
    ) -> Result<(), CliError> {
        let name = certificates::kept_name(target);
        let failed = |error: crate::event::HostError| CliError::new(error.message);
        let Some(kept) = shown.get(&name) else {
            let on_record = known.certificates.on_record(target).map_err(failed)?;
            if on_record.is_empty() && target.options.pin.is_none() {
                self.unseen.push(host.to_string());
            }
            return Ok(());
        };
        for certificate in kept.iter().filter_map(|kept| certificates::parse(kept)) {
            match certificates::state(known, target, &certificate).map_err(failed)? {
                State::Changed => self.changed.push(host.to_string()),
                State::New => {
                    self.rows
                        .push(certificates::row(host, &certificate, State::New));
                    let entry = certificates::entry(target, &certificate);
                    // Two names of one host.
                    if !self.certificates.contains(&entry) {
                        self.certificates.push(entry);
                    }
                    self.done.push(name.clone());
                }
                State::Known | State::None | State::Unreachable => {}
            }
        }
        Ok(())
    }

    fn must_not_differ(&mut self) -> Result<(), CliError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        self.changed.dedup();
        Err(CliError::new(format!(
            "these hosts show other keys than those on record: {}",
            self.changed.join(", ")
        ))
        .hint("if they were reinstalled: `iomsctl hostkeys forget` first; else somebody may stand between")
        .status(2))
    }
}
