//! Hosts of WinRM fetch with .NET, above 4M by themselves.

use ioms_fleet::windows::{Need, Windows, lacks};
use serde_json::Value;

use super::bed::Door;
use super::{file, went};
use crate::support::{Desk, Ran, only, signal, wait_until};
use crate::upload::bed::{names, noise};

struct Host {
    desk: Desk,
    windows: Windows,
}

impl Host {
    fn new() -> Option<Self> {
        if lacks(
            "fetching by hosts of WinRM",
            &[Need::Server, Need::Powershell],
        ) {
            return None;
        }
        let windows = Windows::start().unwrap();
        let desk = Desk::with(&windows.inventory(1, ""));
        desk.file("新 large", noise(5 << 20));
        desk.file("middle", noise(3 << 20));
        std::fs::create_dir(windows.dir().join("更新")).unwrap();
        Some(Self { desk, windows })
    }

    fn there(&self) -> std::path::PathBuf {
        self.windows.dir().join("更新")
    }

    fn upload(&self, door: &Door, args: &[&str]) -> Value {
        let dest = format!("{}/", self.there().display());
        let fixed = ["--output", "json", "upload", "-g", "all"];
        let mut command = self.desk.command(&[&fixed, args, &[&dest]].concat());
        door.open(&mut command);
        let ran = Ran::of(command);
        let document = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        only(&document).clone()
    }
}

#[test]
fn above_4m_they_fetch_by_themselves() {
    let Some(host) = Host::new() else { return };
    for door in [Door::tls(), Door::plain()] {
        let large = host.upload(&door, &["新 large"]);
        assert_eq!(went(&large), ("sent", "pull"), "{large}");
        assert!(file(&large)["sha256"].is_string(), "{large}");
        assert!(std::fs::read(host.there().join("新 large")).unwrap() == noise(5 << 20));
        assert_eq!(names(&host.there()), ["新 large"]);
        let again = host.upload(&door, &["新 large"]);
        assert_eq!(again["outcome"], "ok", "{again}");
        std::fs::remove_file(host.there().join("新 large")).unwrap();
    }
    let door = Door::tls();
    let middle = host.upload(&door, &["middle"]);
    assert_eq!(went(&middle), ("sent", "winrm"), "{middle}");
    std::fs::remove_file(host.there().join("middle")).unwrap();
    let middle = host.upload(&door, &["--via", "pull", "middle"]);
    assert_eq!(went(&middle), ("sent", "pull"), "{middle}");
    assert!(door.is_closed());
}

#[test]
fn those_that_do_not_get_here_are_sent_it_or_fail_by_name() {
    let Some(host) = Host::new() else { return };
    let door = Door::tls().nowhere();
    let failed = host.upload(&door, &["--via", "pull", "新 large"]);
    assert_eq!(failed["outcome"], "failed", "{failed}");
    let hint = failed["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("does the host reach pull.url?"), "{failed}");
    let said = failed["error"]["message"].as_str().unwrap();
    assert!(said.contains("fetch"), "{failed}");
    assert_eq!(names(&host.there()), [""; 0]);
    let sent = host.upload(&door, &["新 large"]);
    assert_eq!(went(&sent), ("sent", "winrm"), "{sent}");
    assert!(std::fs::read(host.there().join("新 large")).unwrap() == noise(5 << 20));
    assert_eq!(names(&host.there()), ["新 large"]);
}

#[test]
fn what_a_killed_controller_has_handed_out_is_gone_on_with() {
    let Some(host) = Host::new() else { return };
    let door = Door::tls();
    let dest = format!("{}/", host.there().display());
    let args = [
        "upload",
        "-g",
        "all",
        "--limit-rate",
        "1M",
        "新 large",
        &dest,
    ];
    let mut command = host.desk.command(&args);
    door.open(&mut command);
    let mut child = command.spawn().unwrap();
    let part = || {
        let part = names(&host.there()).into_iter().next();
        let found = part.and_then(|part| std::fs::metadata(host.there().join(part)).ok());
        found.map_or(0, |found| found.len())
    };
    wait_until("some is there", || part() > 1 << 20);
    signal(&child, "KILL");
    child.wait().unwrap();
    wait_until("the host has noticed", || {
        !crate::support::runs(host.there().to_str().unwrap())
    });
    let came = part();
    let resumed = host.upload(&door, &["--via", "pull", "新 large"]);
    assert_eq!(went(&resumed), ("resumed", "pull"), "{resumed}");
    let moved = file(&resumed)["bytes"].as_u64().unwrap();
    assert!(moved <= (5 << 20) - came.min(1 << 20), "{came}: {resumed}");
    assert!(std::fs::read(host.there().join("新 large")).unwrap() == noise(5 << 20));
    assert_eq!(names(&host.there()), ["新 large"]);
}
