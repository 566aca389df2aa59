//! File tasks over WinRM: to PowerShell's engine on Linux and, with Windows' own paths, in Wine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ioms::base::secret::Secret;
use ioms::event::Stream;
use ioms::shell::files::{
    Algorithm, Answer, Asked, Attributes, FileFailure, FileTask, HostPath, Kind, Origin, Receive,
    Received, Said, Send, Unpack, Walk,
};
use ioms::shell::windows::files::frames::{END, Entry};
use ioms::shell::windows::files::{path, read};
use ioms::shell::windows::{Carrier, Situation, WindowsShell, conversation};
use ioms::shell::{Command, Plan, Stdin};
use ioms::target::{
    HostKeyMode, KerberosOptions, ShellKind, Target, Via, WinrmAuth, WinrmClient, WinrmOptions,
    WinrmTarget,
};
use ioms::transport::winrm::{Certificates, Winrm};
use ioms::transport::{Connection, ExecRequest, Exit, OutputEvent, Transport as _};
use ioms_fleet::windows::{Language, Need, Tier, Windows, lacks};
use md5::Digest as _;

struct Host {
    windows: Windows,
    connection: Arc<dyn Connection>,
}

impl Host {
    async fn new(windows: Windows) -> Self {
        let target = Target {
            host: Arc::from("win01"),
            via: Via::Winrm(Arc::new(WinrmTarget {
                address: windows.address(0),
                port: windows.http(),
                user: windows.user().to_owned(),
                password: Some(Secret::new(windows.password())),
                options: Arc::new(options()),
            })),
            shell: ShellKind::Cmd,
            r#become: None,
            encoding: None,
            tmpdir: None,
        };
        let certificates = Certificates::new("/nonexistent/known_certificates".into());
        let winrm = Winrm::new(Arc::new(certificates));
        Self {
            connection: winrm.connect(&target).await.unwrap(),
            windows,
        }
    }

    async fn said(&self, task: &FileTask, content: &[u8]) -> Said {
        let plan = Plan {
            command: Command::Files(Arc::new(task.clone())),
            env: Vec::new(),
            chdir: None,
            tty: false,
            stdin: Stdin::Empty,
            detach: false,
        };
        let situation = Situation {
            shell: WindowsShell::Cmd,
            carrier: Carrier::Winrm,
            runas: None,
            tmpdir: None,
        };
        let mut conversation = conversation(&plan, &situation, "M0123456789012345678").unwrap();
        let opening = conversation.begin();
        let request = ExecRequest {
            command: opening.command,
            bare: opening.bare,
            ..ExecRequest::default()
        };
        let mut process = self.connection.exec(request).await.unwrap();
        let lines = conversation.opening();
        process.input.write(lines).await.unwrap();
        let mut input = Some(process.input);
        let mut said = Said::default();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            let step = match process.output.next().await {
                OutputEvent::Data(Stream::Stdout, bytes) => conversation.stdout(bytes),
                OutputEvent::Data(Stream::Stderr, bytes) => conversation.stderr(bytes),
                OutputEvent::Exit(Exit::Status(status)) => {
                    said.exit = Some(status);
                    continue;
                }
                OutputEvent::Closed => break,
                other => panic!("{other:?}"),
            };
            assert_eq!(step.failed, None);
            stdout.extend_from_slice(&step.stdout);
            stderr.extend_from_slice(&step.stderr);
            if let Some(mut input) = input.take_if(|_| step.started) {
                let content = Bytes::copy_from_slice(content);
                tokio::spawn(async move {
                    // As a file is read.
                    for at in (0..content.len()).step_by(256 * 1024) {
                        let piece = content.slice(at..content.len().min(at + 256 * 1024));
                        if input.write(piece).await.is_err() {
                            return;
                        }
                    }
                    let _ = input.close().await;
                });
            }
        }
        process.output.close().await;
        said.stdout = stdout.into();
        said.stderr = stderr.into();
        said
    }

    async fn does(&self, task: FileTask, content: &[u8]) -> Result<Answer, FileFailure> {
        read(&task, &self.said(&task, content).await)
    }
}

fn options() -> WinrmOptions {
    WinrmOptions {
        https: false,
        path: "/wsman".to_owned(),
        auth: WinrmAuth::Ntlm,
        client: WinrmClient::Ours,
        host_key: HostKeyMode::Strict,
        ca: None,
        pin: None,
        tls_name: None,
        client_certificate: None,
        channel_binding: true,
        kerberos: KerberosOptions::default(),
        connect_timeout: Duration::from_secs(30),
        operation_timeout: Duration::from_secs(20),
    }
}

fn md5(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = md5::Md5::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file for `target`, whose part file lies beside it.
fn receive(target: &str, content: &[u8]) -> Receive {
    let target = path(target);
    let name = String::from_utf8(target.name().to_vec()).unwrap();
    Receive {
        part: target
            .folder()
            .join(format!(".{name}.ioms-0123.part").as_bytes()),
        target,
        offset: 0,
        size: content.len() as u64,
        algorithm: Algorithm::Md5,
        digest: md5(content),
        origin: Origin::Input,
        attributes: Attributes::default(),
        backup: None,
        mkdir: true,
    }
}

fn received(receive: &Receive) -> FileTask {
    FileTask::Receive(Box::new(receive.clone()))
}

const PLACED: Result<Answer, FileFailure> = Ok(Answer::Received(Received::Placed));

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_go_through_winrm_in_one_process_byte_for_byte() {
    if lacks("files over WinRM", &[Need::Server, Need::Powershell]) {
        return;
    }
    let host = Host::new(Windows::start().unwrap()).await;
    let folder = host.windows.dir().join("更新");
    let content: Vec<u8> = (0..10_u32 << 18)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let target = folder.join("大.zip");
    let task = receive(target.to_str().unwrap(), &content);
    assert_eq!(host.does(received(&task), &content).await, PLACED);
    assert!(std::fs::read(&target).unwrap() == content);
    let send = FileTask::Send(Send {
        path: path(target.to_str().unwrap()),
        offset: 1 << 20,
    });
    let said = host.said(&send, b"").await;
    assert!(said.stdout == content[1 << 20..] && said.exit == Some(0));
    host.connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_to_paths_of_windows_and_come_back() {
    let needs = [Need::Server, Need::Wine, Need::PowershellForWine];
    if lacks("files on Windows' own paths", &needs) {
        return;
    }
    let windows = Windows::builder().tier(Tier::Wine(Language::Zh));
    let host = Host::new(windows.start().unwrap()).await;
    let drive = host.windows.drive_c().unwrap();
    let folder = drive.join("更新 文件");
    replaces(&host, &folder).await;
    spares_what_is_in_use(&host, &folder).await;
    looks(&host).await;
    streams(&host).await;
    goes_far_and_removes(&host, &folder).await;
    host.connection.close().await;
}

async fn replaces(host: &Host, folder: &Path) {
    let mut task = receive("C:\\更新 文件\\[1] 新.zip", b"old\r\n\0");
    task.attributes.mtime = Some(1_600_000_000);
    assert_eq!(host.does(received(&task), b"old\r\n\0").await, PLACED);
    assert_eq!(
        std::fs::read(folder.join("[1] 新.zip")).unwrap(),
        b"old\r\n\0"
    );
    let mut task = receive("C:/更新 文件/[1] 新.zip", b"new");
    task.backup = Some(path("C:\\更新 文件\\旧.zip"));
    assert_eq!(host.does(received(&task), b"new").await, PLACED);
    assert_eq!(std::fs::read(folder.join("[1] 新.zip")).unwrap(), b"new");
    assert_eq!(std::fs::read(folder.join("旧.zip")).unwrap(), b"old\r\n\0");
}

async fn spares_what_is_in_use(host: &Host, folder: &Path) {
    let line = "powershell -NoProfile -Command \"$f = [IO.File]::Open('C:\\更新 文件\\[1] 新.zip', 'Open', 'Read', 'Read'); 'held'; Start-Sleep 100\"";
    let request = ExecRequest {
        command: Bytes::from(line),
        ..ExecRequest::default()
    };
    let mut holder = host.connection.exec(request).await.unwrap();
    let held = holder.output.next().await;
    assert!(
        matches!(held, OutputEvent::Data(Stream::Stdout, _)),
        "{held:?}"
    );
    let task = receive("C:\\更新 文件\\[1] 新.zip", b"newer");
    let answer = host.does(received(&task), b"newer").await;
    assert!(
        matches!(&answer, Err(FileFailure::Refused(why)) if why.ends_with("新.zip: another program has it open")),
        "{answer:?}"
    );
    let _ = holder.output.end(Duration::ZERO).await;
    assert_eq!(std::fs::read(folder.join("[1] 新.zip")).unwrap(), b"new");
    // (Wine's ReplaceFile leaves an empty file of its own.)
    let left = std::fs::read_dir(folder).unwrap().any(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().ends_with(".part")
    });
    assert!(!left, "no part file stays");

    let line = "attrib +r \"C:\\更新 文件\\[1] 新.zip\"";
    let request = ExecRequest {
        command: Bytes::from(line),
        ..ExecRequest::default()
    };
    let mut attrib = host.connection.exec(request).await.unwrap();
    attrib.input.close().await.unwrap();
    while attrib.output.next().await != OutputEvent::Closed {}
    let answer = host.does(received(&task), b"newer").await;
    assert!(
        matches!(&answer, Err(FileFailure::Refused(why)) if why.contains("read-only")),
        "{answer:?}"
    );
}

async fn looks(host: &Host) {
    let stat = FileTask::Stat {
        paths: [
            "C:\\更新 文件\\旧.zip",
            "C:",
            "C:\\nowhere\\x",
            "~",
            "..\\..\\更新 文件",
        ]
        .map(|text| Asked {
            path: path(text),
            size: Some(6),
        })
        .to_vec(),
        algorithm: Algorithm::Md5,
        follow: false,
    };
    let Ok(Answer::Stat(_, found)) = host.does(stat, b"").await else {
        panic!();
    };
    let kinds: Vec<_> = found
        .iter()
        .map(|one| one.as_ref().map(|one| one.kind))
        .collect();
    let folder_kind = Some(Kind::Folder);
    assert_eq!(
        kinds,
        [
            Some(Kind::File),
            folder_kind,
            None,
            folder_kind,
            folder_kind
        ]
    );
    let old = found[0].as_ref().unwrap();
    assert_eq!((old.size, old.mtime), (6, 1_600_000_000));
    assert_eq!(old.digest, Some(md5(b"old\r\n\0")));
}

async fn streams(host: &Host) {
    let entry = |name: &str, content: &[u8]| {
        let entry = Entry {
            path: path(name),
            kind: Kind::File,
            size: content.len() as u64,
            mtime: None,
            digest: md5(content),
        };
        [entry.head().unwrap(), content.to_vec()].concat()
    };
    let stream = [
        entry("子 目录/甲.txt", b"1"),
        entry("子 目录/.乙", b"22"),
        END.to_vec(),
    ]
    .concat();
    let unpack = FileTask::Unpack(Unpack {
        staging: path("unused"),
        root: path("C:\\更新 文件\\树"),
        algorithm: Algorithm::Md5,
        mkdir: false,
        backup: None,
    });
    let unpacked = host.does(unpack, &stream).await;
    assert!(
        matches!(&unpacked, Ok(Answer::Unpacked { digests, .. }) if digests.len() == 2),
        "{unpacked:?}"
    );
    let walk = FileTask::Walk(Walk {
        roots: vec![path("C:\\更新 文件\\?"), path("c:/更新*/[旧新].ZIP")],
        patterns: true,
        follow: true,
    });
    let Ok(Answer::Walk(names)) = host.does(walk, b"").await else {
        panic!();
    };
    let mut names: Vec<String> = names.iter().map(HostPath::to_string).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "C:/更新 文件/树",
            "C:/更新 文件/树/子 目录",
            "C:/更新 文件/树/子 目录/.乙",
            "C:/更新 文件/树/子 目录/甲.txt",
            "c:/更新 文件/旧.zip"
        ]
    );
}

async fn goes_far_and_removes(host: &Host, folder: &Path) {
    let long = format!(
        "C:\\更新 文件\\{}\\x.txt",
        vec!["长".repeat(60); 5].join("\\")
    );
    assert_eq!(
        host.does(received(&receive(&long, b"far")), b"far").await,
        PLACED
    );
    let said = host
        .said(
            &FileTask::Send(Send {
                path: path(&long),
                offset: 1,
            }),
            b"",
        )
        .await;
    assert_eq!(said.stdout, "ar");
    let remove =
        ["树", "旧.zip", "nowhere", "长长"].map(|name| path(&format!("C:\\更新 文件\\{name}")));
    let removed = host.does(FileTask::Remove(remove.to_vec()), b"").await;
    assert_eq!(removed, Ok(Answer::Done));
    assert!(!folder.join("树").exists() && !folder.join("旧.zip").exists());
    assert!(folder.join("[1] 新.zip").exists());
}
