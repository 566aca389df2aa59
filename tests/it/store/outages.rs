//! Databases that are away, frozen, too new or too small, and disks that are full.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_dies_in_the_middle_gets_the_rest_when_it_is_back() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let mut run = Run::begin(&bed, header("run", hosts(20))).await;
    for ix in 0..10 {
        run.ok(ix, b"before").await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    bed.server.as_ref().unwrap().crash();
    for ix in 10..20 {
        run.ok(ix, b"while it is away").await;
    }
    let (recorded, leftover) = run.finish(None).await;
    assert_eq!(recorded, Recorded::Spooled);
    let why = leftover
        .why
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(why.contains("127.0.0.1"), "{why}");
    drop(leftover);
    bed.server.as_ref().unwrap().start_again().unwrap();
    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 0));
    assert_eq!(counts(&store).await, (1, 20, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_holds_no_run_up() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let mut run = Run::begin(&bed, header("run", hosts(3))).await;
    run.ok(0, b"before").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bed.server.as_ref().unwrap().freeze().unwrap();
    run.ok(1, b"frozen").await;
    run.ok(2, b"frozen").await;
    run.say_over(None).await;
    drop(run.emitter);
    run.consumers.join().unwrap();
    let began = Instant::now();
    let (recorded, leftover) = run.recorder.finish(Duration::from_secs(2));
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(recorded, Recorded::Spooled);
    drop(leftover);
    bed.server.as_ref().unwrap().thaw().unwrap();
    let store = bed.store().await;
    replay(&store, bed.data()).await.unwrap();
    assert_eq!(counts(&store).await, (1, 3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_is_migrated_by_its_verb_alone() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let server = MariaDb::start().unwrap();
    let url = DatabaseUrl::parse(&server.database("fresh").unwrap()).unwrap();
    assert!(matches!(
        Store::open(&url).await,
        Err(StoreError::NotMigrated { .. })
    ));
    let store = Store::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.version().await.unwrap(), 6);
    Store::open(&url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_by_name() {
    let bed = Bed::sqlite();
    bed.store().await.close().await;
    let status = std::process::Command::new("python3")
        .args(["-c", "import sqlite3,sys; db=sqlite3.connect(sys.argv[1]); db.execute(\"INSERT INTO _sqlx_migrations SELECT 99, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1\"); db.commit()"])
        .arg(bed.data().join("ioms.db"))
        .status()
        .unwrap();
    assert!(status.success());
    assert!(matches!(
        Store::open(&bed.url).await,
        Err(StoreError::Newer {
            found: 99,
            known: 6,
            ..
        })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cant_be_read_is_set_aside_and_named() {
    let bed = Bed::sqlite();
    let folder = bed.data().join("journal").join(RunId::new().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("events.jsonl"), "not json\n").unwrap();
    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!(replayed.broken.len(), 1);
    assert!(replayed.broken[0].exists(), "nothing is thrown away");
    assert_eq!(
        replay(&store, bed.data()).await.unwrap(),
        ioms::store::Replayed::default()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_for_a_while_leaves_a_whole_journal() {
    if ioms_fleet::left_out("a full disk", "root") {
        return;
    }
    let bed = Bed::sqlite();
    let disk = SmallDisk::new(bed.data().join("small"), "128k");
    let away = DatabaseUrl::parse("mysql://root@127.0.0.1:1/nowhere").unwrap();
    let mut run = Run::begin_at(away, &disk.0, header("run", hosts(30))).await;
    disk.fill();
    for ix in 0..30 {
        run.ok(ix, &[b'y'; 400]).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::remove_file(disk.filler()).unwrap();
    let (recorded, leftover) = run.finish(None).await;
    assert_eq!(recorded, Recorded::Spooled, "{leftover:?}");
    drop(leftover);
    let store = bed.store().await;
    let replayed = replay(&store, &disk.0).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 0));
    assert_eq!(counts(&store).await, (1, 30, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_not_whole_says_nothing_of_hosts_that_it_does_not_know() {
    if ioms_fleet::left_out("a full disk", "root") {
        return;
    }
    let bed = Bed::sqlite();
    let disk = SmallDisk::new(bed.data().join("small"), "128k");
    let away = DatabaseUrl::parse("mysql://root@127.0.0.1:1/nowhere").unwrap();
    let mut run = Run::begin_at(away, &disk.0, header("run", hosts(30))).await;
    let id = run.header.run.to_string();
    run.ok(0, b"before").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    disk.fill();
    for ix in 1..30 {
        run.ok(ix, &[b'y'; 400]).await;
    }
    let (recorded, leftover) = run.finish(None).await;
    assert_eq!(recorded, Recorded::Lost, "{leftover:?}");
    let (aside, why) = leftover.lost.clone().unwrap();
    assert!(why.contains("No space left"), "{why}");
    drop(leftover);
    assert!(aside.join("events.jsonl").is_file());
    assert!(journals(&disk.0).is_empty());
    let store = bed.store().await;
    let replayed = replay(&store, &disk.0).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 0));
    assert!(!aside.exists());
    let found = store.find_run(&id).await.unwrap();
    assert_eq!(found.outcome, "interrupted");
    let summary = found.end.unwrap().summary;
    assert_eq!(
        (summary.total, summary.failed, summary.cancelled),
        (30, 0, 0)
    );
    let failed = store.hosts_of(found.header.run, Which::Failed).await;
    assert!(failed.unwrap().is_empty());
    let ok = store.hosts_of(found.header.run, Which::Ok).await.unwrap();
    assert!(summary.ok == ok.len() && (1..30).contains(&ok.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_fit_the_servers_packets_and_one_refused_journal_holds_up_no_other() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let server = bed.server.as_ref().unwrap();
    let packet = |size: &str| {
        let set = format!("SET GLOBAL max_allowed_packet = {size}");
        server.sql(&set).unwrap();
    };
    packet("4 * 1024 * 1024");
    let mut run = Run::begin(&bed, header("run", hosts(3))).await;
    for ix in 0..3 {
        run.ok(ix, &noise(u64::from(ix), 9_000_000)).await;
    }
    run.stored().await;

    // No piece of this fits any more; the run after it does.
    packet("1024 * 1024");
    let mut refused = Run::begin(&bed, header("run", hosts(1))).await;
    refused.ok(0, &noise(7, 3_000_000)).await;
    refused.say_over(None).await;
    drop(refused.emitter);
    refused.consumers.join().unwrap();
    let (recorded, leftover) = refused.recorder.finish(Duration::from_millis(500));
    assert_eq!(recorded, Recorded::Spooled);
    let why = leftover.why.as_ref().map(ToString::to_string);
    assert!(why.unwrap().contains("max_allowed_packet"));
    drop(leftover);
    let away = DatabaseUrl::parse("mysql://root@127.0.0.1:1/nowhere").unwrap();
    let mut later = Run::begin_at(away, bed.data(), header("run", hosts(1))).await;
    later.ok(0, b"fits").await;
    let (recorded, leftover) = later.finish(None).await;
    assert_eq!(recorded, Recorded::Spooled);
    drop(leftover);
    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!((replayed.stored, replayed.refused.len()), (1, 1));
    store.close().await;

    packet("4 * 1024 * 1024");
    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 0));
    assert_eq!(counts(&store).await.0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_over_the_servers_packets_are_left_out_and_their_run_is_on_record() {
    use ioms::event::{Event, FactsOf, PlayEvent, TaskResult, TaskStatus};
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let server = bed.server.as_ref().unwrap();
    server
        .sql("SET GLOBAL max_allowed_packet = 1024 * 1024")
        .unwrap();
    let run = Run::begin(&bed, header("play", hosts(1))).await;
    let host = run.header.hosts[0].clone();
    let said = |result: serde_json::Value| {
        let said = TaskResult {
            task: 0,
            host: host.clone(),
            delegated: None,
            status: TaskStatus::Ok,
            ignored: false,
            label: None,
            result: std::sync::Arc::new(result.as_object().unwrap().clone()),
            error: None,
            facts: vec![FactsOf {
                hosts: [host.clone()].into(),
                item: None,
                gathered: false,
            }],
            started: jiff::Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
        };
        Event::Play(PlayEvent::TaskFinished(std::sync::Arc::new(said)))
    };
    let facts = serde_json::json!({"large": "x".repeat(1_040_000), "small": "y"});
    let large = said(serde_json::json!({"ansible_facts": facts}));
    run.emitter.emit(large).await;
    run.stored().await;
    let store = bed.store().await;
    let since = jiff::Timestamp::UNIX_EPOCH;
    let facts = store
        .facts_since(std::slice::from_ref(&host), &["fact"], since)
        .await
        .unwrap();
    let names: Vec<&str> = facts.iter().map(|fact| fact.name.as_str()).collect();
    assert_eq!(names, ["fact.small"]);

    // A result that doesn't fit waits, and says what for.
    let refused = Run::begin(&bed, header("play", hosts(1))).await;
    let text: String = noise(7, 3_000_000)
        .iter()
        .map(|byte| char::from(b' ' + byte % 64))
        .collect();
    let large = said(serde_json::json!({"stdout": text}));
    refused.emitter.emit(large).await;
    let (recorded, leftover) = refused.finish(None).await;
    assert_eq!(recorded, Recorded::Spooled);
    let why = leftover.why.as_ref().map(ToString::to_string).unwrap();
    assert!(
        why.contains("what came of a task") && why.contains("max_allowed_packet to 3M"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_files_over_the_servers_packets_waits_in_the_journal_whole() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let server = bed.server.as_ref().unwrap();
    let packet = |size: &str| {
        let set = format!("SET GLOBAL max_allowed_packet = {size}");
        server.sql(&set).unwrap();
    };
    packet("2 * 1024 * 1024");
    let files: Vec<FileRecord> = (0..12_000).map(file).collect();
    let mut run = Run::begin(&bed, header("upload", hosts(2))).await;
    let id = run.header.run.to_string();
    for (ix, files) in [(0, files.clone()), (1, vec![file(1)])] {
        let end = HostEnd {
            files,
            ..end(Outcome::Changed, None)
        };
        run.host(ix, b"", b"", end).await;
    }
    run.say_over(None).await;
    drop(run.emitter);
    run.consumers.join().unwrap();
    let (recorded, leftover) = run.recorder.finish(Duration::from_millis(500));
    assert_eq!(recorded, Recorded::Spooled);
    let why = leftover.why.as_ref().map(ToString::to_string).unwrap();
    assert!(
        why.contains("a host's list of files") && why.contains("max_allowed_packet to 4M"),
        "{why}"
    );
    drop(leftover);

    packet("4 * 1024 * 1024");
    let store = bed.store().await;
    let replayed = replay(&store, bed.data()).await.unwrap();
    assert_eq!((replayed.stored, replayed.lost), (1, 0));
    let folder = tempfile::tempdir().unwrap();
    let mut found = store.find_run(&id).await.unwrap();
    let results = store.results(&mut found, folder.path()).await.unwrap();
    assert!(results[0].1.files == files);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_on_a_disk_that_was_full_takes_the_record_when_there_is_room() {
    if ioms_fleet::left_out("a full disk", "root") {
        return;
    }
    let bed = Bed::sqlite();
    let disk = SmallDisk::new(bed.data().join("small"), "512k");
    let url = DatabaseUrl::in_folder(&disk.0);
    let mut run = Run::begin_at(url.clone(), bed.data(), header("run", hosts(40))).await;
    run.ok(0, b"before").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    disk.fill();
    for ix in 1..40 {
        run.ok(ix, &noise(u64::from(ix), 4000)).await;
    }
    // Several attempts fail, on each connection.
    tokio::time::sleep(Duration::from_secs(6)).await;
    std::fs::remove_file(disk.filler()).unwrap();
    run.stored().await;
    let store = Store::open(&url).await.unwrap();
    assert_eq!(counts(&store).await, (1, 40, 40));
    store.close().await;
}
