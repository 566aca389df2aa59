//! Hosts that lie: whatever they say, nothing is written outside their own folder, and nothing is
//! without end.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ioms_fleet::{Answer, Canned, Sshd};

use super::bed::{Bed, tree};
use super::faults::{Faking, fake, faking, parts};
use crate::support::Desk;

/// A name that is nowhere on this machine.
fn evil() -> String {
    format!("evil-{:x}", rand::random::<u64>())
}

/// Asserts that a name is nowhere where it could have been written.
#[track_caller]
fn is_nowhere(name: &str, desk: &Path) {
    for folder in ["/", "/tmp", "/root", "/etc", "/home", "/home/canned"] {
        let path = Path::new(folder).join(name);
        assert!(
            std::fs::symlink_metadata(&path).is_err(),
            "{}",
            path.display()
        );
    }
    for found in tree(desk).keys() {
        let found = String::from_utf8_lossy(found);
        assert!(!found.contains(name), "{found}");
    }
}

#[test]
fn an_sftp_server_whose_names_climb_out_is_refused() {
    let name = evil();
    let up = format!("../{name}");
    let further = format!("../../../../../../tmp/{name}");
    let absolute = format!("/tmp/{name}");
    let below = format!("a/{name}");
    for lie in [&up, &further, &absolute, &below, "a/b", "x/..", ""] {
        // No shell does anything there.
        let answer = Answer {
            status: 127,
            ..Answer::default()
        };
        let canned = Canned::start(answer, None).unwrap();
        canned.files().put(0, "/srv/site/a", "a");
        canned.files().put(0, "/srv/site/sub/b", "b");
        canned.files().put(0, "/srv/site/a/b", "b");
        canned.files().put(0, format!("/tmp/{name}"), "evil");
        canned.files().put(0, format!("/srv/{name}"), "evil");
        canned.files().put(0, format!("/srv/site/a/{name}"), "evil");
        canned.files().lie(&[lie]);
        let mut desk = Desk::new();
        let inventory = desk.dir.path().join("inventory.yml");
        canned.write_inventory(1, &inventory).unwrap();
        desk = desk.inventoried(inventory);
        for source in ["/srv/site", "/srv/site/"] {
            let args = ["download", "-g", "all", source, "got"];
            let document = desk.json(&args);
            let host = &document["hosts"][0];
            assert_eq!(host["outcome"], "failed", "{lie}: {host}");
            assert_eq!(host["error"]["kind"], "protocol", "{lie}: {host}");
            is_nowhere(&name, desk.dir.path());
        }
    }
}

#[test]
fn a_find_whose_names_climb_out_is_refused() {
    let name = evil();
    let bed = Faking(faking(Sshd::builder(), false));
    bed.0.put("t/a", "a");
    let t = bed.0.source("t");
    for lie in [
        format!("{t}/../../{name}"),
        format!("{t}/../{name}"),
        format!("{t}/sub/../../../../../../../../tmp/{name}"),
        format!("/etc/../{name}"),
        "/etc/passwd".to_owned(),
        "..".to_owned(),
        "a/../../..".to_owned(),
    ] {
        let script = format!("printf '{t}\\0{t}/a\\0{lie}\\0'");
        fake(&bed.0, "find", &script);
        // So that there is something there in any case.
        fake(
            &bed.0,
            "xargs",
            "case \"$*\" in *stat*) tr '\\0' '\\n' | while read -r n; do \
             k=81a4; [ -d \"$n\" ] && k=41ed; echo \"$k 1 0 0 0 $n\"; done;; \
             *) exec /usr/bin/xargs \"$@\";; esac",
        );
        for source in [&t, &format!("{t}/")] {
            let host = bed.0.fetch(source, &[]);
            assert_eq!(host["error"]["kind"], "protocol", "{lie}: {host}");
            is_nowhere(&name, bed.0.lab.desk.dir.path());
            assert!(!bed.0.dest().exists(), "nothing was fetched");
        }
    }
}

#[test]
fn nothing_lies_below_a_link() {
    let bed = Faking(faking(Sshd::builder(), false));
    bed.0.put("t/sub/f", "f");
    std::os::unix::fs::symlink("sub", bed.0.at("t/l")).unwrap();
    let t = bed.0.source("t");
    let script = format!("printf '{t}\\0{t}/sub\\0{t}/sub/f\\0{t}/l\\0{t}/l/f\\0'");
    fake(&bed.0, "find", &script);
    let host = bed.0.fetch(&t, &[]);
    assert_eq!(host["error"]["kind"], "protocol", "{host}");
    assert!(!bed.0.dest().exists(), "nothing was fetched");
}

/// What a hostile tar sends.
struct Sending(tar::Builder<Vec<u8>>);

impl Sending {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// An entry, its name as it is.
    fn entry(&mut self, kind: tar::EntryType, name: &str, link: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        let field = &mut header.as_old_mut().linkname;
        field[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    /// Has it sent by the host's tar.
    fn sent_by(self, bed: &Bed) -> PathBuf {
        let path = bed.at("stream.tar");
        std::fs::write(&path, self.0.into_inner().unwrap()).unwrap();
        fake(
            bed,
            "tar",
            &format!(
                "case \"$*\" in *version*) exit 0;; esac; cat {}",
                path.display()
            ),
        );
        path
    }
}

#[test]
fn a_tar_stream_whose_names_climb_out_writes_nothing_there() {
    use tar::EntryType;
    let name = evil();
    let bed = Faking(faking(Sshd::builder(), false));
    let bed = &bed.0;
    bed.put("t/a", "a");
    bed.put("t/b", "b");
    let inside = |name: &str| format!(".{}", bed.source(&format!("t/{name}")));
    let mut sending = Sending::new();
    for to in ["../", "../../", "/tmp/", "/", "./", "t/"] {
        let path = format!("{to}{name}");
        sending.entry(EntryType::Regular, &path, "", b"evil");
        sending.entry(EntryType::Directory, &path, "", b"");
        sending.entry(EntryType::Link, &path, "/etc/passwd", b"");
    }
    let far = format!("{}/../{name}", inside(".."));
    if far.len() < 100 {
        sending.entry(EntryType::Regular, &far, "", b"evil");
    }
    sending.entry(EntryType::Symlink, &inside("b"), "/tmp", b"");
    sending.entry(
        EntryType::Regular,
        &inside(&format!("b/{name}")),
        "",
        b"evil",
    );
    sending.entry(EntryType::Symlink, "out", "/tmp", b"");
    sending.entry(EntryType::Regular, &format!("out/{name}"), "", b"evil");
    sending.entry(EntryType::Char, &inside(&name), "", b"");
    sending.entry(EntryType::Regular, &inside("a"), "", b"a");
    sending.sent_by(bed);
    let host = bed.fetch(&bed.source("t"), &[]);
    assert_eq!(host["outcome"], "failed", "{host}");
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("t/b: it did not come"), "{message}");
    is_nowhere(&name, bed.lab.desk.dir.path());
    let names: Vec<Vec<u8>> = tree(&bed.dest()).into_keys().collect();
    let expected: [&[u8]; 3] = [b"web01", b"web01/t", b"web01/t/a"];
    assert_eq!(names, expected);
}

#[test]
fn more_or_other_bytes_than_announced_are_not_put_in_place() {
    use tar::EntryType;
    let bed = Faking(faking(Sshd::builder(), false));
    let bed = &bed.0;
    bed.put("t/a", "a");
    bed.put("t/b", "bbbb");
    bed.put("t/c", "c");
    let inside = |name: &str| format!(".{}", bed.source(&format!("t/{name}")));
    let mut sending = Sending::new();
    sending.entry(EntryType::Regular, &inside("a"), "", &vec![b'x'; 200_000]);
    sending.entry(EntryType::Regular, &inside("b"), "", b"bb");
    sending.entry(EntryType::Regular, &inside("c"), "", b"c");
    sending.sent_by(bed);
    let host = bed.fetch(&bed.source("t"), &[]);
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert!(bed.got("t/c").exists());
    assert!(!bed.got("t/a").exists() && !bed.got("t/b").exists());
    assert!(parts(&bed.dest()).is_empty());
}

#[test]
fn streams_without_end_are_ended() {
    let bed = Faking(faking(Sshd::builder().without_sftp(), false));
    let bed = &bed.0;
    bed.put("t/a", "a");
    bed.put("t/b", "b");
    bed.put("large", super::bed::noise(2 << 20));
    let version = "case \"$*\" in *version*) exit 0;; esac; ";
    // Of a long name only the head, and then no end of it.
    let mut head = tar::Header::new_gnu();
    head.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
    head.set_entry_type(tar::EntryType::GNULongName);
    head.set_size(1 << 32);
    head.set_cksum();
    let path = bed.at("head");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    let head = path.display();
    let begin = std::time::Instant::now();
    for endless in [
        "exec yes".to_owned(),
        "exec cat /dev/zero".to_owned(),
        format!("cat {head}; exec yes"),
        format!("while :; do cat {head} /dev/zero; done"),
    ] {
        fake(bed, "tar", &format!("{version}{endless}"));
        let host = bed.fetch(&bed.source("t"), &[]);
        assert_eq!(host["error"]["kind"], "protocol", "{endless}: {host}");
        assert!(parts(&bed.dest()).is_empty());
    }
    fake(bed, "cat", "exec yes");
    let host = bed.fetch(&bed.source("large"), &[]);
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert!(parts(&bed.dest()).is_empty());
    fake(
        bed,
        "find",
        &format!("exec yes '{}/t/more'", bed.there.path().display()),
    );
    let host = bed.fetch(&bed.source("t"), &[]);
    assert_eq!(host["error"]["kind"], "protocol", "{host}");
    let took = begin.elapsed();
    assert!(took.as_secs() < 90, "{took:?}");
}

#[test]
fn sizes_and_digests_may_be_any_nonsense() {
    let bed = Faking(faking(Sshd::builder(), false));
    let bed = &bed.0;
    for n in 0..30 {
        bed.put(format!("t/{n}"), n.to_string());
    }
    let real = "case \"$*\" in *stat*) ";
    let rest = ";; *) exec /usr/bin/xargs \"$@\";; esac";
    let lie = "tr '\\0' '\\n' | while read -r n; do k=81a4; [ -d \"$n\" ] && k=41ed; \
               echo \"$k 18446744073709551615 -9223372036854775808 0 0 $n\"; done";
    fake(bed, "xargs", &format!("{real}{lie}{rest}"));
    let host = bed.fetch(&bed.source("t"), &["--times"]);
    assert_eq!(host["outcome"], "failed", "{host}");
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert!(parts(&bed.dest()).is_empty());
    let lie = "echo; printf '\\377\\000 %s' x; cat /dev/urandom | head -c 100000";
    fake(bed, "xargs", &format!("{real}{lie}{rest}"));
    let host = bed.fetch(&bed.source("t"), &[]);
    assert!(host["outcome"] != "changed", "{host}");
    std::fs::remove_file(bed.lab.sshd.home().join("bin/xargs")).unwrap();
    let lie = "echo \"../../../../evil  $1\"; head -c 100000 /dev/urandom";
    fake(bed, "md5sum", lie);
    let host = bed.fetched("t", &[]);
    assert_eq!(host["files"][0]["md5"], super::bed::md5(b"0"), "{host}");
    super::bed::assert_same(&bed.at("t"), &bed.got("t"));
}
