//! YAML and JSON inventories: no text may panic, hang or take all memory, and what was read must
//! show.
#![no_main]

use std::path::Path;

use ioms::inventory::{self, Loader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["hosts.yml", "hosts.json"] {
        let mut loader = Loader::new(None);
        if let Err(error) = loader.add_text(Path::new(name), text) {
            assert!(!error.to_string().is_empty());
            continue;
        }
        let inventory = loader.finish();
        let document = inventory::list_document(&inventory).expect("there are no files to fail");
        assert!(document.is_object());
        // Groups in many parents are drawn once for each: that grows, and so does Ansible's.
        if inventory.group_names().count() < 16 {
            let _ = inventory::graph(&inventory, true);
        }
    }
});
