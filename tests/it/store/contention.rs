//! Databases of which others hold what a prune or a replay wants.

use super::*;

/// The connection that has got what it is to hold, once it has.
fn holder(server: &MariaDb) -> String {
    let holder = || {
        server
            .sql("SELECT IFNULL(IS_USED_LOCK('ready'), '')")
            .unwrap()
    };
    wait_until("the other one is ready", || holder() != "\n");
    holder().trim().to_owned()
}

/// Prunes the only run there is while another one holds what it wants, and finds nothing of it left.
async fn prunes_beside(bed: &Bed, other: &str) {
    let store = bed.store().await;
    std::thread::scope(|scope| {
        let server = bed.server.as_ref().unwrap();
        let other = scope.spawn(move || server.sql(other).unwrap());
        holder(server);
        let pruned = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(store.prune(clock::now()))
        });
        assert_eq!(pruned.unwrap(), 1);
        other.join().unwrap();
    });
    assert_eq!(counts(&store).await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_that_is_in_anothers_way_is_done_all_the_same() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let mut run = Run::begin(&bed, header("run", hosts(2))).await;
    run.ok(0, b"said").await;
    run.ok(1, b"said").await;
    run.stored().await;
    // Has the run's row and wants its hosts', of which the prune has some and wants the run's; and has
    // done so much that the prune is what the database takes back.
    let other = "
USE ioms;
DELIMITER //
BEGIN NOT ATOMIC
    START TRANSACTION;
    INSERT INTO facts SELECT seq, 'much', '1', 1, 9000000000000 FROM seq_1_to_1000;
    SELECT COUNT(*) FROM runs FOR UPDATE;
    DO GET_LOCK('ready', 0);
    WHILE NOT EXISTS (SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT') DO
        DO SLEEP(0.15);
    END WHILE;
    UPDATE run_hosts SET attempts = 2;
    COMMIT;
END//
";
    prunes_beside(&bed, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_that_has_waited_for_another_in_vain_tries_again() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    let mut run = Run::begin(&bed, header("run", hosts(1))).await;
    run.ok(0, b"said").await;
    run.stored().await;
    let server = bed.server.as_ref().unwrap();
    server
        .sql("SET GLOBAL innodb_lock_wait_timeout = 1; SET GLOBAL innodb_monitor_enable = 'lock_timeouts'")
        .unwrap();
    // Has the run's row until somebody has given up waiting for it.
    let other = "
USE ioms;
DELIMITER //
BEGIN NOT ATOMIC
    START TRANSACTION;
    SELECT COUNT(*) FROM runs FOR UPDATE;
    DO GET_LOCK('ready', 0);
    WHILE NOT EXISTS (SELECT 1 FROM information_schema.innodb_metrics WHERE name = 'lock_timeouts' AND count > 0) DO
        DO SLEEP(0.1);
    END WHILE;
    COMMIT;
END//
";
    prunes_beside(&bed, other).await;
}

/// A short run beside what others have left behind: which journal is too slow for it.
fn run_beside(bed: &Bed) -> Option<std::path::PathBuf> {
    let run = async {
        let mut run = Run::begin(bed, header("run", hosts(1))).await;
        run.ok(0, b"said").await;
        run.say_over(None).await;
        drop(run.emitter);
        run.consumers.join().unwrap();
        let (recorded, leftover) = run.recorder.finish(Duration::from_secs(3));
        assert_eq!(recorded, Recorded::Stored);
        leftover.slow.clone()
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(run))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_takes_longer_than_a_run_waits_is_named_once_and_left_to_a_replay() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    left_behind(&bed, 3).await;
    let slow = journals(bed.data()).remove(0);
    let server = bed.server.as_ref().unwrap();
    // Somebody has a row of that run in hands.
    let other = format!(
        "USE ioms; START TRANSACTION; INSERT INTO runs (run, verb, pattern, user_name, from_where, options, no_log, hosts, started, journal_offset) VALUES ('{}', '', '', '', '', '{{}}', 0, 0, 0, 0); DO GET_LOCK('ready', 0); DO SLEEP(600);",
        slow.file_name().unwrap().display()
    );
    std::thread::scope(|scope| {
        scope.spawn(move || server.sql(&other));
        let holder = holder(server);
        let said = [0, 1].map(|_| run_beside(&bed));
        server.sql(&format!("KILL {holder}")).unwrap();
        assert_eq!(said, [Some(slow.clone()), None]);
    });
    let store = bed.store().await;
    assert_eq!(replay(&store, bed.data()).await.unwrap().stored, 1);
    assert_eq!(counts(&store).await.1, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_gets_on_is_gone_on_with_until_a_run_brings_in_nothing_of_it() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let bed = Bed::mariadb().await;
    left_behind(&bed, 600).await;
    let slow = journals(bed.data()).remove(0);
    let server = bed.server.as_ref().unwrap();
    // Somebody has what the last of its hosts has said in hands.
    let other = "USE ioms; START TRANSACTION; INSERT INTO outputs VALUES (SHA2('line of 599', 256), 0, ''); DO GET_LOCK('ready', 0); DO SLEEP(600);";
    std::thread::scope(|scope| {
        scope.spawn(move || server.sql(other));
        let holder = holder(server);
        let said = [0, 1].map(|_| run_beside(&bed));
        server.sql(&format!("KILL {holder}")).unwrap();
        assert_eq!(said, [None, Some(slow.clone())]);
    });
    let store = bed.store().await;
    assert_eq!(replay(&store, bed.data()).await.unwrap().stored, 1);
    assert_eq!(counts(&store).await.1, 602);
}
