//! The ways to hosts of one run, and what is to be said and written at its end of who was met there:
//! bastions that were not checked, keys and certificates that were new.

use std::sync::Arc;

use super::Setup;
use crate::base::prompt::Prompt;
use crate::event::HostError;
use crate::transport::ssh::{HostKeys, Ssh};
use crate::transport::winrm::{Certificates, Winrm};
use crate::transport::{Transports, local};

/// The ways, and whom they met.
pub struct Identities {
    ssh: Arc<Ssh>,
    certificates: Arc<Certificates>,
}

impl Identities {
    /// For one run.
    pub fn new(setup: &Setup, prompt: Arc<dyn Prompt>) -> Self {
        Self {
            ssh: Arc::new(Ssh::new(
                prompt,
                Arc::new(HostKeys::new()),
                setup.settings.post_quantum(),
            )),
            certificates: Arc::new(certificates(setup)),
        }
    }

    /// The ways themselves.
    pub fn transports(&self) -> Transports {
        Transports {
            ssh: self.ssh.clone(),
            winrm: Arc::new(Winrm::new(self.certificates.clone())),
            local: Arc::new(local::Local),
        }
    }

    /// Writes down what was learnt; says that, and what was not checked on the way.
    pub fn settle(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let bastions = self.ssh.unchecked_bastions();
        if !bastions.is_empty() {
            notices.push(format!(
                "the host keys of bastions were not checked: {}",
                bastions.join(", ")
            ));
        }
        let keys = self.ssh.host_keys().save_learnt().map(|learnt| {
            let file = learnt.first().map(|first| first.file.display().to_string());
            let names: Vec<String> = learnt.into_iter().map(|one| one.name).collect();
            (names, file.unwrap_or_default())
        });
        notices.extend(learnt("key", keys));
        let certificates = self.certificates.save_learnt().map(|learnt| {
            let names: Vec<String> = learnt.into_iter().map(|one| one.name).collect();
            (names, self.certificates.file().display().to_string())
        });
        notices.extend(learnt("certificate", certificates));
        notices
    }
}

/// The certificates on record.
pub fn certificates(setup: &Setup) -> Certificates {
    Certificates::new(setup.data_dir().join("known_certificates"))
}

fn learnt(what: &str, learnt: Result<(Vec<String>, String), HostError>) -> Option<String> {
    match learnt {
        Ok((names, file)) => match names.as_slice() {
            [] => None,
            [one] => Some(format!("the {what} of {one} was new and is now in {file}")),
            several => Some(format!(
                "the {what}s of {} hosts were new and are now in {file}",
                several.len()
            )),
        },
        Err(error) => Some(error.message),
    }
}
