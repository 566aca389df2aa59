//! How one output differs from the majority's: `--fold-diff`.

use std::io::{self, Write};
use std::time::Duration;

use similar::TextDiff;

use super::reading::read;
use crate::base::text::terminal_safe;
use crate::event::{Captured, HostResult, Stream};

/// Larger outputs are shown whole, in bytes.
const MAX: u64 = 256 * 1024;
/// After so long a difference need no longer be the smallest.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes how two results' outputs differ, under what the two are called; false when that can't be
/// told (too large) or they don't.
pub fn difference(
    majority: &HostResult,
    other: &HostResult,
    [before, after]: [&str; 2],
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut shown = false;
    for (stream, name, one, two) in [
        (Stream::Stdout, "stdout", &majority.stdout, &other.stdout),
        (Stream::Stderr, "stderr", &majority.stderr, &other.stderr),
    ] {
        if one.digest == two.digest {
            continue;
        }
        if one.kept.max(two.kept) > MAX {
            return Ok(false);
        }
        let text = |output: &Captured, result: &HostResult| -> io::Result<String> {
            let mut text = String::new();
            read(output, stream, result.encoding, |more| {
                text.push_str(more);
                Ok(())
            })?;
            Ok(text)
        };
        let (one, two) = (text(one, majority)?, text(two, other)?);
        if one == two {
            continue;
        }
        let diff = TextDiff::configure()
            .timeout(PATIENCE)
            .diff_lines(&one, &two);
        let unified = diff
            .unified_diff()
            .context_radius(2)
            .header(&format!("{name} {before}"), &format!("{name} {after}"))
            .to_string();
        out.write_all(terminal_safe(&unified).as_bytes())?;
        if !unified.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        shown = true;
    }
    Ok(shown)
}
