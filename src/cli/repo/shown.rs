//! Entries of the repository as people and machines read them.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::base::clock::{self, rfc3339};
use crate::base::digest::hex;
use crate::base::quantity::show_size;
use crate::base::text::terminal_safe;
use crate::cli::columns::columns;
use crate::repository::Entry;

/// The contract's object.
pub(super) fn json(entry: &Entry) -> Json {
    json!({
        "name": entry.name, "version": entry.version, "size": entry.size, "md5": hex(&entry.md5),
        "sha256": hex(&entry.sha256), "published": entry.published, "added": rfc3339(entry.added),
        "by": entry.by, "note": entry.note, "fetched": entry.fetched,
    })
}

/// One line an entry, in columns.
pub(super) fn table(entries: &[Entry]) -> String {
    let heading = [
        "NAME",
        "VERSION",
        "SIZE",
        "PUBLISHED",
        "ADDED",
        "BY",
        "HOSTS",
        "MD5",
        "NOTE",
    ];
    let rows = entries.iter().map(|entry| {
        [
            entry.name.clone(),
            entry.version.clone(),
            show_size(entry.size),
            if entry.published { "yes" } else { "no" }.to_owned(),
            clock::local(entry.added),
            terminal_safe(&entry.by).into_owned(),
            entry.fetched.to_string(),
            hex(&entry.md5),
            first_line(entry.note.as_deref().unwrap_or_default()),
        ]
    });
    columns(heading, rows)
}

/// All there is to say about one.
pub(super) fn details(entry: &Entry) -> String {
    let mut text = format!(
        "name       {}\nversion    {}\nsize       {} bytes\nmd5        {}\nsha256     {}\npublished  {}\nadded      {} by {}\ncontent    {}\n",
        entry.name,
        entry.version,
        entry.size,
        hex(&entry.md5),
        hex(&entry.sha256),
        if entry.published { "yes" } else { "no" },
        clock::local(entry.added),
        terminal_safe(&entry.by),
        terminal_safe(&entry.path.display().to_string()),
    );
    if let Some(note) = &entry.note {
        let _ = writeln!(text, "note       {}", terminal_safe(note));
    }
    if entry.fetched == 0 {
        text.push_str("fetched    by no host yet\n");
    }
    text
}

fn first_line(text: &str) -> String {
    terminal_safe(text.lines().next().unwrap_or_default()).into_owned()
}
