//! What is collected of what was given: names, links, patterns.

use std::os::unix::fs::symlink;

use super::*;

fn names(collected: &Collected) -> Vec<String> {
    let name = |entry: &Entry| String::from_utf8_lossy(&entry.name).into_owned();
    collected.entries.iter().map(name).collect()
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    std::fs::create_dir_all(root.join("css")).unwrap();
    std::fs::write(root.join("index.html"), "hello").unwrap();
    std::fs::write(root.join("css/中 文.css"), "x").unwrap();
    std::fs::write(root.join(".hidden"), "h").unwrap();
    symlink("css/中 文.css", root.join("style")).unwrap();
    folder
}

fn path(folder: &tempfile::TempDir, below: &str) -> Given {
    Given::Path(folder.path().join(below))
}

#[test]
fn a_folder_goes_under_its_name_and_its_content_without() {
    let folder = tree();
    let whole = collect(&[path(&folder, "site")], false, 1).unwrap();
    assert_eq!(whole.name.as_deref(), Some(b"site".as_slice()));
    assert_eq!(
        names(&whole),
        ["", ".hidden", "css", "css/中 文.css", "index.html", "style"]
    );
    let content = collect(&[path(&folder, "site/")], false, 1).unwrap();
    assert_eq!(content.name, None);
    assert_eq!(names(&content), names(&whole));
    let link = content.entries.last().unwrap();
    assert!(matches!(&link.kind, EntryKind::Link(to) if to.as_str() == Some("css/中 文.css")));
}

#[test]
fn several_sources_go_below_their_names_and_not_onto_one_another() {
    let folder = tree();
    let both = [path(&folder, "site/index.html"), path(&folder, "site/css")];
    let both = collect(&both, false, 1).unwrap();
    assert_eq!(both.name, None);
    assert_eq!(names(&both), ["index.html", "css", "css/中 文.css"]);
    let twice = [
        path(&folder, "site/index.html"),
        path(&folder, "site/index.html"),
    ];
    assert!(matches!(
        collect(&twice, false, 1),
        Err(SourceError::Twice(..))
    ));
}

#[test]
fn patterns_stand_for_what_they_match_but_for_hidden_names() {
    let folder = tree();
    let all = collect(&[path(&folder, "site/*")], false, 1).unwrap();
    assert_eq!(names(&all), ["css", "css/中 文.css", "index.html", "style"]);
    let one = collect(&[path(&folder, "si*/ind?x.html")], false, 1).unwrap();
    assert_eq!(
        (names(&one), one.name.unwrap()),
        (vec![String::new()], b"index.html".to_vec())
    );
    let none = collect(&[path(&folder, "site/*.zip")], false, 1);
    assert!(matches!(none, Err(SourceError::Missing(_))));
}

#[test]
fn links_that_lead_out_are_refused_and_followed_on_request() {
    let folder = tree();
    std::fs::write(folder.path().join("secret"), "s").unwrap();
    let link = folder.path().join("site/css/out");
    symlink("../../secret", &link).unwrap();
    let refused = collect(&[path(&folder, "site")], false, 1);
    assert!(matches!(refused, Err(SourceError::Leaves(path)) if path == link));
    let followed = collect(&[path(&folder, "site")], true, 1).unwrap();
    assert!(
        followed
            .entries
            .iter()
            .all(|entry| !matches!(entry.kind, EntryKind::Link(_)))
    );
    std::fs::remove_file(&link).unwrap();
    symlink("/etc/passwd", &link).unwrap();
    assert!(matches!(
        collect(&[path(&folder, "site")], false, 1),
        Err(SourceError::Leaves(_))
    ));
}
