//! The record: whatever a run says is in the database afterwards, once, on SQLite and on MariaDB
//! alike, also when the database was away or the controller died.

mod contention;
mod outages;
mod promises;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ioms::base::clock;
use ioms::base::id::RunId;
use ioms::event::capture::CaptureLimits;
use ioms::event::emitter::HostEnd;
use ioms::event::{
    Emitter, ErrorKind, Event, FileAction, FileRecord, HostError, HostIx, HostResult, Outcome,
    Recorded, Redactor, Route, RunEnd, RunHeader, RunOutcome, Stopped, Stream, Summary, Timings,
};
use ioms::store::{
    DatabaseUrl, Filter, Journal, Leftover, Recorder, Store, StoreError, Which, journals, replay,
};
use ioms_fleet::MariaDb;

use crate::support::{mariadb, on_both, wait_until};

/// A data folder and a database.
struct Bed {
    dir: tempfile::TempDir,
    url: DatabaseUrl,
    server: Option<MariaDb>,
}

impl Bed {
    fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::in_folder(dir.path());
        Self {
            dir,
            url,
            server: None,
        }
    }

    async fn mariadb() -> Self {
        let (server, address) = mariadb().await;
        Self {
            dir: tempfile::tempdir().unwrap(),
            url: DatabaseUrl::parse(&address).unwrap(),
            server: Some(server),
        }
    }

    fn data(&self) -> &Path {
        self.dir.path()
    }

    async fn store(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// Every run of one host has ten thousand.
    fn multiply_hosts(&self) {
        let insert = |numbers: &str| {
            format!(
                "INSERT INTO run_hosts SELECT run, n.seq, host, outcome, exit_status, signal_name, encoding, started, duration_us, attempts, error, connect_us, auth_us, stdout_digest, stdout_total, stdout_kept, stderr_digest, stderr_total, stderr_kept, files FROM run_hosts, {numbers} n WHERE ix = 0;"
            )
        };
        if let Some(server) = &self.server {
            let insert = insert("seq_1_to_9999");
            server.sql(&format!("USE ioms; {insert}")).unwrap();
            return;
        }
        let insert = insert(
            "(WITH RECURSIVE c(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM c WHERE seq < 9999) SELECT seq FROM c)",
        );
        let status = std::process::Command::new("python3")
            .args(["-c", "import sqlite3,sys; db=sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()"])
            .arg(self.data().join("ioms.db"))
            .arg(insert)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

on_both! { "the record on MariaDB":
    a_run_comes_back_as_it_was
    files_of_a_transfer_come_back_as_they_were_also_very_many
    facts_of_hosts_are_kept_with_the_time_since_when_they_are_so
    outputs_are_kept_to_the_byte_and_once
    a_list_is_filtered_and_newest_first
    a_dead_controllers_run_is_completed
    two_runs_at_once_are_both_recorded
    a_run_is_stored_and_what_earlier_ones_have_left_beside_it
    a_replay_cut_short_brings_no_line_twice
    what_is_old_is_pruned_with_its_outputs
    grep_finds_lines_of_all_runs
    no_log_keeps_the_command_and_outputs_out
    ten_thousand_hosts_are_recorded
    grep_reads_large_records_and_outputs
    a_large_prune_holds_up_no_run
    a_run_under_way_is_on_record_within_two_seconds
    a_disk_that_fills_up_loses_nothing_where_the_database_answers
}

/// A run being made: what the engine would say.
struct Run {
    header: Arc<RunHeader>,
    emitter: Emitter,
    consumers: std::thread::JoinHandle<()>,
    recorder: Recorder,
    summary: Summary,
}

fn header(verb: &str, hosts: impl IntoIterator<Item = String>) -> RunHeader {
    RunHeader {
        run: RunId::new(),
        verb: verb.into(),
        command: Some("echo 更新 完成".into()),
        pattern: "web:&idc_a".into(),
        user: "ops".into(),
        account: None,
        from: "ctl1 (10.0.0.7)".into(),
        options: serde_json::json!({"forks": 500, "env": ["LANG"]}),
        started: clock::now(),
        no_log: false,
        hosts: hosts.into_iter().map(Into::into).collect(),
    }
}

fn hosts(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("web{n:02}")).collect()
}

fn end(outcome: Outcome, exit: Option<i32>) -> HostEnd {
    HostEnd {
        outcome,
        exit,
        signal: None,
        duration: Duration::from_micros(41_700),
        attempts: 1,
        error: None,
        timings: None,
        files: Vec::new(),
    }
}

/// A file of an upload, with everything that can be said of one.
fn file(number: usize) -> FileRecord {
    FileRecord {
        source: format!("发布/app-{number}.tar"),
        target: format!("/srv/发布/app-{number}.tar"),
        action: FileAction::Sent,
        size: 1 << 40,
        md5: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
        sha256: Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into()),
        bytes: 12,
        via: Some(Route::Sftp),
        files: Some(3),
        changed: true,
    }
}

impl Run {
    async fn begin(bed: &Bed, header: RunHeader) -> Self {
        Self::begin_at(bed.url.clone(), bed.data(), header).await
    }

    async fn begin_at(url: DatabaseUrl, data: &Path, header: RunHeader) -> Self {
        let header = Arc::new(header);
        let journal = Journal::create(data, header.run).unwrap();
        let recorder = Recorder::start(url, data.to_owned(), &journal).unwrap();
        let limits = CaptureLimits {
            inline: 64 * 1024,
            max: 10 << 20,
            folder: journal.folder().to_owned(),
        };
        let (emitter, consumers) = Emitter::start(
            Arc::new(Redactor::default()),
            limits,
            vec![Box::new(journal)],
        )
        .unwrap();
        emitter.emit(Event::RunStarted(header.clone())).await;
        Self {
            summary: Summary::new(header.hosts.len()),
            header,
            emitter,
            consumers,
            recorder,
        }
    }

    async fn host(
        &mut self,
        ix: u32,
        stdout: &[u8],
        stderr: &[u8],
        end: HostEnd,
    ) -> Arc<HostResult> {
        let mut host = self.emitter.host(HostIx(ix)).await;
        for (stream, bytes) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
            for piece in bytes.chunks(32 * 1024) {
                host.output(stream, Bytes::copy_from_slice(piece)).await;
            }
        }
        self.summary.add(end.outcome);
        host.finish(end).await
    }

    async fn ok(&mut self, ix: u32, stdout: &[u8]) {
        self.host(ix, stdout, b"", end(Outcome::Ok, Some(0))).await;
    }

    /// Ends it; what became of the record, and what is left of the journal.
    async fn finish(self, stopped: Option<Stopped>) -> (Recorded, Leftover) {
        self.say_over(stopped).await;
        self.wait()
    }

    async fn say_over(&self, stopped: Option<Stopped>) {
        self.emitter
            .emit(Event::RunFinished(RunEnd {
                finished: clock::now(),
                summary: self.summary,
                stopped,
            }))
            .await;
    }

    /// The controller dies: nothing more is said, and the journal's lock goes.
    fn die(self) {
        self.wait();
    }

    fn wait(self) -> (Recorded, Leftover) {
        drop(self.emitter);
        self.consumers.join().unwrap();
        self.recorder.finish(Duration::from_secs(10))
    }

    async fn stored(self) {
        let (recorded, leftover) = self.finish(None).await;
        assert_eq!(recorded, Recorded::Stored, "{:?}", leftover.why);
    }
}

/// A journal of a run on so many hosts that the database has not seen.
async fn left_behind(bed: &Bed, number: u32) {
    let away = DatabaseUrl::parse("mysql://root@127.0.0.1:1/nowhere").unwrap();
    let mut run = Run::begin_at(away, bed.data(), header("run", hosts(number as usize))).await;
    for ix in 0..number {
        run.ok(ix, format!("line of {ix}").as_bytes()).await;
    }
    run.say_over(None).await;
    drop(run.emitter);
    run.consumers.join().unwrap();
    let (recorded, leftover) = run.recorder.finish(Duration::from_millis(100));
    assert_eq!(recorded, Recorded::Spooled);
    assert!(matches!(leftover.why, Some(StoreError::Database { .. })));
    drop(leftover);
    assert_eq!(journals(bed.data()).len(), 1, "what is not recorded stays");
}

/// Bytes that no compressor makes small.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn newest(limit: usize) -> Filter {
    Filter {
        limit,
        ..Filter::default()
    }
}

/// A file system of its own size, gone with its owner.
pub(crate) struct SmallDisk(pub(crate) std::path::PathBuf);

impl SmallDisk {
    pub(crate) fn new(path: std::path::PathBuf, size: &str) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("mode=0700,size={size}")])
            .args([std::ffi::OsStr::new("none"), path.as_os_str()])
            .status()
            .unwrap();
        assert!(mounted.success());
        Self(path)
    }

    fn filler(&self) -> std::path::PathBuf {
        self.0.join("filler")
    }

    /// Leaves no room.
    fn fill(&self) {
        let error = std::fs::write(self.filler(), vec![b'x'; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

/// The counts of runs, results and pieces of output.
async fn counts(store: &Store) -> (i64, i64, i64) {
    let status = store.status().await.unwrap();
    (status.runs, status.results, status.pieces)
}
