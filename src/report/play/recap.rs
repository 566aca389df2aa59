//! The recap: a line a host with Ansible's counters.

use std::fmt::Write as _;
use std::io;

use super::super::Context;
use super::super::text::one_line;
use super::{Tone, style};
use crate::event::PlayStats;

/// Writes it.
pub(super) fn write(cx: &mut Context, stats: &PlayStats) -> io::Result<()> {
    let mut text = String::new();
    for (host, counts) in &stats.hosts {
        let tone = match counts {
            counts if counts.failed > 0 || counts.unreachable > 0 => Tone::Failed,
            counts if counts.changed > 0 => Tone::Changed,
            _ => Tone::Ok,
        };
        let style_of_host = style(cx, tone);
        let name = one_line(host);
        let room = 26_usize.saturating_sub(unicode_width::UnicodeWidthStr::width(&*name));
        let _ = write!(
            text,
            "{style_of_host}{name}{style_of_host:#}{} :",
            " ".repeat(room)
        );
        for (word, count, tone) in [
            ("ok", counts.ok, Some(Tone::Ok)),
            ("changed", counts.changed, Some(Tone::Changed)),
            ("unreachable", counts.unreachable, Some(Tone::Unreachable)),
            ("failed", counts.failed, Some(Tone::Failed)),
            ("skipped", counts.skipped, Some(Tone::Skipped)),
            ("rescued", counts.rescued, Some(Tone::Ok)),
            ("ignored", counts.ignored, Some(Tone::Changed)),
        ] {
            let style = match tone {
                Some(tone) if count > 0 => style(cx, tone),
                _ => anstyle::Style::new(),
            };
            let _ = write!(text, " {style}{word}={count:<4}{style:#}");
        }
        text.push('\n');
    }
    text.push('\n');
    cx.screen.out(|out| out.write_all(text.as_bytes()))
}
