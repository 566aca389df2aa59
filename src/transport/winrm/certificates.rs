//! The certificates of one run: those on record, what is learnt on the way, the authorities and our own
//! certificates, each read once; and the judgement of what a host shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::authorities::{self, Authorities};
use super::certificate_file::{self, KnownCertificate, append, name};
use super::hints;
use super::leaf::{ScannedCertificate, fingerprint, show};
use super::untrusted;
use crate::event::{ErrorKind, HostError};
use crate::target::{HostKeyMode, WinrmTarget};

/// What was read from disk, or why it could not be.
type Read<T> = Result<T, HostError>;

/// The certificates of one run.
#[derive(Debug)]
pub struct Certificates {
    file: PathBuf,
    known: OnceLock<Read<HashMap<String, Vec<KnownCertificate>>>>,
    learnt: Mutex<BTreeMap<String, KnownCertificate>>,
    unchecked: Mutex<BTreeSet<String>>,
    unproven: Mutex<BTreeSet<String>>,
    authorities: Mutex<HashMap<Option<PathBuf>, Read<Arc<Authorities>>>>,
    identities: Mutex<HashMap<(PathBuf, PathBuf), Read<authorities::Identity>>>,
    provider: Arc<CryptoProvider>,
}

/// A host's certificates as it shows them, its own first.
pub(super) struct Shown<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) others: &'a [CertificateDer<'a>],
    pub(super) ocsp: &'a [u8],
    pub(super) now: UnixTime,
}

impl Certificates {
    /// With those on record in a file, which need not be there.
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            known: OnceLock::new(),
            learnt: Mutex::default(),
            unchecked: Mutex::default(),
            unproven: Mutex::default(),
            authorities: Mutex::default(),
            identities: Mutex::default(),
            provider: Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()),
        }
    }

    /// The file of those on record.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The name under which a host's certificates are on record.
    pub fn name(target: &WinrmTarget) -> String {
        name(&target.address, target.port)
    }

    /// The certificates on record for a host.
    pub fn on_record(&self, target: &WinrmTarget) -> Result<Vec<KnownCertificate>, HostError> {
        Ok(self
            .known()?
            .get(&Self::name(target))
            .cloned()
            .unwrap_or_default())
    }

    /// The hosts that were spoken with although nobody looked at their certificates.
    pub fn unchecked(&self) -> Vec<String> {
        match self.unchecked.lock() {
            Ok(unchecked) => unchecked.iter().cloned().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The hosts that were spoken with by sealed NTLM over HTTP, which proves our name to them and not
    /// theirs to us.
    pub fn unproven(&self) -> Vec<String> {
        match self.unproven.lock() {
            Ok(unproven) => unproven.iter().cloned().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// There is one more of them.
    pub(super) fn not_proven(&self, place: &str) {
        if let Ok(mut unproven) = self.unproven.lock()
            && !unproven.contains(place)
        {
            unproven.insert(place.to_owned());
        }
    }

    /// Writes down what was learnt, once, at the end; says what it was.
    pub fn save_learnt(&self) -> Result<Vec<KnownCertificate>, HostError> {
        let learnt: Vec<KnownCertificate> = match self.learnt.lock() {
            Ok(mut learnt) => std::mem::take(&mut *learnt).into_values().collect(),
            Err(_) => Vec::new(),
        };
        append(&self.file, &learnt)?;
        Ok(learnt)
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    fn known(&self) -> Result<&HashMap<String, Vec<KnownCertificate>>, HostError> {
        self.known
            .get_or_init(|| certificate_file::load(&self.file))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The authorities that a target trusts.
    pub(super) fn authorities(&self, ca: Option<&Path>) -> Result<Arc<Authorities>, HostError> {
        let key = ca.map(Path::to_path_buf);
        match self.authorities.lock() {
            Ok(mut all) => all
                .entry(key)
                .or_insert_with(|| Authorities::load(ca, &self.provider).map(Arc::new))
                .clone(),
            Err(_) => Authorities::load(ca, &self.provider).map(Arc::new),
        }
    }

    /// The certificate that a target logs in with.
    pub(super) fn identity(
        &self,
        target: &WinrmTarget,
    ) -> Result<Option<authorities::Identity>, HostError> {
        let Some(files) = &target.options.client_certificate else {
            return Ok(None);
        };
        let load = || authorities::identity(&files.0, &files.1, &self.provider);
        match self.identities.lock() {
            Ok(mut all) => all.entry(files.clone()).or_insert_with(load).clone(),
            Err(_) => load(),
        }
        .map(Some)
    }

    /// Whether a host that shows this may be spoken with.
    pub(super) fn judge(
        &self,
        target: &WinrmTarget,
        server: &ServerName<'_>,
        shown: &Shown<'_>,
    ) -> Result<(), HostError> {
        let options = &target.options;
        let place = format!("{}:{}", target.address, target.port);
        let seen = fingerprint(shown.leaf);
        if let Some(pin) = &options.pin {
            let pinned = show(pin);
            if pinned == seen {
                return Ok(());
            }
            return Err(HostError::new(
                ErrorKind::HostKeyChanged,
                format!("{place} shows the certificate {seen}, and {pinned} is pinned"),
            )
            .hint(hints::NOT_PINNED));
        }
        if options.host_key == HostKeyMode::Off {
            if let Ok(mut unchecked) = self.unchecked.lock() {
                unchecked.insert(place);
            }
            return Ok(());
        }
        let name = Self::name(target);
        let on_record = self.known()?.get(&name).map_or(&[][..], Vec::as_slice);
        if on_record.iter().any(|known| known.fingerprint == seen) {
            return Ok(());
        }
        let authorities = self.authorities(options.ca.as_deref())?;
        let vouched = authorities.verify(server, shown);
        let Err(why) = vouched else {
            return Ok(());
        };
        if let Some(known) = on_record.first() {
            return Err(changed(&place, &seen, known));
        }
        if options.host_key == HostKeyMode::AcceptNew {
            return self.learn(name, seen, shown.leaf, &place);
        }
        Err(untrusted::explain(&place, shown.leaf, &why))
    }

    /// Believes a certificate from now on.
    fn learn(&self, name: String, seen: String, leaf: &[u8], place: &str) -> Result<(), HostError> {
        let Ok(mut learnt) = self.learnt.lock() else {
            return Ok(());
        };
        match learnt.get(&name) {
            Some(known) if known.fingerprint != seen => Err(changed(place, &seen, known)),
            Some(_) => Ok(()),
            None => {
                let subject = ScannedCertificate::read(leaf)
                    .map(|certificate| certificate.subject)
                    .unwrap_or_default();
                let entry = KnownCertificate {
                    name: name.clone(),
                    fingerprint: seen,
                    subject,
                    line: 0,
                };
                learnt.insert(name, entry);
                Ok(())
            }
        }
    }
}

fn changed(place: &str, seen: &str, known: &KnownCertificate) -> HostError {
    let place_of_known = match known.line {
        0 => "earlier in this run".to_owned(),
        line => format!("on record in line {line}"),
    };
    HostError::new(
        ErrorKind::HostKeyChanged,
        format!(
            "{place} shows the certificate {seen}, and {} is the one {place_of_known}",
            known.fingerprint
        ),
    )
    .hint(hints::CHANGED_CERTIFICATE)
}

impl Authorities {
    /// Whether one of them vouches for what is shown.
    fn verify(
        &self,
        server: &ServerName<'_>,
        shown: &Shown<'_>,
    ) -> Result<(), tokio_rustls::rustls::Error> {
        if self.holds(shown.leaf) {
            return authorities::check_alone(server, shown);
        }
        match self.verifier() {
            Some(verifier) => verifier
                .verify_server_cert(shown.leaf, shown.others, server, shown.ocsp, shown.now)
                .map(|_| ()),
            None => Err(tokio_rustls::rustls::CertificateError::UnknownIssuer.into()),
        }
    }
}
