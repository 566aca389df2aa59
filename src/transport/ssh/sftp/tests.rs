//! Against OpenSSH's server, near and far.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use ioms_fleet::failing::{Line, Proxy};
use ioms_fleet::{Answer, Canned, Sshd, SshdBuilder, address, left_out};
use tokio::time::timeout;

use crate::base::prompt::Nobody;
use crate::event::{ErrorKind, HostError};
use crate::target::{HostKeyMode, SshOptions, SshTarget};
use crate::transport::files::{FileChange, FileHandle, Files};
use crate::transport::ssh::channel::SshConnection;
use crate::transport::ssh::testing::options;
use crate::transport::ssh::{HostKeys, Ssh};
use crate::transport::types::Connection as _;

/// As many requests as a transfer has under way.
const UNDER_WAY: usize = 64;

/// A host, a connection to it, and a folder that both ends see.
struct Bed {
    sshd: Sshd,
    connection: SshConnection,
    folder: tempfile::TempDir,
}

impl Bed {
    async fn new(builder: SshdBuilder) -> Self {
        Self::behind(builder, None).await
    }

    async fn behind(builder: SshdBuilder, line: Option<Line>) -> Self {
        let sshd = builder.start().unwrap();
        let connection = connect(&sshd, line).await;
        Self {
            sshd,
            connection,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn files(&self) -> Arc<dyn Files> {
        self.connection.files().await.unwrap()
    }
}

async fn connect(sshd: &Sshd, line: Option<Line>) -> SshConnection {
    let port = match line {
        None => sshd.port(),
        Some(line) => {
            let to = ([127, 0, 0, 1], sshd.port()).into();
            let proxy = Proxy::start(to, line).unwrap();
            let port = proxy.port();
            // Until the end of the test.
            std::mem::forget(proxy);
            port
        }
    };
    log_in("127.0.0.1".to_owned(), port, sshd.user(), sshd.key()).await
}

async fn log_in(address: String, port: u16, user: &str, key: &Path) -> SshConnection {
    let target = Arc::new(SshTarget {
        address,
        port,
        user: user.to_owned(),
        password: None,
        host_key_alias: None,
        proxy_command: None,
        jump: Vec::new(),
        options: Arc::new(SshOptions {
            identity_files: vec![key.to_owned()],
            host_key: HostKeyMode::Off,
            connect_timeout: Duration::from_secs(20),
            ..options()
        }),
    });
    let ssh = Ssh::new(Arc::new(Nobody), Arc::new(HostKeys::new()), false);
    ssh.core().open(&target).await.unwrap()
}

fn bytes(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes()
}

/// Bytes that look like no other place's.
fn content(length: usize) -> Bytes {
    let words = length.div_ceil(8) as u64;
    let mut all: Vec<u8> = (0..words)
        .flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect();
    all.truncate(length);
    all.into()
}

async fn put(files: &dyn Files, file: &FileHandle, content: &Bytes) -> Result<(), HostError> {
    let piece = files.write_max() as usize;
    stream::iter((0..content.len()).step_by(piece))
        .map(|from| {
            let part = content.slice(from..content.len().min(from + piece));
            files.write(file, from as u64, part)
        })
        .buffer_unordered(UNDER_WAY)
        .try_collect()
        .await
}

async fn get(files: &dyn Files, file: &FileHandle, size: usize) -> Vec<u8> {
    let piece = files.read_max();
    let parts: Vec<Bytes> = stream::iter((0..size).step_by(piece as usize))
        .map(|from| async move {
            let mut part = Vec::new();
            let wanted = (piece as usize).min(size - from);
            while part.len() < wanted {
                let offset = (from + part.len()) as u64;
                let length = u32::try_from(wanted - part.len()).unwrap();
                let some = files.read(file, offset, length).await.unwrap();
                assert!(!some.is_empty(), "the file ends at {offset}");
                part.extend_from_slice(&some);
            }
            Bytes::from(part)
        })
        .buffered(UNDER_WAY)
        .collect()
        .await;
    parts.concat()
}

const FAR: Line = Line {
    delay: Duration::from_millis(25),
    rate: None,
    cut_after: None,
};

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_under_way_keep_the_content_whole() {
    let bed = Bed::behind(Sshd::builder(), Some(FAR)).await;
    let files = bed.files().await;
    let path = bed.path("big");
    let content = content((64 << 20) + 7);
    let file = files.create(bytes(&path), true).await.unwrap();
    put(&*files, &file, &content).await.unwrap();
    files.close(file).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == content);

    let file = files.open(bytes(&path)).await.unwrap();
    assert!(get(&*files, &file, content.len()).await == content);
    let end = files.read(&file, content.len() as u64, 10).await.unwrap();
    assert!(end.is_empty());
    files.close(file).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_ends_all_that_is_under_way() {
    let line = Line {
        cut_after: Some(3 << 20),
        ..FAR
    };
    let bed = Bed::behind(Sshd::builder(), Some(line)).await;
    let files = bed.files().await;
    let file = files.create(bytes(&bed.path("cut")), true).await.unwrap();
    let content = content(32 << 10);
    let writes = futures::future::join_all((0..1000_u64).map(|at| {
        let content = content.clone();
        let (files, file) = (&files, &file);
        async move { files.write(file, at << 15, content).await }
    }));
    let ended = timeout(Duration::from_secs(20), writes).await.unwrap();
    let errors: Vec<HostError> = ended.into_iter().filter_map(Result::err).collect();
    assert!(errors.len() >= UNDER_WAY, "{}", errors.len());
    for error in errors {
        assert_eq!(error.kind, ErrorKind::Disconnected, "{error}");
    }
    let later = files.lstat(b"/").await.unwrap_err();
    assert_eq!(later.kind, ErrorKind::Disconnected, "{later}");
    assert!(bed.connection.files().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_ends_all_that_is_under_way() {
    let bed = Bed::new(Sshd::builder().sftp_server("/usr/lib/openssh/sftp-server")).await;
    let files = bed.files().await;
    let file = files.create(bytes(&bed.path("cut")), true).await.unwrap();
    let content = content(32 << 10);
    let writing = tokio::spawn({
        let files = files.clone();
        async move {
            loop {
                let writes = (0..64).map(|at| files.write(&file, at << 15, content.clone()));
                futures::future::try_join_all(writes).await?;
            }
            #[allow(unreachable_code, reason = "names the type of the error")]
            Ok::<(), HostError>(())
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    bed.sshd.kill();
    let ended = timeout(Duration::from_secs(20), writing).await.unwrap();
    let error = ended.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Disconnected, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_waiting_harms_nobody() {
    let bed = Bed::behind(Sshd::builder(), Some(FAR)).await;
    let files = bed.files().await;
    let path = bed.path("kept");
    let content = content(8 << 20);
    let file = files.create(bytes(&path), true).await.unwrap();
    for wait in [0, 1, 5, 20, 40] {
        let _ = timeout(
            Duration::from_millis(wait),
            put(&*files, &file, &Bytes::from(vec![b'x'; 8 << 20])),
        )
        .await;
    }
    put(&*files, &file, &content).await.unwrap();
    files.close(file).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_the_subsystem_says_so() {
    let bed = Bed::new(Sshd::builder().without_sftp()).await;
    let error = bed.connection.files().await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(error.hint.unwrap().contains("Subsystem sftp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_starts_something_else_says_what() {
    let bed = Bed::new(Sshd::builder().config("ForceCommand echo Only the menu here")).await;
    let error = bed.connection.files().await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(error.message.contains("Only the menu here"), "{error}");

    let bed = Bed::new(Sshd::builder().sftp_server("/nowhere/sftp-server")).await;
    let error = bed.connection.files().await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(error.message.contains("127"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_opens_no_more_sessions_says_quota() {
    let bed = Bed::new(Sshd::builder().config("MaxSessions 1")).await;
    let held = bed.files().await;
    let error = bed.connection.files().await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Quota, "{error}");
    // What is dropped is given back.
    drop(held);
    for _ in 0..100 {
        if bed.connection.files().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the session was not given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_files_are_open_than_a_byte_counts() {
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    let mut open = Vec::new();
    for n in 0..200 {
        let path = bed.path(&n.to_string());
        open.push(files.create(bytes(&path), true).await.unwrap());
    }
    for (n, file) in open.into_iter().enumerate() {
        let text = Bytes::from(n.to_string());
        files.write(&file, 0, text).await.unwrap();
        files.close(file).await.unwrap();
    }
    for n in 0..200 {
        let text = std::fs::read_to_string(bed.path(&n.to_string())).unwrap();
        assert_eq!(text, n.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_bytes_are_kept() {
    use std::os::unix::ffi::OsStrExt as _;
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    let long = "长".repeat(85);
    let names: [&[u8]; 8] = [
        "空格 和 中文.txt".as_bytes(),
        b"-rf",
        b"two\nlines",
        b"'single' \"double\"",
        b"$(HOME) `id` \\",
        long.as_bytes(),
        b"\xd6\xd0\xce\xc4.txt",
        b"...",
    ];
    for name in names {
        let path = [bytes(bed.folder.path()), b"/", name].concat();
        let file = files.create(&path, true).await.unwrap();
        files
            .write(&file, 0, Bytes::copy_from_slice(name))
            .await
            .unwrap();
        files.close(file).await.unwrap();
        let here = bed.folder.path().join(std::ffi::OsStr::from_bytes(name));
        assert_eq!(std::fs::read(here).unwrap(), name);
    }
    let mut listed: Vec<Bytes> = files
        .list(bytes(bed.folder.path()))
        .await
        .unwrap()
        .into_iter()
        .map(|(name, stat)| {
            assert_eq!(stat.mode, 0o100_600);
            assert_eq!(stat.size, name.len() as u64);
            name
        })
        .collect();
    let mut wanted = names.to_vec();
    listed.sort();
    wanted.sort_unstable();
    assert_eq!(listed, wanted);
    let error = files
        .create(&[bytes(&bed.path("")), &[b'n'; 256]].concat(), true)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::RemoteIo, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_many_names_is_listed_whole() {
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    for n in 0..3000 {
        std::fs::write(bed.path(&format!("{n:04}")), "").unwrap();
    }
    let mut names = files.list(bytes(bed.folder.path())).await.unwrap();
    names.sort_by(|one, other| one.0.cmp(&other.0));
    let wanted: Vec<String> = (0..3000).map(|n| format!("{n:04}")).collect();
    assert!(names.iter().map(|(name, _)| name).eq(&wanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_replaces() {
    let bed = Bed::new(Sshd::builder()).await;
    // The second is a server that can't do it in one step.
    let old = Bed::new(Sshd::builder().sftp_server("internal-sftp -P posix-rename")).await;
    for bed in [&bed, &old] {
        let files = bed.files().await;
        let (new, old) = (bed.path("new"), bed.path("old"));
        std::fs::write(&new, "new").unwrap();
        std::fs::write(&old, "old").unwrap();
        files.rename(bytes(&new), bytes(&old)).await.unwrap();
        assert_eq!(std::fs::read(&old).unwrap(), b"new");
        assert!(!new.exists());
        let error = files.rename(bytes(&new), bytes(&old)).await.unwrap_err();
        assert!(error.message.contains("no such file"), "{error}");
        assert_eq!(std::fs::read(&old).unwrap(), b"new");
        // What can't be brought over leaves what is there as it is, and nothing beside it.
        files
            .rename(b"/proc/version", bytes(&old))
            .await
            .unwrap_err();
        assert_eq!(std::fs::read(&old).unwrap(), b"new");
        assert_eq!(files.list(bytes(bed.folder.path())).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_new_and_one_to_go_on_with_is_there() {
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    let (path, link) = (bed.path("f"), bed.path("link"));
    files.reopen(bytes(&path)).await.unwrap_err();
    assert!(!path.exists(), "nothing is made by it");
    std::os::unix::fs::symlink("f", &link).unwrap();
    files.create(bytes(&link), true).await.unwrap_err();
    assert!(!path.exists(), "nothing is written through a link");
    let file = files.create(bytes(&path), true).await.unwrap();
    files.close(file).await.unwrap();
    files.create(bytes(&path), true).await.unwrap_err();
    let file = files.reopen(bytes(&path)).await.unwrap();
    files
        .write(&file, 0, Bytes::from_static(b"x"))
        .await
        .unwrap();
    files.close(file).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_links_and_folders_are_set_and_read() {
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    let (file, link, folder) = (bed.path("file"), bed.path("link"), bed.path("folder"));
    let (file, link, folder) = (bytes(&file), bytes(&link), bytes(&folder));
    assert_eq!(files.lstat(file).await.unwrap(), None);
    let handle = files.create(file, true).await.unwrap();
    files
        .write(&handle, 5, Bytes::from_static(b"x"))
        .await
        .unwrap();
    files.truncate(&handle, 3).await.unwrap();
    files.close(handle).await.unwrap();
    files
        .set(
            file,
            FileChange {
                mode: Some(0o4754),
                owner: None,
                mtime: Some(1_700_000_000),
            },
        )
        .await
        .unwrap();
    let stat = files.stat(file).await.unwrap().unwrap();
    assert_eq!(
        (stat.mode, stat.size, stat.mtime),
        (0o104_754, 3, 1_700_000_000)
    );

    files.make_link(link, b"file").await.unwrap();
    assert_eq!(files.read_link(link).await.unwrap(), "file");
    assert_eq!(
        files.lstat(link).await.unwrap().unwrap().mode & 0o170_000,
        0o120_000
    );
    assert_eq!(files.stat(link).await.unwrap().unwrap(), stat);
    files.remove(link).await.unwrap();
    assert_eq!(files.lstat(link).await.unwrap(), None);

    files.make_folder(folder).await.unwrap();
    assert_eq!(files.list(folder).await.unwrap(), []);
    files.remove_folder(folder).await.unwrap();
    let error = files.list(folder).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RemoteIo);
    assert!(error.message.ends_with("/folder: no such file"), "{error}");
    let error = files.make_folder(b"/proc/x").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RemoteIo, "{error}");
    assert!(files.room(file).await.unwrap() > 0);
    assert_eq!(files.room(folder).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_set_without_the_loss_of_modes() {
    if left_out("the owner of a file, set by SFTP", "root") {
        return;
    }
    let bed = Bed::new(Sshd::builder()).await;
    let files = bed.files().await;
    let path = bed.path("file");
    std::fs::write(&path, "").unwrap();
    let change = FileChange {
        mode: Some(0o4755),
        owner: Some((1234, 4321)),
        mtime: None,
    };
    files.set(bytes(&path), change).await.unwrap();
    let stat = files.stat(bytes(&path)).await.unwrap().unwrap();
    assert_eq!((stat.uid, stat.gid, stat.mode), (1234, 4321, 0o104_755));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_locked_in_has_files_all_the_same() {
    if left_out("an account with SFTP only, in a chroot", "root") {
        return;
    }
    let bed = Bed::new(Sshd::builder().only_sftp()).await;
    let files = bed.files().await;
    let file = files.create(b"/files/here", true).await.unwrap();
    files
        .write(&file, 0, Bytes::from_static(b"x"))
        .await
        .unwrap();
    files.close(file).await.unwrap();
    let there = bed.sshd.chroot().join("files/here");
    assert_eq!(std::fs::read(there).unwrap(), b"x");
    assert_eq!(files.lstat(b"/etc/passwd").await.unwrap(), None);
}

async fn canned(fleet: &Canned, n: usize) -> SshConnection {
    log_in(address(n), fleet.port(), fleet.user(), fleet.key()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_climb_out_are_handed_on_as_they_are() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    fleet.files().put(3, "folder/file", "text");
    fleet
        .files()
        .lie(&["../evil", "..", "/etc/passwd", "a/b", ""]);
    let connection = canned(&fleet, 3).await;
    let files = connection.files().await.unwrap();
    let names = files.list(b"folder").await.unwrap();
    let names: Vec<&[u8]> = names.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(
        names,
        [&b"file"[..], b"../evil", b"/etc/passwd", b"a/b", b""]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_beds_server_takes_and_gives_what_openssh_does() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    fleet.files().put_zeros(0, "zeros", 5_000_000);
    let connection = canned(&fleet, 0).await;
    let files = connection.files().await.unwrap();
    let content = content(5_000_003);
    let file = files.create(b"part", true).await.unwrap();
    put(&*files, &file, &content).await.unwrap();
    files.close(file).await.unwrap();
    files.rename(b"part", b"whole").await.unwrap();
    let there = fleet.files().get(0, "whole").unwrap();
    assert_eq!((there.size, there.mode), (5_000_003, 0o600));
    let bed = tempfile::tempdir().unwrap();
    let copy = bed.path().join("copy");
    std::fs::write(&copy, &content).unwrap();
    let md5 = std::process::Command::new("md5sum").arg(&copy).output();
    let md5 = String::from_utf8(md5.unwrap().stdout).unwrap();
    assert!(md5.starts_with(&there.md5.unwrap()), "{md5}");
    let file = files.open(b"zeros").await.unwrap();
    assert!(get(&*files, &file, 5_000_000).await == vec![0; 5_000_000]);
    assert!(files.read(&file, 5_000_000, 1).await.unwrap().is_empty());

    fleet.files().refuse();
    let error = connection.files().await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
}
