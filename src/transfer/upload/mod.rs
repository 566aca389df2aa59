//! Files to one host: looks what is there, sends what differs, and says what became of each.

mod decide;
mod diff;
mod locating;
mod mirror;
mod packing;
mod pulling;
mod report;
mod resuming;
mod sending;
mod singly;
mod surveying;
mod together;

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::link::{Link, Trouble};
use super::meter::Meter;
use super::part_name;
use super::pull::{PullServer, PullSettings};
use super::records::compared;
use super::remote::Remote;
use super::report::Report;
use super::source::{Collected, EntryKind};
use super::{Act, EARLY};
use crate::base::digest;
use crate::shell::files::{Algorithm, HostPath};

/// What is to be on every host.
#[derive(Debug)]
pub struct Upload {
    /// What.
    pub collected: Collected,
    /// Where, as it was typed.
    pub dest: String,
    /// How.
    pub options: UploadOptions,
    /// How much of it has moved.
    pub meter: Arc<Meter>,
    /// What the tree's staging folder is known by: changes with its content.
    fingerprint: String,
    /// From where hosts fetch, once one does.
    server: OnceCell<Arc<PullServer>>,
}

/// How files are put on hosts.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// Permission bits for files.
    pub mode: Option<u32>,
    /// A user's name or number.
    pub owner: Option<String>,
    /// A group's name or number.
    pub group: Option<String>,
    /// Keep times of change.
    pub times: bool,
    /// Keep what is replaced under this ending of its name.
    pub backup: Option<String>,
    /// Send what is equal too.
    pub force: bool,
    /// Make the folder that is to hold it.
    pub mkdir: bool,
    /// Remove what is in the folder there and not here.
    pub delete: bool,
    /// How contents are compared.
    pub algorithm: Algorithm,
    /// What is to be done with differences.
    pub act: Act,
    /// Show how texts differ.
    pub diff: bool,
    /// The way that large files take.
    pub via: Way,
    /// How hosts can fetch, where that is set up.
    pub pull: Option<PullSettings>,
}

/// The way that large files take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Hosts of WinRM fetch what is large, where they can; the others are sent it.
    #[default]
    Auto,
    /// They are sent.
    Push,
    /// The hosts fetch them.
    Pull,
}

impl Upload {
    /// An order for all hosts of a run.
    pub fn new(
        collected: Collected,
        dest: String,
        options: UploadOptions,
        meter: Arc<Meter>,
    ) -> Self {
        let mut hasher = digest::Md5Hasher::default();
        for entry in &collected.entries {
            hasher.update(&entry.name);
            if let EntryKind::File(content) = &entry.kind {
                hasher.update(content.md5().as_bytes());
            }
            hasher.update(b"\0");
        }
        Self {
            collected,
            dest,
            options,
            meter,
            fingerprint: digest::hex(&hasher.finish()),
            server: OnceCell::new(),
        }
    }

    /// Whether it is one file of at least so many bytes.
    fn is_one_file_of(&self, size: u64) -> bool {
        match self.collected.entries.first().map(|entry| &entry.kind) {
            Some(EntryKind::File(content)) => self.is_one_file() && content.size() >= size,
            _ => false,
        }
    }

    /// Whether it is one file, not a folder.
    fn is_one_file(&self) -> bool {
        matches!(self.collected.entries.as_slice(), [one] if one.name.is_empty() && !matches!(one.kind, EntryKind::Folder))
    }
}

/// Puts it on one host. What was done until a trouble came is reported with it.
pub async fn upload(
    order: &Upload,
    link: &mut dyn Link,
    report: &mut Report,
) -> Result<(), Trouble> {
    let remote = &mut Remote::new(link);
    if order.options.act == Act::Send && order.is_one_file_of(EARLY) {
        remote.expect_channel();
    }
    let mut survey = surveying::survey(order, remote).await?;
    if order.options.diff {
        diff::show(&survey, remote, report).await?;
    }
    match order.options.act {
        Act::Verify => verified(&survey, report),
        Act::Check => {
            report.would(order, &survey);
            Ok(())
        }
        Act::Send => {
            let sent = sending::send(order, remote, &mut survey, report).await;
            report.finish(&survey);
            sent
        }
    }
}

/// Compares only.
fn verified(survey: &surveying::Survey<'_>, report: &mut Report) -> Result<(), Trouble> {
    let differ = report.verified(survey);
    compared(differ, "upload without --verify sends what differs")
}

/// The part file of a target.
fn part_of(target: &HostPath, digest: &str) -> HostPath {
    let part = part_name(target.name(), digest);
    target.folder().join(&part)
}

#[cfg(test)]
mod tests;
