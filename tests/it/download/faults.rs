//! What goes wrong, and what is left afterwards.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bed::{Bed, actions, noise, tree};
use crate::support::{Lab, read};
use crate::users::User;

fn message(host: &serde_json::Value) -> &str {
    host["error"]["message"].as_str().unwrap()
}

/// Names of part files below a folder.
pub(super) fn parts(folder: &Path) -> Vec<String> {
    tree(folder)
        .keys()
        .filter(|name| name.ends_with(b".part"))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[test]
fn what_is_not_there_is_said_as_the_host_says_it() {
    let bed = Bed::new();
    let host = bed.fetch(&bed.source("nothing"), &[]);
    assert_eq!(host["error"]["kind"], "remote_io");
    assert!(message(&host).contains("No such file"), "{host}");
    bed.put("file", "f");
    let host = bed.fetch(&bed.source("file/"), &[]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    bed.run(&["", "got"]).ends_with(1);
}

#[test]
fn a_destination_that_is_a_file_is_refused_before_anything() {
    let bed = Bed::new();
    bed.put("a", "a");
    std::fs::write(bed.dest(), "mine").unwrap();
    let ran = bed.run(&[&bed.source("a"), "got"]).ends_with(1);
    assert!(ran.stderr.contains("got is no folder"), "{}", ran.stderr);
    assert_eq!(read(bed.dest()), "mine");
    std::fs::remove_file(bed.dest()).unwrap();
    std::fs::create_dir(bed.dest()).unwrap();
    std::fs::write(bed.dest().join("web01"), "mine").unwrap();
    let host = bed.fetch(&bed.source("a"), &[]);
    assert_eq!(host["error"]["kind"], "local_io", "{host}");
    assert!(message(&host).contains("got/web01"), "{host}");
}

#[test]
fn what_is_in_the_way_here_is_named_and_left() {
    let bed = Bed::new();
    bed.put("site/a", "a");
    bed.put("site/sub/b", "b");
    std::fs::create_dir_all(bed.got("site/a")).unwrap();
    let host = bed.fetch(&bed.source("site"), &[]);
    assert_eq!(host["error"]["kind"], "local_io");
    assert!(message(&host).contains("got/web01/site/a"), "{host}");
    std::fs::remove_dir(bed.got("site/a")).unwrap();
    std::os::unix::fs::symlink("/tmp", bed.got("site/sub")).unwrap();
    let host = bed.fetch(&bed.source("site"), &[]);
    assert_eq!(host["error"]["kind"], "local_io");
    assert!(message(&host).contains("got/web01/site/sub"), "{host}");
    assert!(!Path::new("/tmp/b").exists());
}

#[test]
fn a_file_that_may_not_be_read_keeps_no_other_from_coming() {
    if ioms_fleet::left_out("another user", "root") {
        return;
    }
    let user = User::new("/bin/sh");
    let bed = Bed::new();
    for name in ["t/a", "t/b", "t/c"] {
        bed.put(name, name);
    }
    bed.put("t/large", noise(3 << 20));
    let none = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(bed.at("t/b"), none).unwrap();
    std::fs::create_dir_all(bed.got("t")).unwrap();
    std::fs::write(bed.got("t/extra"), "x").unwrap();
    let login = format!("ansible_user={}", user.name);
    let host = bed.fetch(&bed.source("t"), &["-e", &login, "--delete", "--yes"]);
    assert_eq!(host["outcome"], "failed");
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    assert!(message(&host).contains("t/b"), "{host}");
    assert!(message(&host).contains("Permission denied"), "{host}");
    assert_eq!(actions(&host), ["sent a", "sent c", "sent large"]);
    assert_eq!(read(bed.got("t/c")), "t/c");
    assert!(!bed.got("t/b").exists());
    assert!(bed.got("t/extra").exists(), "half a mirror is none");
    assert!(parts(&bed.dest()).is_empty(), "{:?}", parts(&bed.dest()));
}

#[test]
fn a_folder_that_may_not_be_read_is_told_of() {
    if ioms_fleet::left_out("another user", "root") {
        return;
    }
    let user = User::new("/bin/sh");
    let bed = Bed::new();
    bed.put("t/a", "a");
    bed.put("t/closed/b", "b");
    let none = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(bed.at("t/closed"), none).unwrap();
    let login = format!("ansible_user={}", user.name);
    let host = bed.fetch(&bed.source("t"), &["-e", &login]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    assert!(message(&host).contains("t/closed"), "{host}");
    assert!(message(&host).contains("Permission denied"), "{host}");
    let hint = host["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--become"), "{hint}");
}

/// A program of the host's that comes before the real one in its PATH.
pub(super) fn fake(bed: &Bed, program: &str, script: &str) {
    let path = bed.lab.sshd.home().join("bin").join(program);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A host on whose PATH such programs come first; `only`: and no others.
pub(super) fn faking(sshd: ioms_fleet::SshdBuilder, only: bool) -> Bed {
    let folder = tempfile::Builder::new()
        .prefix("ioms-fake.")
        .tempdir()
        .unwrap()
        .keep();
    let home = folder.join("home/bin");
    let rest = if only { "" } else { ":/usr/bin:/bin" };
    let set = format!(
        "SetEnv HOME={} PATH={}{rest}",
        folder.join("home").display(),
        home.display()
    );
    let sshd = sshd.folder(&folder).config(&set).start().unwrap();
    Bed::on(sshd)
}

/// Removes the folder of such a host.
pub(super) struct Faking(pub(super) Bed);

impl Drop for Faking {
    fn drop(&mut self) {
        self.0.lab.sshd.kill();
        let _ = std::fs::remove_dir_all(self.0.lab.sshd.dir());
    }
}

#[test]
fn a_host_without_tar_gives_its_files_one_by_one() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), true));
    let home = bed.0.lab.sshd.home().join("bin");
    std::fs::create_dir_all(&home).unwrap();
    for program in [
        "sh", "find", "stat", "xargs", "md5sum", "cat", "tail", "id", "readlink", "head", "dd",
        "rm", "mkdir",
    ] {
        let real = ["/usr/bin", "/bin"]
            .map(|folder| Path::new(folder).join(program))
            .into_iter()
            .find(|path| path.exists())
            .unwrap();
        std::os::unix::fs::symlink(real, home.join(program)).unwrap();
    }
    for n in 0..8 {
        bed.0.put(format!("t/{n}"), n.to_string());
    }
    bed.0.fetched("t", &[]);
    super::bed::assert_same(&bed.0.at("t"), &bed.0.got("t"));
}

#[test]
fn a_file_that_grows_comes_as_it_was_when_it_was_looked_at() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder().without_sftp(), false));
    let large = noise((1 << 20) + 77);
    let grows = |name: &str| format!("echo more >> {}", bed.0.at(name).display());
    bed.0.put("large", &large);
    fake(
        &bed.0,
        "cat",
        &format!("{}; exec /bin/cat \"$@\"", grows("large")),
    );
    bed.0.fetched("large", &[]);
    assert!(std::fs::read(bed.0.got("large")).unwrap() == large);
    bed.0.put("t/a", "a\n");
    bed.0.put("t/b", "b\n");
    fake(
        &bed.0,
        "xargs",
        &format!(
            "case \"$*\" in *tar*) {};; esac; exec /usr/bin/xargs \"$@\"",
            grows("t/b")
        ),
    );
    bed.0.fetched("t", &[]);
    assert_eq!(read(bed.0.got("t/b")), "b\n");
}

#[test]
fn a_file_that_became_another_is_not_put_in_its_place() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), false));
    for name in ["t/a", "t/b", "t/c"] {
        bed.0.put(name, name);
    }
    let change = format!("printf 'T/B' > {}", bed.0.at("t/b").display());
    fake(
        &bed.0,
        "xargs",
        &format!("case \"$*\" in *tar*) {change};; esac; exec /usr/bin/xargs \"$@\""),
    );
    let host = bed.0.fetch(&bed.0.source("t"), &[]);
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert!(message(&host).contains("t/b"), "{host}");
    assert!(host["error"]["hint"].is_string());
    assert_eq!(actions(&host), ["sent a", "sent c"]);
    assert!(!bed.0.got("t/b").exists());
    assert!(parts(&bed.0.dest()).is_empty());
}

#[test]
fn what_tar_sees_change_is_well_where_digests_show_it_and_a_mismatch_elsewhere() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), false));
    let bed = &bed.0;
    for name in ["t/a", "t/b", "t/c"] {
        bed.put(name, name);
    }
    let notices = "PATH=/usr/bin:/bin; case \"$*\" in *version*) exit 0;; esac; tar \"$@\"; \
                   echo 'tar: ./t/b: file changed as we read it' >&2; exit 1";
    fake(bed, "tar", notices);
    let host = bed.fetched("t", &[]);
    assert_eq!(actions(&host), ["sent a", "sent b", "sent c"]);
    fake(bed, "md5sum", "echo nonsense");
    let host = bed.fetch(&bed.source("t"), &["--force"]);
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert!(message(&host).contains("t/b"), "{host}");
    let hint = host["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("written to"), "{hint}");
    assert_eq!(actions(&host), ["sent a", "sent b", "sent c"]);
}

#[test]
fn a_file_that_is_gone_meanwhile_keeps_no_other_from_coming() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), false));
    for name in ["t/a", "t/b", "t/c"] {
        bed.0.put(name, name);
    }
    let gone = format!("rm -f {}", bed.0.at("t/b").display());
    fake(
        &bed.0,
        "xargs",
        &format!("case \"$*\" in *tar*) {gone};; esac; exec /usr/bin/xargs \"$@\""),
    );
    let host = bed.0.fetch(&bed.0.source("t"), &[]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    assert!(message(&host).contains("t/b"), "{host}");
    let hint = host["error"]["hint"].as_str().unwrap_or_default();
    assert!(!hint.contains("--mkdir"), "{hint}");
    assert_eq!(actions(&host), ["sent a", "sent c"]);
}

/// A file system of so many KiB; unmounted when dropped.
pub(super) struct Small(PathBuf);

impl Small {
    fn on(folder: PathBuf, kib: u64) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(&folder)
            .status()
            .unwrap();
        assert!(status.success());
        Self(folder)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_here_is_said_and_nothing_half_written_is_left() {
    if ioms_fleet::left_out("a small file system", "root") {
        return;
    }
    let bed = Bed::with(Lab::one(ioms_fleet::Sshd::start().unwrap(), "x: 1"));
    let _small = Small::on(bed.dest(), 4096);
    bed.put("large", noise(12 << 20));
    let sshd = ioms_fleet::Sshd::builder().without_sftp().start().unwrap();
    let without = Bed::on(sshd);
    let _smaller = Small::on(without.dest(), 4096);
    for n in 0..40 {
        bed.put(format!("t/{n:02}"), noise(400_000));
    }
    for bed_here in [&bed, &without] {
        for name in ["large", "t"] {
            let host = bed_here.fetch(&bed.source(name), &[]);
            assert_eq!(host["outcome"], "failed", "{host}");
            assert_eq!(host["error"]["kind"], "local_io", "{host}");
            assert!(message(&host).contains("No space left"), "{host}");
            assert!(message(&host).contains("got/web01/"), "{host}");
            let hint = host["error"]["hint"].as_str().unwrap();
            assert!(hint.contains("controller"), "{hint}");
            assert!(parts(&bed_here.dest()).is_empty());
        }
        assert!(bed_here.got("t/00").exists());
    }
}

#[test]
fn what_a_host_names_and_says_nothing_of_fails_it() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), false));
    let bed = &bed.0;
    for name in ["t/a", "t/b", "t/c"] {
        bed.put(name, name);
    }
    let t = bed.source("t");
    // Its stat is killed, or will not say what one of them is.
    let killed = "[ \"$3\" = / ] && exec /usr/bin/stat \"$@\"; kill -9 $$";
    let silent = "/usr/bin/stat \"$@\" | grep -v 't/b$'";
    for (script, words) in [(killed, "stopped"), (silent, "t/b: the host names it")] {
        fake(bed, "stat", script);
        let host = bed.fetch(&t, &["--delete", "--yes"]);
        assert_eq!(host["error"]["kind"], "remote_io", "{host}");
        assert!(message(&host).contains(words), "{words}: {host}");
        assert!(!bed.got("t").exists());
    }
    std::fs::remove_file(bed.lab.sshd.home().join("bin/stat")).unwrap();
    fake(bed, "md5sum", "kill -9 $$");
    let host = bed.fetch(&t, &[]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    assert!(message(&host).contains("stopped"), "{host}");
}

#[test]
fn what_has_gone_since_it_was_named_is_told_of_and_nothing_is_mirrored() {
    let bed = Faking(faking(ioms_fleet::Sshd::builder(), false));
    let bed = &bed.0;
    for name in ["t/a", "t/b", "t/c"] {
        bed.put(name, name);
    }
    let gone = format!("/usr/bin/find \"$@\"; rm -f {}", bed.at("t/b").display());
    fake(bed, "find", &gone);
    std::fs::create_dir_all(bed.got("t")).unwrap();
    std::fs::write(bed.got("t/extra"), "x").unwrap();
    let t = bed.source("t");
    let host = bed.fetch(&t, &["--delete", "--yes"]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    assert!(bed.got("t/extra").exists());
    bed.put("t/b", "b");
    let ran = bed.run(&[&t, "got"]).ends_with(0);
    assert!(
        ran.stdout.contains("t/b: has gone meanwhile"),
        "{}",
        ran.said()
    );
    assert_eq!(read(bed.got("t/c")), "t/c");
}
