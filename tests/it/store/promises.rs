//! What the record promises on every engine.

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

pub(super) async fn a_list_is_filtered_and_newest_first(bed: Bed) {
    for (verb, user, outcome) in [
        ("run", "ops", Outcome::Ok),
        ("ping", "ops", Outcome::Failed),
        ("run", "li", Outcome::Failed),
    ] {
        let mut header = header(verb, hosts(2));
        header.user = user.into();
        let mut run = Run::begin(&bed, header).await;
        run.ok(0, b"").await;
        run.host(1, b"", b"", end(outcome, Some(1))).await;
        run.stored().await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let store = bed.store().await;
    let names = async |filter: Filter| -> Vec<String> {
        let runs = store.runs(&filter).await.unwrap();
        runs.iter()
            .map(|run| format!("{} {} {}", run.header.user, run.header.verb, run.outcome))
            .collect()
    };
    let all = newest(9);
    assert_eq!(
        names(all.clone()).await,
        ["li run failed", "ops ping failed", "ops run ok"]
    );
    let by = |change: fn(&mut Filter)| {
        let mut filter = newest(9);
        change(&mut filter);
        filter
    };
    assert_eq!(names(by(|f| f.user = Some("ops".into()))).await.len(), 2);
    assert_eq!(
        names(by(|f| f.outcome = Some("failed".into()))).await.len(),
        2
    );
    assert_eq!(
        names(by(|f| f.verb = Some("ping".into()))).await,
        ["ops ping failed"]
    );
    assert_eq!(names(by(|f| f.host = Some("web02".into()))).await.len(), 3);
    assert_eq!(names(by(|f| f.host = Some("web03".into()))).await.len(), 0);
    assert_eq!(names(by(|f| f.limit = 1)).await, ["li run failed"]);
    assert_eq!(names(by(|f| f.until = Some(clock::now()))).await.len(), 3);
    assert_eq!(names(by(|f| f.since = Some(clock::now()))).await.len(), 0);

    let mine = store.newest_run("ops", None).await.unwrap().unwrap();
    assert_eq!(mine.header.verb, "ping");
    let which = async |which| store.hosts_of(mine.header.run, which).await.unwrap();
    assert_eq!(which(Which::Failed).await, [Arc::from("web02")]);
    assert_eq!(which(Which::Ok).await, [Arc::from("web01")]);
    assert_eq!(which(Which::All).await.len(), 2);
    assert_eq!(which(Which::Unreachable).await.len(), 0);
    let of_host = store.host_runs("web02", &newest(9)).await.unwrap();
    let outcomes: Vec<&str> = of_host.iter().map(|run| run.outcome.as_str()).collect();
    assert_eq!(outcomes, ["failed", "failed", "ok"]);
}

pub(super) async fn a_dead_controllers_run_is_completed(bed: Bed) {
    let mut run = Run::begin(&bed, header("run", hosts(3))).await;
    let id = run.header.run.to_string();
    run.ok(0, b"done").await;
    drop(run.emitter.host(HostIx(1)).await);
    run.die();

    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 1));
    let mut found = store.find_run(&id).await.unwrap();
    assert_eq!(found.outcome, "interrupted");
    let folder = tempfile::tempdir().unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    let outcomes: Vec<_> = results
        .iter()
        .map(|(_, result)| {
            (
                result.outcome,
                result.error.as_ref().map(|error| error.kind),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            (Outcome::Ok, None),
            (Outcome::Failed, Some(ErrorKind::ControllerLost)),
            (Outcome::Cancelled, Some(ErrorKind::ControllerLost)),
        ]
    );
    assert!(journals(bed.data()).is_empty());
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

pub(super) async fn a_run_is_stored_and_what_earlier_ones_have_left_beside_it(bed: Bed) {
    left_behind(&bed, 1200).await;
    let mut run = Run::begin(&bed, header("run", hosts(2))).await;
    run.ok(0, b"said").await;
    run.ok(1, b"said").await;
    run.stored().await;
    let store = bed.store().await;
    replay(&store, bed.data()).await.unwrap();
    assert_eq!(counts(&store).await, (2, 1202, 1201));
    assert!(journals(bed.data()).is_empty());
}

pub(super) async fn a_replay_cut_short_brings_no_line_twice(bed: Bed) {
    left_behind(&bed, 1200).await;
    // It is aborted again and again.
    for wait in [1_u64, 5, 20, 50, 90] {
        let store = bed.store().await;
        let cut = tokio::time::timeout(Duration::from_millis(wait), replay(&store, bed.data()));
        let _ = cut.await;
    }
    let store = bed.store().await;
    replay(&store, bed.data()).await.unwrap();
    assert_eq!(counts(&store).await, (1, 1200, 1200));
    assert_eq!(store.runs(&newest(1)).await.unwrap()[0].outcome, "ok");
    assert!(journals(bed.data()).is_empty());
}

pub(super) async fn what_is_old_is_pruned_with_its_outputs(bed: Bed) {
    let mut old = Run::begin(&bed, header("run", hosts(2))).await;
    old.ok(0, b"of the old run alone").await;
    old.ok(1, b"shared").await;
    old.stored().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let border = clock::now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut new = Run::begin(&bed, header("run", hosts(1))).await;
    new.ok(0, b"shared").await;
    new.stored().await;
    let store = bed.store().await;
    assert_eq!(counts(&store).await, (2, 3, 2));
    assert_eq!(store.count_before(border).await.unwrap(), 1);
    assert_eq!(store.prune(border).await.unwrap(), 1);
    assert_eq!(
        counts(&store).await,
        (1, 1, 1),
        "what the newer run uses stays"
    );
    assert_eq!(store.prune(border).await.unwrap(), 0);
}

pub(super) async fn a_large_prune_holds_up_no_run(bed: Bed) {
    for ix in 0..10 {
        let mut run = Run::begin(&bed, header("run", hosts(1))).await;
        run.ok(0, format!("of run {ix}").as_bytes()).await;
        run.stored().await;
    }
    bed.multiply_hosts();
    let store = bed.store().await;
    assert_eq!(counts(&store).await, (10, 100_000, 10));
    tokio::time::sleep(Duration::from_millis(5)).await;
    let border = clock::now();
    let pruning = tokio::spawn(async move {
        let removed = store.prune(border).await.unwrap();
        (removed, store)
    });
    let mut meanwhile = 0;
    while !pruning.is_finished() {
        let mut run = Run::begin(&bed, header("run", hosts(2))).await;
        run.ok(0, b"meanwhile").await;
        run.ok(1, b"of run 3").await;
        run.say_over(None).await;
        drop(run.emitter);
        run.consumers.join().unwrap();
        let (recorded, leftover) = run.recorder.finish(Duration::from_secs(2));
        assert_eq!(recorded, Recorded::Stored, "{leftover:?}");
        meanwhile += 1;
    }
    let (removed, store) = pruning.await.unwrap();
    assert_eq!(removed, 10);
    assert!(meanwhile > 1, "{meanwhile}");
    assert_eq!(counts(&store).await, (meanwhile, 2 * meanwhile, 2));
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

pub(super) async fn grep_finds_lines_of_all_runs(bed: Bed) {
    for text in [
        "one\nerror: 磁盘 full\n",
        "two\n",
        "error: again\nerror: twice\n",
    ] {
        let mut run = Run::begin(&bed, header("run", hosts(2))).await;
        run.ok(0, text.as_bytes()).await;
        run.host(1, b"", b"to stderr: ERROR\n", end(Outcome::Failed, Some(1)))
            .await;
        run.stored().await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let store = bed.store().await;
    let found = async |pattern: &str, filter: Filter| -> Vec<String> {
        let mut lines = Vec::new();
        store
            .grep(pattern, &filter, |hit| {
                let text = String::from_utf8(hit.text).unwrap();
                lines.push(format!("{}:{}:{}: {text}", hit.host, hit.stream, hit.line));
                true
            })
            .await
            .unwrap();
        lines
    };
    assert_eq!(
        found("^error", newest(9)).await,
        [
            "web01:stdout:1: error: again",
            "web01:stdout:2: error: twice",
            "web01:stdout:2: error: 磁盘 full",
        ]
    );
    assert_eq!(found("磁盘", newest(9)).await.len(), 1);
    assert_eq!(found("(?i)error", newest(1)).await.len(), 3);
    assert_eq!(found("(?i)error", newest(2)).await.len(), 4);
    let mut first = Vec::new();
    let only_one = |hit: ioms::store::Match| {
        first.push(hit.line);
        false
    };
    store.grep("error", &newest(9), only_one).await.unwrap();
    assert_eq!(first, [1]);
    let of_two = Filter {
        host: Some("web02".into()),
        ..newest(9)
    };
    assert_eq!(found("(?i)error", of_two).await.len(), 3);
    assert!(matches!(
        store.grep("(", &newest(9), |_| true).await,
        Err(StoreError::Regex(_))
    ));
}

pub(super) async fn grep_reads_large_records_and_outputs(bed: Bed) {
    // Lines over the borders of pieces, one of 10 MB, and more hosts than a page.
    let mut run = Run::begin(&bed, header("run", hosts(1203))).await;
    run.ok(0, "0123456789 line\n".repeat(200_000).as_bytes())
        .await;
    let mut long = vec![b'z'; 9_000_000];
    long.extend_from_slice(b"\nafter it\n");
    run.ok(1, &long).await;
    for ix in 2..1203 {
        run.ok(ix, b"small line\n").await;
    }
    run.stored().await;
    let store = bed.store().await;
    let found = async |pattern: &str| {
        let mut lines = Vec::new();
        let take = |hit: ioms::store::Match| {
            lines.push((hit.host, hit.line, hit.text.len()));
            true
        };
        store.grep(pattern, &newest(9), take).await.unwrap();
        lines
    };
    let all = found("line$").await;
    assert_eq!(all.len(), 200_000 + 1201);
    assert_eq!(all[199_999], ("web01".into(), 200_000, 15));
    assert_eq!(all[201_200], ("web1203".into(), 1, 10));
    assert_eq!(found("after it").await, [("web02".into(), 2, 8)]);
    let parts = found("^z").await;
    assert!(
        parts
            .iter()
            .all(|(_, line, length)| (*line, *length) == (1, 4096))
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

pub(super) async fn a_disk_that_fills_up_loses_nothing_where_the_database_answers(bed: Bed) {
    if ioms_fleet::left_out("a full disk", "root") {
        return;
    }
    let disk = SmallDisk::new(bed.data().join("small"), "128k");
    let mut run = Run::begin_at(bed.url.clone(), &disk.0, header("run", hosts(60))).await;
    let id = run.header.run.to_string();
    run.ok(0, b"before").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    disk.fill();
    for ix in 1..60 {
        run.ok(ix, &[b'y'; 400]).await;
    }
    let (recorded, leftover) = run.finish(None).await;
    assert_eq!(recorded, Recorded::Stored, "{leftover:?}");
    drop(leftover);
    let store = bed.store().await;
    let mut found = store.find_run(&id).await.unwrap();
    assert_eq!(found.outcome, "ok");
    let folder = tempfile::tempdir().unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    assert_eq!(results.len(), 60);
    assert!(
        results
            .iter()
            .all(|(_, result)| result.outcome == Outcome::Ok)
    );
    assert_eq!(results[59].1.stdout.read().unwrap(), &[b'y'; 400][..]);
    assert!(journals(&disk.0).is_empty());
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
