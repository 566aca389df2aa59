//! Entries of the repository as people and machines read them.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use unicode_width::UnicodeWidthStr as _;

use crate::base::clock::rfc3339;
use crate::base::digest::hex;
use crate::base::quantity::show_size;
use crate::base::text::terminal_safe;
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
    ]
    .map(str::to_owned);
    let rows: Vec<[String; 9]> = std::iter::once(heading)
        .chain(entries.iter().map(|entry| {
            [
                entry.name.clone(),
                entry.version.clone(),
                show_size(entry.size),
                if entry.published { "yes" } else { "no" }.to_owned(),
                local_time(entry.added),
                terminal_safe(&entry.by).into_owned(),
                entry.fetched.to_string(),
                hex(&entry.md5),
                first_line(entry.note.as_deref().unwrap_or_default()),
            ]
        }))
        .collect();
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let padding = width - cell.width() + 2;
            let _ = write!(line, "{cell}{}", " ".repeat(padding));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
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
        local_time(entry.added),
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

pub(super) fn local_time(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::system());
    jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S", &zoned).unwrap_or_else(|_| at.to_string())
}

fn first_line(text: &str) -> String {
    terminal_safe(text.lines().next().unwrap_or_default()).into_owned()
}
