//! INI inventories: no text may panic, hang or take all memory, and what was read must show.
#![no_main]

use std::path::Path;

use ioms::inventory::{self, Loader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut loader = Loader::new(None);
    if let Err(error) = loader.add_text(Path::new("hosts.ini"), text) {
        assert!(!error.to_string().is_empty());
        return;
    }
    let inventory = loader.finish();
    let document = inventory::list_document(&inventory).expect("there are no files to fail");
    assert!(document.is_object());
    if inventory.group_names().count() < 16 {
        let _ = inventory::graph(&inventory, true);
    }
});
