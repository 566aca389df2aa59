//! What the record promises on every engine.

mod finding;
mod lasting;

pub(super) use finding::*;
pub(super) use lasting::*;

use super::*;

pub(super) async fn a_run_comes_back_as_it_was(bed: Bed) {
    let mut run = Run::begin(&bed, header("run", hosts(4))).await;
    let header = run.header.clone();
    let mut said = Vec::new();
    said.push(
        run.host(
            2,
            "完成\n".as_bytes(),
            b"warned\n",
            end(Outcome::Failed, Some(-1)),
        )
        .await,
    );
    said.push(
        run.host(
            0,
            b"",
            b"",
            HostEnd {
                signal: Some("TERM".into()),
                timings: Some(Timings {
                    connect: Duration::from_micros(1500),
                    auth: Duration::from_micros(2500),
                }),
                attempts: 3,
                ..end(Outcome::TimedOut, None)
            },
        )
        .await,
    );
    said.push(
        run.host(
            1,
            b"\xff\xfe",
            b"",
            HostEnd {
                error: Some(HostError::new(ErrorKind::Refused, "10.0.0.1:22: 拒绝")),
                ..end(Outcome::Unreachable, None)
            },
        )
        .await,
    );
    said.push(run.host(3, b"x", b"", end(Outcome::Ok, Some(0))).await);
    let (recorded, leftover) = run.finish(Some(Stopped::Gate)).await;
    assert_eq!(recorded, Recorded::Stored);

    let store = bed.store().await;
    let listed = store.runs(&newest(5)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].outcome, "failed");
    let mut found = store.find_run(&header.run.to_string()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    let as_milliseconds = |at: jiff::Timestamp| at.as_millisecond();
    assert_eq!(
        as_milliseconds(found.header.started),
        as_milliseconds(header.started)
    );
    assert_eq!(
        RunHeader {
            started: header.started,
            ..found.header.clone()
        },
        *header,
        "the header is whole"
    );
    let over = found.end.unwrap();
    assert_eq!(over.stopped, Some(Stopped::Gate));
    assert_eq!(over.outcome(), RunOutcome::Hosts(Outcome::Failed));
    assert_eq!((over.summary.total, over.summary.timed_out), (4, 1));
    let order: Vec<u32> = results.iter().map(|(ix, _)| ix.0).collect();
    assert_eq!(order, [0, 1, 2, 3], "inventory order");
    for ((_, got), want) in results.iter().zip([&said[1], &said[2], &said[0], &said[3]]) {
        assert_eq!(as_milliseconds(got.started), as_milliseconds(want.started));
        assert_eq!(
            HostResult {
                started: want.started,
                ..got.clone()
            },
            **want
        );
    }
    drop(leftover);
    assert!(
        journals(bed.data()).is_empty(),
        "what is recorded leaves no journal"
    );
}

pub(super) async fn files_of_a_transfer_come_back_as_they_were_also_very_many(bed: Bed) {
    let mut run = Run::begin(&bed, header("upload", hosts(4))).await;
    let id = run.header.run.to_string();
    let plain = FileRecord {
        action: FileAction::Kept,
        md5: None,
        sha256: None,
        via: None,
        files: None,
        changed: false,
        ..file(0)
    };
    // Some megabytes each: together more than a statement takes.
    let lists = [
        vec![plain, file(1)],
        Vec::new(),
        (0..12_000).map(file).collect(),
        (0..12_000).map(file).collect(),
    ];
    for (ix, files) in lists.iter().enumerate() {
        let files = files.clone();
        let end = HostEnd {
            files,
            ..end(Outcome::Changed, None)
        };
        run.host(u32::try_from(ix).unwrap(), b"", b"", end).await;
    }
    run.stored().await;
    let store = bed.store().await;
    let folder = tempfile::tempdir().unwrap();
    let mut found = store.find_run(&id).await.unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    for ((ix, result), files) in results.iter().zip(&lists) {
        assert!(result.files == *files, "host {}", ix.0);
    }
    assert_eq!(results.len(), 4);
}

pub(super) async fn facts_of_hosts_are_kept_with_the_time_since_when_they_are_so(bed: Bed) {
    let store = bed.store().await;
    let at = |second: i64| jiff::Timestamp::from_second(second).unwrap();
    let host = |number: usize| Arc::<str>::from(format!("主机{number}"));
    let many: Vec<_> = (0..1200)
        .map(|number| (host(number), "codepage", serde_json::json!(936)))
        .collect();
    store.put_facts(&many, at(100)).await.unwrap();
    store
        .put_facts(
            &[
                (host(0), "codepage", serde_json::json!(936)),
                (host(1), "codepage", serde_json::json!(65001)),
                (
                    host(1),
                    "os",
                    serde_json::json!({"family": "windows", "name": "版"}),
                ),
            ],
            at(200),
        )
        .await
        .unwrap();
    let hosts: Vec<_> = (0..1300).map(host).collect();
    let facts = store.facts_of(&hosts, "codepage").await.unwrap();
    assert_eq!(facts.len(), 1200);
    for (number, value, changed, collected) in
        [(0, 936, 100, 200), (1, 65001, 200, 200), (2, 936, 100, 100)]
    {
        let fact = facts.iter().find(|fact| fact.host == host(number)).unwrap();
        assert_eq!(fact.value, value);
        assert_eq!((fact.changed, fact.collected), (at(changed), at(collected)));
    }
    let os = store.facts_of(&[host(1), host(2)], "os").await.unwrap();
    assert_eq!(os.len(), 1);
    assert_eq!(os[0].value["name"], "版");
    assert_eq!(store.facts_of(&[], "os").await.unwrap(), []);

    // What comes late, from a journal that was left behind, is no news; what nobody saw any more goes.
    let late = [(host(1), "codepage", serde_json::json!(437))];
    store.put_facts(&late, at(50)).await.unwrap();
    let known = store.facts_of(&[host(1)], "codepage").await.unwrap();
    assert_eq!(
        (&known[0].value, known[0].changed),
        (&65001.into(), at(200))
    );
    store.prune(at(150)).await.unwrap();
    let facts = store.facts_of(&hosts, "codepage").await.unwrap();
    let left: Vec<_> = facts.iter().map(|fact| fact.host.clone()).collect();
    assert_eq!(left, [host(0), host(1)]);
}

pub(super) async fn outputs_are_kept_to_the_byte_and_once(bed: Bed) {
    // All bytes, at the borders of pieces too.
    let large = noise(1, 3 * (1 << 20) + 1);
    let mut run = Run::begin(&bed, header("run", hosts(5))).await;
    let id = run.header.run.to_string();
    for ix in 0..3 {
        run.ok(ix, &large).await;
    }
    run.ok(3, b"small").await;
    run.host(4, b"small", &large[..70_000], end(Outcome::Ok, Some(0)))
        .await;
    run.stored().await;

    let store = bed.store().await;
    assert_eq!(
        counts(&store).await,
        (1, 5, 4 + 1 + 1),
        "each distinct output once"
    );
    let folder = tempfile::tempdir().unwrap();
    let mut found = store.find_run(&id).await.unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    for (ix, result) in &results {
        let stdout = result.stdout.read().unwrap();
        let want: &[u8] = if ix.0 < 3 { &large } else { b"small" };
        assert!(stdout == want, "host {}: {} bytes", ix.0, stdout.len());
    }
    assert_eq!(results[4].1.stderr.read().unwrap(), &large[..70_000]);

    let mut again = Run::begin(&bed, header("run", hosts(1))).await;
    again.ok(0, &large).await;
    again.stored().await;
    assert_eq!(counts(&store).await, (2, 6, 6), "also across runs");
}

pub(super) async fn two_runs_at_once_are_both_recorded(bed: Bed) {
    let mut one = Run::begin(&bed, header("run", hosts(50))).await;
    let mut two = Run::begin(&bed, header("run", hosts(50))).await;
    for ix in 0..50 {
        one.ok(ix, b"same").await;
        two.ok(ix, b"same").await;
    }
    let (one, two) = tokio::join!(tokio::spawn(one.stored()), tokio::spawn(two.stored()),);
    one.unwrap();
    two.unwrap();
    assert_eq!(counts(&bed.store().await).await, (2, 100, 1));
}

pub(super) async fn a_run_under_way_is_on_record_within_two_seconds(bed: Bed) {
    let mut run = Run::begin(&bed, header("run", hosts(3))).await;
    let id = run.header.run.to_string();
    let seen = async |want: usize| {
        let began = Instant::now();
        loop {
            // As another process does it, which also replays what was left behind.
            let store = bed.store().await;
            let replayed = replay(&store, bed.data()).await.unwrap();
            assert_eq!((replayed.stored, replayed.busy), (0, 1));
            if let Ok(mut found) = store.find_run(&id).await {
                assert_eq!(found.outcome, "running");
                assert!(found.end.is_none());
                let folder = tempfile::tempdir().unwrap();
                let results = store.results(&mut found, folder.path()).await.unwrap();
                if results.len() == want {
                    break;
                }
            }
            store.close().await;
            assert!(began.elapsed() < Duration::from_secs(2), "{want} hosts");
        }
    };
    seen(0).await;
    for ix in 0..2 {
        run.ok(ix, b"done").await;
        seen(ix as usize + 1).await;
    }
    run.ok(2, b"done").await;
    run.stored().await;
    assert_eq!(
        bed.store().await.runs(&newest(1)).await.unwrap()[0].outcome,
        "ok"
    );
}

pub(super) async fn no_log_keeps_the_command_and_outputs_out(bed: Bed) {
    let mut header = header("run", hosts(1));
    header.no_log = true;
    header.command = None;
    let mut run = Run::begin(&bed, header).await;
    let journal = journals(bed.data());
    let end = HostEnd {
        files: vec![FileRecord {
            source: "hunter2-file".into(),
            ..file(0)
        }],
        ..end(Outcome::Ok, Some(0))
    };
    run.host(0, b"hunter2-out", b"hunter2-err", end).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let kept = std::fs::read_to_string(journal[0].join("events.jsonl")).unwrap();
    assert!(
        kept.contains("host_finished"),
        "the journal is read: {kept}"
    );
    assert!(!kept.contains("hunter2"), "{kept}");
    run.stored().await;
    let store = bed.store().await;
    assert_eq!(counts(&store).await, (1, 1, 0));
    let folder = tempfile::tempdir().unwrap();
    let mut found = store.runs(&newest(1)).await.unwrap().remove(0);
    let results = store.results(&mut found, folder.path()).await.unwrap();
    assert_eq!(
        (results[0].1.stdout.total, results[0].1.stdout.kept),
        (11, 0)
    );
    assert_eq!(results[0].1.files, []);
}

pub(super) async fn ten_thousand_hosts_are_recorded(bed: Bed) {
    let mut run = Run::begin(&bed, header("run", hosts(10_000))).await;
    let id = run.header.run.to_string();
    for ix in 0..10_000 {
        run.ok(ix, format!("kernel {}\n", ix % 7).as_bytes()).await;
    }
    run.stored().await;
    let store = bed.store().await;
    assert_eq!(counts(&store).await, (1, 10_000, 7));
    let mut found = store.find_run(&id).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    assert_eq!(results.len(), 10_000);
    assert_eq!(found.header.hosts[9_999].as_ref(), "web10000");
    assert_eq!(results[9_999].1.stdout.read().unwrap(), "kernel 3\n");
}
