//! Accounts of the test machine, made for one test and removed after it. Root's business.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// An account.
pub struct User {
    pub name: String,
    pub password: String,
}

fn must(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl User {
    /// With this login shell, a home of its own, and a password nobody can guess.
    pub fn new(shell: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "ioms{}x{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let password = format!("pw-{:x}-密", rand::random::<u64>());
        retry(|| {
            Command::new("useradd")
                .args(["-m", "-s", shell, &name])
                .output()
                .unwrap()
        });
        let user = Self { name, password };
        retry(|| {
            use std::io::Write as _;
            let mut child = Command::new("chpasswd")
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            writeln!(
                child.stdin.take().unwrap(),
                "{}:{}",
                user.name,
                user.password
            )
            .unwrap();
            child.wait_with_output().unwrap()
        });
        user
    }

    /// What the account may do by sudo: `ALL=(ALL) NOPASSWD: ALL`.
    pub fn may_sudo(&self, rule: &str) {
        let path = format!("/etc/sudoers.d/{}", self.name);
        std::fs::write(&path, format!("{} {rule}\n", self.name)).unwrap();
        must("chmod", &["0440", &path]);
    }
}

/// Tests run at once, and the password file is locked by one of them at a time.
fn retry(attempt: impl FnMut() -> std::process::Output) {
    try_often(attempt).unwrap_or_else(|said| panic!("{said}"));
}

fn try_often(mut attempt: impl FnMut() -> std::process::Output) -> Result<(), String> {
    let mut said = String::new();
    for _ in 0..100 {
        let output = attempt();
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(said)
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(format!("/etc/sudoers.d/{}", self.name));
        let _ = Command::new("pkill")
            .args(["-KILL", "-u", &self.name])
            .output();
        let _ = try_often(|| {
            Command::new("userdel")
                .args(["-r", "-f", &self.name])
                .output()
                .unwrap()
        });
    }
}
