//! What the tests of this transport share.

use std::time::Duration;

use crate::target::{Agent, Algorithms, HostKeyMode, SshOptions};

/// Nothing set.
pub(super) fn options() -> SshOptions {
    SshOptions {
        identity_files: Vec::new(),
        identities_named: false,
        identities_only: false,
        certificate_files: Vec::new(),
        agent: Agent::None,
        host_key: HostKeyMode::Strict,
        user_known_hosts: Vec::new(),
        global_known_hosts: Vec::new(),
        revoked_host_keys: None,
        algorithms: Algorithms::default(),
        preferred_authentications: Vec::new(),
        connect_timeout: Duration::ZERO,
        keepalive: Duration::ZERO,
        keepalive_max: 3,
        legacy_crypto: false,
    }
}
