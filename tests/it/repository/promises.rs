//! What the repository promises, whatever keeps its record.

use std::sync::Arc;

use ioms::base::clock;
use ioms::base::digest::hex;
use ioms::base::id::RunId;
use ioms::repository::RepositoryError;
use serde_json::json;

use super::Bed;
use crate::support::Ran;

pub(super) async fn a_file_is_listed_with_its_digests_and_stored_once(bed: Bed) {
    bed.add("更新 文件.txt", "abc", &["--note", "第一"])
        .ends_with(0);
    bed.add("b.txt", "abc", &["--publish", "--version", "v1"])
        .ends_with(0);
    let mut listed = bed.json(&["list"]);
    for file in listed["files"].as_array_mut().unwrap() {
        let file = file.as_object_mut().unwrap();
        assert!(
            file.remove("added")
                .unwrap()
                .as_str()
                .unwrap()
                .ends_with('Z')
        );
        assert!(!file.remove("by").unwrap().as_str().unwrap().is_empty());
    }
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let expected = json!({ "files": [
        { "name": "b.txt", "version": "v1", "size": 3, "md5": md5, "sha256": sha256,
          "published": true, "note": null, "fetched": 0 },
        { "name": "更新 文件.txt", "version": "1", "size": 3, "md5": md5, "sha256": sha256,
          "published": false, "note": "第一", "fetched": 0 },
    ]});
    assert_eq!(listed, expected);
    let contents = bed.contents();
    assert_eq!(contents.len(), 1);
    assert!(contents[0].ends_with(format!("sha256/ba/{sha256}")));
    // It goes with the last that has it.
    bed.run(&["repo", "remove", "b.txt", "--yes"]).ends_with(0);
    assert_eq!(bed.contents().len(), 1);
    bed.run(&["repo", "verify", "--rehash"]).ends_with(0);
    bed.run(&["repo", "remove", "更新 文件.txt@1", "--yes"])
        .ends_with(0);
    assert_eq!((bed.contents().len(), bed.listed().len()), (0, 0));
    assert!(bed.incoming().is_empty());
}

pub(super) async fn only_what_is_published_is_handed_out(bed: Bed) {
    bed.add("game.zip", "one", &[]).ends_with(0);
    let repository = bed.repository().await;
    let refused = repository.resolve("game.zip").await.unwrap_err();
    assert!(
        matches!(refused, RepositoryError::Unpublished(_)),
        "{refused}"
    );
    assert!(
        refused
            .hint()
            .unwrap()
            .contains("iomsctl repo publish game.zip@1")
    );
    bed.run(&["repo", "publish", "game.zip"]).ends_with(0);
    let entry = repository.resolve("game.zip").await.unwrap();
    assert_eq!((entry.name.as_str(), entry.size), ("game.zip", 3));
    assert_eq!(std::fs::read(&entry.path).unwrap(), b"one");
    assert_eq!(hex(&entry.md5), "f97c5d29941bfb1b2fdab0874906ab82");
    // A newer one that is not published changes nothing; published, it is what the name means.
    bed.add("game.zip", "two", &[]).ends_with(0);
    assert_eq!(repository.resolve("game.zip").await.unwrap().version, "1");
    bed.run(&["repo", "publish", "game.zip"]).ends_with(0);
    assert_eq!(repository.resolve("game.zip").await.unwrap().version, "2");
    let elsewhere = repository.clone();
    let resolved = tokio::spawn(async move { elsewhere.resolve("game.zip@1").await });
    assert_eq!(resolved.await.unwrap().unwrap().version, "1");
    bed.run(&["repo", "unpublish", "game.zip"]).ends_with(0);
    assert_eq!(repository.resolve("game.zip").await.unwrap().version, "1");
    let refused = repository.resolve("game.zip@2").await.unwrap_err();
    assert!(
        matches!(refused, RepositoryError::Unpublished(_)),
        "{refused}"
    );
    let slip = repository.resolve("gmae.zip").await.unwrap_err();
    assert_eq!(slip.hint().unwrap(), "did you mean `game.zip`?");
    let slip = repository.resolve("game.zip@3").await.unwrap_err();
    assert_eq!(slip.hint().unwrap(), "there are: 2, 1");
}

pub(super) async fn versions_are_counted_on_and_no_content_is_overwritten(bed: Bed) {
    for content in ["one", "two"] {
        bed.add("a", content, &[]).ends_with(0);
    }
    // The same again is the same entry.
    let ran = bed.add("a", "two", &[]).ends_with(0);
    assert!(ran.stdout.contains("was there already"), "{ran:?}");
    bed.add("a", "one", &["--version", "1", "--publish"])
        .ends_with(0);
    let ran = bed.add("a", "three", &["--version", "1"]).ends_with(1);
    assert!(
        ran.stderr
            .contains("a@1 is there already, with other content"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("hint: "), "{ran:?}");
    bed.add("a", "ten", &["--version", "10"]).ends_with(0);
    bed.add("a", "old again", &[]).ends_with(0);
    assert_eq!(bed.listed(), ["a@11", "a@10", "a@2", "a@1"]);
    assert_eq!(bed.json(&["show", "a@1"])["published"], true);
    assert_eq!(bed.contents().len(), 4);
    // Which of several is removed has to be said.
    let ran = bed.run(&["repo", "remove", "a", "--yes"]).ends_with(1);
    assert!(
        ran.stderr.contains("several versions: 11, 10, 2, 1"),
        "{ran:?}"
    );
    let ran = bed.run(&["repo", "remove", "a@1", "a@2"]).ends_with(1);
    assert!(ran.stderr.contains("nothing was done"), "{ran:?}");
    bed.run(&["repo", "remove", "a@1", "a@2", "--yes"])
        .ends_with(0);
    assert_eq!(bed.listed(), ["a@11", "a@10"]);
    assert_eq!(bed.contents().len(), 2);
}

pub(super) async fn files_added_at_once_by_several_processes_are_all_there_whole(bed: Bed) {
    bed.json(&["list"]);
    let mut children = Vec::new();
    for n in 0..8 {
        let content = vec![b'a' + n; 1 << 20];
        let name = format!("sources/{n}");
        let file = bed.desk.file(&name, content);
        for more in [["--name", "many"], ["--version", "same"]] {
            let file = file.to_str().unwrap();
            let args = [&["repo", "add", file, "--publish"], &more[..]].concat();
            children.push(bed.command(&args));
        }
        let twin = bed.desk.file("sources/twin", "twin");
        let twin = ["repo", "add", twin.to_str().unwrap(), "--publish"];
        children.push(bed.command(&twin));
    }
    let children: Vec<_> = children
        .iter_mut()
        .map(|command| {
            use std::process::Stdio;
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        Ran::from(child.wait_with_output().unwrap()).ends_with(0);
    }
    let mut listed = bed.listed();
    listed.sort();
    let mut expected: Vec<String> = (0..8)
        .flat_map(|n| [format!("{n}@same"), format!("many@{}", n + 1)])
        .chain(["twin@1".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!((bed.contents().len(), bed.incoming().len()), (9, 0));
    let verified = bed.json(&["verify", "--rehash"]);
    for file in verified["files"].as_array().unwrap() {
        assert_eq!(
            (&file["state"], &file["published"]),
            (&"ok".into(), &true.into())
        );
    }
}

pub(super) async fn what_one_adds_another_may_remove_at_the_same_time(bed: Bed) {
    bed.json(&["list"]);
    let rounds = 8;
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let bed = &bed;
            scope.spawn(move || {
                for _ in 0..rounds {
                    bed.add(name, "the same", &["--publish"]).ends_with(0);
                    let verified = bed.run(&["repo", "verify", name, "--rehash"]);
                    verified.ends_with(0);
                    bed.run(&["repo", "remove", name, "--yes"]).ends_with(0);
                }
            });
        }
    });
    assert!(bed.listed().is_empty());
    assert!(bed.contents().is_empty() && bed.incoming().is_empty());
}

pub(super) async fn who_was_given_a_file_is_on_record(bed: Bed) {
    bed.add("game.zip", "one", &["--publish"]).ends_with(0);
    let repository = bed.repository().await;
    let entry = repository.resolve("game.zip").await.unwrap();
    let hosts: Vec<Arc<str>> = (0..1201).map(|n| format!("web{n:04}").into()).collect();
    let (first, second) = (RunId::new(), RunId::new());
    let record = async |run, hosts: &[Arc<str>], by| {
        let at = clock::now();
        repository
            .record_fetched(&entry, run, hosts, by, at)
            .await
            .unwrap();
    };
    record(first, &hosts, "ops").await;
    record(first, &hosts[..3], "ops").await;
    record(second, &hosts[..1], "值班").await;
    record(second, &[], "ops").await;
    let shown = bed.json(&["show", "game.zip"]);
    assert_eq!(shown["fetched"], 1201);
    let fetches = shown["fetches"].as_array().unwrap();
    assert_eq!(fetches.len(), 1202);
    let newest = &fetches[0];
    assert_eq!(
        (&newest["host"], &newest["by"], &newest["run"]),
        (
            &"web0000".into(),
            &"值班".into(),
            &second.to_string().into()
        )
    );
    // Another file of the same name starts anew.
    bed.run(&["repo", "remove", "game.zip", "--yes"])
        .ends_with(0);
    bed.add("game.zip", "one", &["--publish"]).ends_with(0);
    assert_eq!(bed.json(&["list"])["files"][0]["fetched"], 0);
}
