//! The host's side with the tools that hosts have: real curl and wget, in the shells that hosts have.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::handout::Handout as _;
use super::tests::{Slow, memory, settings, wanted};
use super::*;
use crate::base::digest;
use crate::shell::files::Pull;
use crate::shell::posix::files_pull::{PullEnd, PullFailure, failure, fetch};

const SHELLS: &[&[&str]] = &[&["dash"], &["bash"], &["busybox", "sh"], &["mksh"]];

/// A host with some tools only, and what became of a fetch on it.
struct Host {
    folder: tempfile::TempDir,
    shell: &'static [&'static str],
}

impl Host {
    fn new(shell: &'static [&'static str], tools: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        for tool in ["tr", "rm", "dd"].iter().chain(tools) {
            symlink(find(tool), folder.path().join("bin").join(tool)).unwrap();
        }
        Self { folder, shell }
    }

    /// A name that needs care.
    fn part(&self) -> std::path::PathBuf {
        self.folder.path().join(".-空格 'x'.ioms-1.part")
    }

    fn run(&self, pull: &Pull, offset: u64) -> Option<PullFailure> {
        let part = self.part().display().to_string().replace('\'', r"'\''");
        let words = format!("p='{part}'; {}\n", fetch(pull, offset));
        assert_eq!(words.matches('\n').count(), 1, "the words are one line");
        // As the transport's constant does it: the words come on standard input.
        let mut child = Command::new(find(self.shell[0]))
            .args(&self.shell[1..])
            .args(["-c", r#"IFS= read -r s && eval "$s""#])
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("https_proxy", "http://127.0.0.1:1")
            .env("http_proxy", "http://127.0.0.1:1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(words.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.stdout,
            b"",
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains(token(pull)), "the token is told: {said}");
        let beside = format!("{}.pem", self.part().display());
        assert!(!Path::new(&beside).exists(), "the certificate stays behind");
        failure(output.status.code(), &output.stderr)
    }

    async fn fetch(self: &Arc<Self>, pull: &Pull, offset: u64) -> Option<PullFailure> {
        let (host, pull) = (self.clone(), pull.clone());
        tokio::task::spawn_blocking(move || host.run(&pull, offset))
            .await
            .unwrap()
    }

    fn content(&self) -> Vec<u8> {
        fs::read(self.part()).unwrap()
    }
}

fn find(tool: &str) -> std::path::PathBuf {
    ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(tool))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{tool} is not installed"))
}

fn token(pull: &Pull) -> &str {
    pull.url.expose().rsplit('/').next().unwrap()
}

fn left_out(what: &str) -> bool {
    ["curl", "wget", "dash", "busybox", "mksh"]
        .iter()
        .any(|tool| ioms_fleet::left_out(what, tool))
}

fn hosts() -> Vec<Arc<Host>> {
    let shells = SHELLS.iter();
    shells
        .flat_map(|shell| ["curl", "wget"].map(|tool| Arc::new(Host::new(shell, &[tool]))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_wget_fetch_whole_and_go_on_from_what_is_there() {
    if left_out("fetching with curl and wget") {
        return;
    }
    let content = memory(2_000_003);
    for plain in [false, true] {
        let server = PullServer::start(&settings(plain)).unwrap();
        for host in hosts() {
            let offer = server.offer(wanted(content.clone())).unwrap();
            let failed = host.fetch(&offer.pull, 0).await;
            assert_eq!(failed, None, "{:?}", host.shell);
            assert_eq!(digest::of(&host.content()), digest::of(content.bytes()));
            let again = host.fetch(&offer.pull, 0).await.unwrap();
            assert_eq!(again.end, PullEnd::Refused, "{again:?}");

            let offer = server.offer(wanted(content.clone())).unwrap();
            fs::write(host.part(), &content.bytes()[..1_234_567]).unwrap();
            assert_eq!(host.fetch(&offer.pull, 1_234_567).await, None);
            assert_eq!(digest::of(&host.content()), digest::of(content.bytes()));
            assert_eq!(offer.sent(), content.size() - 1_234_567);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_certificate_gets_no_token_from_curl_or_wget() {
    if left_out("wrong pins with curl and wget") {
        return;
    }
    let right = PullServer::start(&settings(false)).unwrap();
    let wrong = PullServer::start(&settings(false)).unwrap();
    for host in hosts() {
        let mut offer = wrong.offer(wanted(memory(1000))).unwrap();
        offer.pull.pin = right.offer(wanted(memory(1))).unwrap().pull.pin.clone();
        let failed = host.fetch(&offer.pull, 0).await.unwrap();
        assert_eq!(failed.end, PullEnd::Untrusted, "{failed:?}");
        assert!(!offer.contacted(), "the request was sent all the same");
        assert_eq!(host.content(), b"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_is_told_from_the_others() {
    if left_out("failing fetches with curl and wget") {
        return;
    }
    let server = PullServer::start(&settings(false)).unwrap();
    for host in hosts().into_iter().take(2) {
        let mut late = wanted(memory(10));
        late.lifetime = Duration::ZERO;
        let offer = server.offer(late).unwrap();
        assert_eq!(
            host.fetch(&offer.pull, 0).await.unwrap().end,
            PullEnd::Refused
        );

        let offer = server.offer(wanted(memory(10))).unwrap();
        let pull = offer.pull.clone();
        drop(offer);
        assert_eq!(host.fetch(&pull, 0).await.unwrap().end, PullEnd::Refused);

        let gone = PullServer::start(&settings(false)).unwrap();
        let offer = gone.offer(wanted(memory(10))).unwrap();
        let pull = offer.pull.clone();
        drop(gone);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let failed = host.fetch(&pull, 0).await.unwrap();
        assert_eq!(failed.end, PullEnd::Unreachable, "{failed:?}");

        let mut slow = wanted(memory(12 << 20));
        slow.pace = Some(Arc::new(Slow(Duration::from_millis(5))));
        let offer = server.offer(slow).unwrap();
        let pull = offer.pull.clone();
        let fetching = tokio::spawn({
            let (host, pull) = (host.clone(), pull.clone());
            async move { host.fetch(&pull, 0).await }
        });
        while offer.sent() < 1 << 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(offer);
        let failed = fetching.await.unwrap().unwrap();
        assert_eq!(failed.end, PullEnd::Broken, "{failed:?}");
        let came = host.content();
        assert!(!came.is_empty() && memory(12 << 20).bytes().starts_with(&came));
    }
    let offer = server.offer(wanted(memory(10))).unwrap();
    for tools in [&[][..], &["busybox"]] {
        let host = Arc::new(Host::new(SHELLS[0], tools));
        if !tools.is_empty() {
            symlink(find("busybox"), host.folder.path().join("bin/wget")).unwrap();
        }
        let failed = host.fetch(&offer.pull, 0).await.unwrap();
        assert_eq!(failed.end, PullEnd::NoTool, "{failed:?}");
        assert!(
            failed.said.contains("neither curl nor GNU wget"),
            "{failed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_as_such() {
    if left_out("a full disk with curl and wget") {
        return;
    }
    let server = PullServer::start(&settings(false)).unwrap();
    for host in hosts().into_iter().take(2) {
        // A node of its own where root could harm the machine's.
        let full = host.folder.path().join("full");
        let made = Command::new("mknod")
            .arg(&full)
            .args(["c", "1", "7"])
            .output();
        let own = made.is_ok_and(|made| made.status.success());
        symlink(
            if own { &full } else { Path::new("/dev/full") },
            host.part(),
        )
        .unwrap();
        let offer = server.offer(wanted(memory(1 << 20))).unwrap();
        let failed = host.fetch(&offer.pull, 0).await.unwrap();
        assert_eq!(failed.end, PullEnd::Disk, "{failed:?}");
        assert!(
            failed.said.contains("No space left on device"),
            "{failed:?}"
        );

        fs::remove_file(host.part()).unwrap();
        fs::create_dir(host.part()).unwrap();
        let failed = host.fetch(&offer.pull, 0).await.unwrap();
        assert_eq!(failed.end, PullEnd::Disk, "{failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_curl_without_pins_checks_the_certificate_as_an_authority() {
    if left_out("an old curl") {
        return;
    }
    let right = PullServer::start(&settings(false)).unwrap();
    let wrong = PullServer::start(&settings(false)).unwrap();
    let host = Arc::new(Host::new(SHELLS[0], &[]));
    let curl = host.folder.path().join("bin/curl");
    let old = format!(
        "#!/bin/sh\ncase \"$*\" in *pinnedpubkey*) exit 2;; esac\nexec {} \"$@\"\n",
        find("curl").display()
    );
    fs::write(&curl, old).unwrap();
    fs::set_permissions(&curl, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let offer = right.offer(wanted(memory(70_000))).unwrap();
    assert_eq!(host.fetch(&offer.pull, 0).await, None);
    assert_eq!(host.content(), memory(70_000).bytes());
    let mut offer = wrong.offer(wanted(memory(10))).unwrap();
    offer.pull.pin = right.offer(wanted(memory(1))).unwrap().pull.pin.clone();
    assert_eq!(
        host.fetch(&offer.pull, 0).await.unwrap().end,
        PullEnd::Untrusted
    );
}

/// Whether any process has the token in its arguments or its environment.
fn shown(token: &str) -> Option<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().bytes().all(|b| b.is_ascii_digit())
    });
    processes
        .flat_map(|entry| ["cmdline", "environ"].map(|file| entry.path().join(file)))
        .filter_map(|file| Some((fs::read(&file).ok()?, file)))
        .find(|(bytes, _)| {
            bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes())
        })
        .map(|(bytes, file)| format!("{}: {}", file.display(), String::from_utf8_lossy(&bytes)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_processes_arguments_or_environment() {
    if left_out("tokens in arguments") {
        return;
    }
    let server = PullServer::start(&settings(false)).unwrap();
    for host in hosts() {
        let mut slow = wanted(memory(1 << 20));
        slow.pace = Some(Arc::new(Slow(Duration::from_millis(15))));
        let offer = server.offer(slow).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let watcher = std::thread::spawn({
            let (over, token) = (over.clone(), token(&offer.pull).to_owned());
            move || {
                let mut looks = 0;
                while !over.load(Ordering::Relaxed) {
                    if let Some(found) = shown(&token) {
                        return Err(found);
                    }
                    looks += 1;
                }
                Ok(looks)
            }
        });
        let failed = host.fetch(&offer.pull, 0).await;
        over.store(true, Ordering::Relaxed);
        let looks = watcher.join().unwrap();
        assert_eq!(failed, None);
        assert!(looks.as_ref().is_ok_and(|looks| *looks > 3), "{looks:?}");
    }
}
