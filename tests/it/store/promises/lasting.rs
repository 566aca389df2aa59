//! What was left behind is brought in, what is old goes.

use super::super::*;

pub(in crate::store) async fn a_dead_controllers_run_is_completed(bed: Bed) {
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

pub(in crate::store) async fn a_run_is_stored_and_what_earlier_ones_have_left_beside_it(bed: Bed) {
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

pub(in crate::store) async fn a_replay_cut_short_brings_no_line_twice(bed: Bed) {
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

pub(in crate::store) async fn what_is_old_is_pruned_with_its_outputs(bed: Bed) {
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

pub(in crate::store) async fn a_large_prune_holds_up_no_run(bed: Bed) {
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

pub(in crate::store) async fn a_disk_that_fills_up_loses_nothing_where_the_database_answers(
    bed: Bed,
) {
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
