//! Files of known hosts: no bytes may panic, what is on record must hold, and forgetting a host
//! leaves every other line alone.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ioms::target::{Agent, Algorithms, HostKeyMode, SshOptions, SshTarget};
use ioms::transport::ssh::{HostKeys, forget};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("ioms-fuzz-known-hosts-{}", std::process::id()))
});

fn target(address: &str, port: u16) -> SshTarget {
    SshTarget {
        address: address.into(),
        port,
        user: "root".into(),
        password: None,
        host_key_alias: None,
        proxy_command: None,
        jump: Vec::new(),
        options: Arc::new(SshOptions {
            identity_files: Vec::new(),
            identities_named: false,
            identities_only: false,
            certificate_files: Vec::new(),
            agent: Agent::None,
            host_key: HostKeyMode::Strict,
            user_known_hosts: vec![FILE.clone()],
            global_known_hosts: Vec::new(),
            revoked_host_keys: None,
            algorithms: Algorithms::default(),
            preferred_authentications: Vec::new(),
            connect_timeout: Duration::from_secs(1),
            keepalive: Duration::ZERO,
            keepalive_max: 0,
            legacy_crypto: false,
        }),
    }
}

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a file in memory");
    let keys = HostKeys::new();
    for target in [
        target("web01", 22),
        target("web01", 2222),
        target("::1", 22),
    ] {
        let lines = bytes.split(|byte| *byte == b'\n').count();
        for (_, file, line) in keys.on_record(&target) {
            assert!(file == *FILE && (1..=lines).contains(&line));
        }
        let _ = (keys.types_on_record(&target), keys.has_authority(&target));
        let name = HostKeys::name(&target);
        let removed = forget(&FILE, std::slice::from_ref(&name)).expect("a file in memory");
        let after = std::fs::read(&*FILE).expect("a file in memory");
        assert!(after.len() <= bytes.len());
        assert_eq!(removed.removed > 0, after.len() < bytes.len());
        assert_eq!(forget(&FILE, &[name]).expect("a file in memory").removed, 0);
        std::fs::write(&*FILE, bytes).expect("a file in memory");
    }
});
