//! Secrets, from the engine's end of the stream to every form.

use super::*;
use crate::base::secret::Secret;
use crate::event::capture::CaptureLimits;
use crate::event::emitter::HostEnd;
use crate::event::{Emitter, Redactor};

const SECRET: &str = "s3cr3t/&pässword";

/// A run through the emitter on which everything says the secret; gives back what was written.
fn everything_said(form: Form, look: Look, hosts: &[&str], no_log: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        fold_diff: true,
        progress: true,
        junit: Some(folder.path().join("junit.xml")),
        outdir: Some(folder.path().join("out")),
        ..options(form)
    };
    let redactor = Redactor::default();
    redactor.learn(&Secret::new(SECRET));
    let paper = Paper::default();
    let report = Report::new(paper.screen(look), options);
    let spill = folder.path().join("spill");
    std::fs::create_dir(&spill).unwrap();
    let limits = CaptureLimits {
        inline: 64,
        max: 4096,
        folder: spill,
    };
    let (emitter, thread) =
        Emitter::start(Arc::new(redactor), limits, vec![Box::new(report.clone())]).unwrap();
    let mut header = header("upload", Some(&format!("login {SECRET}")), hosts);
    header.pattern = format!("web:{SECRET}");
    header.options = serde_json::json!({"env": [SECRET]});
    header.no_log = no_log;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        emitter.emit(Event::RunStarted(Arc::new(header))).await;
        emitter.emit(Event::Notice(format!("using {SECRET}"))).await;
        for host in 0..hosts.len() {
            let host = HostIx(u32::try_from(host).unwrap());
            let mut of = emitter.host(host).await;
            for stream in [Stream::Stdout, Stream::Stderr] {
                let text = format!(
                    "token {SECRET} s3cr3t%2F%26p%C3%A4ssword {}\n",
                    "x".repeat(99)
                );
                for piece in text.as_bytes().chunks(7) {
                    of.output(stream, piece.to_vec().into()).await;
                }
            }
            let error = HostError::new(ErrorKind::RemoteIo, format!("{SECRET} is wrong"))
                .hint(format!("try something else than {SECRET}"));
            of.finish(HostEnd {
                outcome: Outcome::Failed,
                exit: Some(1),
                signal: None,
                duration: Duration::ZERO,
                attempts: 1,
                error: Some(error),
                timings: None,
                files: vec![FileRecord {
                    source: format!("{SECRET}.tar"),
                    target: format!("/srv/{SECRET}"),
                    ..file(FileAction::Sent)
                }],
            })
            .await;
        }
        let mut summary = Summary::new(hosts.len());
        for _ in hosts {
            summary.add(Outcome::Failed);
        }
        let end = RunEnd {
            finished: at(1),
            summary,
            stopped: None,
        };
        emitter.emit(Event::RunFinished(end)).await;
    });
    drop(emitter);
    thread.join().unwrap();
    report.finish(Recorded::Stored).unwrap();
    let mut written = [paper.bytes(1), paper.bytes(2)].concat();
    written.extend(std::fs::read(folder.path().join("junit.xml")).unwrap());
    for part in ["out", "spill"] {
        for entry in std::fs::read_dir(folder.path().join(part)).unwrap() {
            written.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
    written
}

#[test]
fn no_form_and_no_file_shows_a_secret() {
    let forms = [
        Form::Human,
        Form::Live,
        Form::Fold,
        Form::Host,
        Form::Json,
        Form::Jsonl,
        Form::Quiet,
    ];
    for (form, look) in forms
        .into_iter()
        .flat_map(|form| [(form, Look::default()), (form, TERMINAL)])
    {
        for hosts in [&["a"][..], &["a", "b", "c"]] {
            let written = everything_said(form, look, hosts, false);
            let written = String::from_utf8_lossy(&written);
            for part in ["s3cr3t", "ssword", "%26p"] {
                assert!(!written.contains(part), "{form:?}: {part} in {written}");
            }
            assert!(written.contains("token ********"), "{form:?}: {written}");
        }
    }
}

#[test]
fn with_no_log_the_user_still_sees_the_output() {
    let written = everything_said(Form::Json, Look::default(), &["a"], true);
    assert!(String::from_utf8_lossy(&written).contains("token ********"));
}
