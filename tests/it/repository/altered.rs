//! Contents that somebody altered, replaced or took away are found and never handed out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use ioms::repository::RepositoryError;

use super::Bed;

/// A bed with one published file, and where its content is.
fn with_one() -> (Bed, std::path::PathBuf) {
    let bed = Bed::sqlite();
    bed.add("game.zip", "content", &["--publish"]).ends_with(0);
    let content = bed.contents().remove(0);
    (bed, content)
}

/// The state and whether it is still published, after `repo verify`.
#[track_caller]
fn verified(bed: &Bed, more: &[&str], status: i32) -> (String, bool) {
    let args = [&["repo", "verify", "--output", "json"], more].concat();
    let ran = bed.run(&args).ends_with(status);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let file = &document["files"][0];
    (
        file["state"].as_str().unwrap().to_owned(),
        file["published"].as_bool().unwrap(),
    )
}

async fn refusal(bed: &Bed) -> RepositoryError {
    bed.repository()
        .await
        .resolve("game.zip@1")
        .await
        .unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_content_is_refused_unpublished_and_put_right_by_adding_it_again() {
    let (bed, content) = with_one();
    assert_eq!(verified(&bed, &[], 0), ("ok".into(), true));
    fs::write(&content, "CONTENT").unwrap();
    // Refused even before anybody has verified it.
    let refused = refusal(&bed).await;
    assert!(
        matches!(refused, RepositoryError::Altered { .. }),
        "{refused}"
    );
    assert_eq!(verified(&bed, &[], 2), ("altered".into(), false));
    let ran = bed.run(&["repo", "publish", "game.zip"]).ends_with(1);
    assert!(
        ran.stderr.contains("is not what was added: its SHA-256 is"),
        "{ran:?}"
    );
    let refused = refusal(&bed).await;
    assert!(
        matches!(refused, RepositoryError::Unpublished(_)),
        "{refused}"
    );
    bed.add("game.zip", "content", &["--publish"]).ends_with(0);
    assert_eq!(verified(&bed, &["--rehash"], 0), ("ok".into(), true));
    bed.repository().await.resolve("game.zip").await.unwrap();
}

#[test]
fn an_alteration_that_hides_is_found_by_rehashing() {
    let (bed, content) = with_one();
    let before = fs::metadata(&content).unwrap().modified().unwrap();
    fs::write(&content, "CONTENT").unwrap();
    let file = fs::File::options().write(true).open(&content).unwrap();
    file.set_modified(before).unwrap();
    assert_eq!(verified(&bed, &[], 0), ("ok".into(), true));
    assert_eq!(
        verified(&bed, &["game.zip", "--rehash"], 2),
        ("altered".into(), false)
    );
}

#[test]
fn a_content_that_was_cut_or_only_touched_is_told_apart_without_rehashing() {
    let (bed, content) = with_one();
    fs::write(&content, "content").unwrap();
    assert_eq!(verified(&bed, &[], 0), ("ok".into(), true));
    let ran = {
        fs::write(&content, "cont").unwrap();
        bed.run(&["repo", "verify"]).ends_with(2)
    };
    assert!(
        ran.stdout
            .contains("it has 4 bytes instead of 7; no longer published"),
        "{ran:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_content_is_said_and_refused() {
    let (bed, content) = with_one();
    fs::remove_file(&content).unwrap();
    assert_eq!(verified(&bed, &[], 2).0, "missing");
    let refused = refusal(&bed).await;
    assert!(matches!(refused, RepositoryError::Missing(_)), "{refused}");
    fs::remove_dir_all(bed.data().join("repository")).unwrap();
    assert_eq!(verified(&bed, &["--rehash"], 2).0, "missing");
    // Nothing is in the way of removing it.
    bed.run(&["repo", "remove", "game.zip", "--yes"])
        .ends_with(0);
    assert!(bed.listed().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_contents_place_is_never_followed() {
    let replace: [fn(&Path, &Path); 6] = [
        |content, _| {
            fs::remove_file(content).unwrap();
            fs::create_dir(content).unwrap();
        },
        // A link to the very same content.
        |content, elsewhere| {
            fs::rename(content, elsewhere).unwrap();
            symlink(elsewhere, content).unwrap();
        },
        |content, _| {
            fs::remove_file(content).unwrap();
            symlink("/etc/passwd", content).unwrap();
        },
        // Its folder, and the folder of all.
        |content, elsewhere| {
            let folder = content.parent().unwrap();
            fs::rename(folder, elsewhere).unwrap();
            symlink(elsewhere, folder).unwrap();
        },
        |content, elsewhere| {
            let all = content.ancestors().nth(2).unwrap();
            fs::rename(all, elsewhere).unwrap();
            symlink(elsewhere, all).unwrap();
        },
        |content, _| {
            fs::remove_file(content).unwrap();
            let made = std::process::Command::new("mkfifo").arg(content).status();
            assert!(made.unwrap().success());
        },
    ];
    for (number, replace) in replace.into_iter().enumerate() {
        let (bed, content) = with_one();
        let elsewhere = bed.desk.dir.path().join("elsewhere");
        replace(&content, &elsewhere);
        let refused = refusal(&bed).await;
        assert!(
            matches!(refused, RepositoryError::Altered { .. }),
            "{number}: {refused}"
        );
        let entry = bed.repository().await.find("game.zip").await.unwrap();
        assert!(bed.repository().await.content(&entry).is_err(), "{number}");
        assert_eq!(
            verified(&bed, &["--rehash"], 2),
            ("altered".into(), false),
            "{number}"
        );
        bed.run(&["repo", "publish", "game.zip"]).ends_with(1);
        // Nor is it in anybody's way.
        bed.run(&["repo", "remove", "game.zip", "--yes"])
            .ends_with(0);
        bed.add("other", "other content", &[]);
        assert!(bed.incoming().is_empty(), "{number}");
    }
}

#[test]
fn a_link_in_a_contents_place_is_replaced_and_removed_itself() {
    let (bed, content) = with_one();
    let precious = bed.desk.file("precious", "precious");
    for again in ["add", "remove"] {
        fs::remove_file(&content).unwrap();
        symlink(&precious, &content).unwrap();
        if again == "add" {
            bed.add("game.zip", "content", &[]).ends_with(0);
            assert!(fs::symlink_metadata(&content).unwrap().is_file());
        } else {
            bed.run(&["repo", "remove", "game.zip", "--yes"])
                .ends_with(0);
            assert!(fs::symlink_metadata(&content).is_err());
        }
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
    }
}
