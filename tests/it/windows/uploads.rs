//! `upload` and `download` to Windows' own paths, in Wine.

use ioms_fleet::windows::{Language, Need, Tier, Windows, lacks};
use serde_json::Value;

use super::bed::{Bed, came_out, said};
use crate::support::only;

const NEEDS: [Need; 3] = [Need::Server, Need::Wine, Need::PowershellForWine];

fn upload(bed: &Bed, args: &[&str]) -> Value {
    let fixed = ["upload", "-g", "all"];
    only(&bed.desk.json(&[&fixed, args].concat())).clone()
}

/// What was done with a file.
#[track_caller]
fn action<'a>(host: &'a Value, target: &str) -> &'a str {
    let mut files = host["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["target"] == target);
    file.unwrap_or_else(|| panic!("{target}: {host}"))["action"]
        .as_str()
        .unwrap()
}

#[test]
fn files_and_folders_go_to_paths_of_windows_and_come_back_and_nothing_moves_twice() {
    if lacks("uploads to Windows' own paths", &NEEDS) {
        return;
    }
    let windows = Windows::builder().tier(Tier::Wine(Language::Zh));
    let bed = Bed::of(windows.start().unwrap(), 1, "");
    bed.desk.file("公告 1.txt", "第一\r\n");
    bed.desk.file("树/子 目录/a.txt", "a");
    bed.desk.file("树/b.txt", "b");
    let args = ["--mkdir", "公告 1.txt", "树", r"C:\更新 文件\"];
    let notice = r"C:\更新 文件\公告 1.txt";
    let host = upload(&bed, &args);
    assert_eq!(came_out(&host), ("changed", ""), "{host}");
    let drive = bed.windows.drive_c().unwrap().join("更新 文件");
    let read = |name: &str| std::fs::read(drive.join(name)).unwrap();
    assert_eq!(read("公告 1.txt"), "第一\r\n".as_bytes());
    assert_eq!(read("树/子 目录/a.txt"), b"a");
    assert_eq!(action(&host, notice), "sent");
    let host = upload(&bed, &args);
    assert_eq!(came_out(&host), ("ok", ""), "{host}");
    assert_eq!(action(&host, notice), "kept");

    for (source, landed) in [
        (notice, "公告 1.txt"),
        (r"c:/更新 文件/树", "树/子 目录/a.txt"),
    ] {
        let args = ["download", "-g", "all", source, "back"];
        let document = bed.desk.json(&args);
        assert_eq!(came_out(only(&document)), ("changed", ""), "{document}");
        let landed = bed.desk.dir.path().join("back/win01").join(landed);
        assert!(landed.exists(), "{}", landed.display());
        let document = bed.desk.json(&args);
        assert_eq!(came_out(only(&document)), ("ok", ""), "{document}");
    }
    let back = bed.desk.dir.path().join("back/win01/公告 1.txt");
    assert_eq!(std::fs::read(back).unwrap(), "第一\r\n".as_bytes());
    bed.is_clean();
}

#[test]
fn names_that_windows_cant_have_are_refused_before_anything_is_sent() {
    if lacks(
        "names that Windows can't have",
        &[Need::Server, Need::Powershell],
    ) {
        return;
    }
    let bed = Bed::of(Windows::start().unwrap(), 1, "");
    let there = bed.windows.dir().join("there");
    std::fs::create_dir(&there).unwrap();
    let dest = format!("{}/", there.display());
    for (name, says) in [
        ("a:b", "':'"),
        ("con", "device"),
        ("trailing.", "dot or a space"),
        ("Aux.txt", "device"),
    ] {
        bed.desk.file(&format!("tree {says}/good"), "1");
        bed.desk.file(&format!("tree {says}/{name}"), "1");
        bed.desk.file(name, "1");
        for source in [name, &format!("tree {says}/")] {
            let host = upload(&bed, &[source, &dest]);
            assert_eq!(came_out(&host).0, "failed", "{name}: {host}");
            let said = said(&host);
            assert!(said.contains(name) && said.contains(says), "{name}: {said}");
        }
    }
    assert_eq!(crate::upload::bed::names(&there), [""; 0]);
}
