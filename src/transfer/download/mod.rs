//! Files from one host, into a folder of its own: looks what there is, fetches what differs, and
//! believes no name the host sends.

mod asking;
mod beneath;
mod comparing;
mod diff;
mod fetching;
mod local;
mod mirror;
mod names;
mod parts;
mod single;
mod stream;
mod surveying;
mod unpacking;

use std::path::PathBuf;
use std::sync::Arc;

use super::Act;
use super::link::{Link, Trouble};
use super::meter::Meter;
use super::records::compared;
use super::remote::Remote;
use super::report::Report;
use crate::event::{FileAction, FileRecord};
use crate::shell::files::Algorithm;

pub use names::folder_of;
pub use single::{Single, single};

/// What is fetched from every host.
#[derive(Debug)]
pub struct Download {
    /// What, as it was typed: a file, a folder, a pattern for the host's shell; with a slash at its
    /// end the folder's content.
    pub source: String,
    /// The folder that gets a folder for each host.
    pub dest: PathBuf,
    /// How.
    pub options: DownloadOptions,
    /// How much has moved.
    pub meter: Arc<Meter>,
}

/// How files are fetched.
#[derive(Debug, Clone, Default)]
pub struct DownloadOptions {
    /// Keep times of change.
    pub times: bool,
    /// Keep what is replaced under this ending of its name.
    pub backup: Option<String>,
    /// Fetch what is equal too.
    pub force: bool,
    /// Fetch what links lead to.
    pub follow: bool,
    /// Remove what is in the host's folder here and not there.
    pub delete: bool,
    /// How contents are compared.
    pub algorithm: Algorithm,
    /// What is to be done with differences.
    pub act: Act,
    /// Show how texts differ.
    pub diff: bool,
    /// Take what comes, also where it is not what was announced.
    pub unchecked: bool,
}

/// Fetches it from one host. What was done until a trouble came is reported with it.
pub async fn download(
    order: &Download,
    host: &str,
    link: &mut dyn Link,
    report: &mut Report,
) -> Result<(), Trouble> {
    report.is_of_download();
    let remote = &mut Remote::new(link);
    let mut survey = surveying::survey(order, host, remote).await?;
    for notice in &survey.notices {
        report.text.push_str(notice);
        report.text.push('\n');
    }
    if order.options.diff {
        diff::show(&survey, remote, report).await?;
    }
    match order.options.act {
        Act::Verify => {
            let mut differ = 0;
            for item in survey.items.iter().filter(|item| item.is_leaf()) {
                let action = if item.fetch {
                    differ += 1;
                    FileAction::Differs
                } else {
                    FileAction::Verified
                };
                report.add(item.record(&survey, action));
            }
            for name in &survey.extra {
                differ += 1;
                report.add(FileRecord {
                    action: FileAction::Differs,
                    ..survey.removal(name)
                });
            }
            report.write_down(false);
            compared(differ, "download without --verify fetches what differs")
        }
        Act::Check => {
            for item in survey.items.iter().filter(|item| item.is_leaf()) {
                let action = if item.fetch {
                    FileAction::Sent
                } else {
                    FileAction::Kept
                };
                report.add(item.record(&survey, action));
            }
            for name in &survey.extra {
                report.add(survey.removal(name));
            }
            report.write_down(true);
            Ok(())
        }
        Act::Send => {
            let fetched = fetching::fetch(order, remote, &mut survey, report).await;
            for item in survey
                .items
                .iter()
                .filter(|item| item.is_leaf() && !item.fetch)
            {
                report.add(item.record(&survey, FileAction::Kept));
            }
            report.write_down(false);
            fetched
        }
    }
}
