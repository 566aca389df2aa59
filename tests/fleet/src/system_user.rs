//! A user of this machine, for passwords, sudo, su and doas. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::folder;
use crate::process;

/// By this we know a user of ours that was left behind.
const COMMENT: &str = "ioms-fleet";

/// A user with a home; both are removed when it is dropped.
#[derive(Debug)]
pub struct SystemUser {
    name: String,
    rule: PathBuf,
}

impl SystemUser {
    /// Creates it, with a login shell.
    pub fn create(name: &str, password: &str, shell: &str) -> Result<Self> {
        let user = Self {
            name: name.to_owned(),
            rule: Path::new("/etc/sudoers.d").join(format!("ioms-fleet-{name}")),
        };
        if is_ours(name) {
            user.remove();
        }
        let args = ["-m", "-c", COMMENT, "-s", shell, name];
        if let Err(error) = patiently("useradd", &args) {
            std::mem::forget(user); // it isn't ours to remove
            return Err(error);
        }
        let line = format!("{name}:{password}\n");
        process::output(&mut Command::new(process::find("chpasswd")?), Some(&line))?;
        Ok(user)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its home.
    pub fn home(&self) -> PathBuf {
        Path::new("/home").join(&self.name)
    }

    /// What it may do with sudo: `ALL=(ALL) NOPASSWD: ALL`. Replaces the rule before.
    pub fn sudo(&self, rule: &str) -> Result<()> {
        // sudo reads no file with a dot in its name.
        folder::write(&self.rule, &format!("{} {rule}\n", self.name))?;
        folder::permit(&self.rule, 0o440)
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.rule);
        // -f: it may be logged in.
        let _ = patiently("userdel", &["-r", "-f", &self.name]);
    }
}

impl Drop for SystemUser {
    fn drop(&mut self) {
        self.remove();
    }
}

fn is_ours(name: &str) -> bool {
    let entry = process::run("getent", &["passwd", name]).unwrap_or_default();
    entry.split(':').nth(4) == Some(COMMENT)
}

/// Runs one of the programs that lock the files of users, while others do.
fn patiently(program: &str, args: &[&str]) -> Result<()> {
    let mut result = Ok(());
    process::wait_until(|| {
        result = process::run(program, args).map(drop);
        !matches!(&result, Err(Error::Failed { said, .. }) if said.contains("lock"))
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_with_a_password_and_goes() {
        if crate::left_out("users of the test bed", "root") {
            return;
        }
        let user = SystemUser::create("iomsfleettry", "a b:c", "/bin/sh").unwrap();
        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        let line = shadow
            .lines()
            .find(|line| line.starts_with("iomsfleettry:"));
        assert!(line.unwrap().contains(":$"), "no password");
        assert!(user.home().is_dir());
        user.sudo("ALL=(ALL) NOPASSWD: ALL").unwrap();
        let id = ["-u", user.name(), "sudo", "-n", "id", "-u"];
        assert_eq!(process::run("sudo", &id).unwrap(), "0\n");
        let (home, rule) = (user.home(), user.rule.clone());
        drop(user);
        assert!(!home.exists() && !rule.exists());
        assert!(SystemUser::create("root", "x", "/bin/sh").is_err());
    }
}
