//! Runs and lines of their outputs are found again.

use super::super::*;

pub(in crate::store) async fn a_list_is_filtered_and_newest_first(bed: Bed) {
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

pub(in crate::store) async fn grep_finds_lines_of_all_runs(bed: Bed) {
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

pub(in crate::store) async fn grep_reads_large_records_and_outputs(bed: Bed) {
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
