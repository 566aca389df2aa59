//! Playbooks: no text may panic, hang or take all memory; what was taken can be listed, and what was
//! refused says why. The text is a playbook, and its own file of tasks and role, so that imports lead
//! somewhere.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use ioms::playbook::{Listing, Loader, Options, TagSelection, lint};
use libfuzzer_sys::fuzz_target;

/// One folder for all runs of the process: files are written anew each time.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("ioms-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("roles/r/tasks")).expect("a folder can be made");
        std::fs::create_dir_all(folder.join("roles/r/meta")).expect("a folder can be made");
        folder
    })
}

fuzz_target!(|text: &str| {
    let folder = folder();
    // A part of its own for each file, where the text has parts.
    let parts: Vec<&str> = text.split("\n=====\n").collect();
    let files = ["site.yml", "tasks.yml", "roles/r/tasks/main.yml", "roles/r/meta/main.yml"];
    for (index, name) in files.iter().enumerate() {
        let part = parts.get(index).copied().unwrap_or_default();
        std::fs::write(folder.join(name), part).expect("a file can be written");
    }
    let site = folder.join("site.yml");
    match Loader::new(Options::default()).load(&site) {
        Ok(playbook) => {
            let selection = TagSelection::default();
            let listing = Listing {
                tasks: true,
                tags: true,
                hosts: None,
                selection: &selection,
            };
            assert!(!listing.of(&playbook).is_empty());
        }
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
    let report = lint(&[folder.clone()], Options::default());
    assert!(report.counted.supported <= report.counted.tasks);
    assert!(!report.text().is_empty());
});
