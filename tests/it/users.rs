//! Accounts of the test machine under names and passwords of their own. Root's business.

use std::sync::atomic::{AtomicU32, Ordering};

use ioms_fleet::SystemUser;

/// An account, removed after its test.
pub struct User {
    pub name: String,
    pub password: String,
    account: SystemUser,
}

impl User {
    /// With this login shell and a password nobody can guess.
    pub fn new(shell: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ioms{}x{count}", std::process::id());
        let password = format!("pw-{:x}-密", rand::random::<u64>());
        let account = SystemUser::create(&name, &password, shell).unwrap();
        Self {
            name,
            password,
            account,
        }
    }

    /// What the account may do by sudo: `ALL=(ALL) NOPASSWD: ALL`.
    pub fn may_sudo(&self, rule: &str) {
        self.account.sudo(rule).unwrap();
    }
}
