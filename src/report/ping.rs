//! `ping` for people: a line a host while there are few, folded with the spread of latencies where
//! there are many; what went wrong folded as ever.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::fold::Fold;
use super::words::finished;
use super::{Context, Part};
use crate::event::{Event, HostIx, Outcome, Stamped, Stream, Timings};
use crate::inventory::hostset;

/// Up to so many hosts each get a line.
const LINES: usize = 40;

pub(super) struct Table {
    well: BTreeMap<HostIx, (Timings, Duration)>,
    others: Fold,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            well: BTreeMap::new(),
            others: Fold::new(false),
        }
    }

    fn show(&self, cx: &mut Context) -> io::Result<()> {
        let names: Vec<String> = self.well.keys().map(|host| cx.shown(*host)).collect();
        let style = cx.screen.style(Stream::Stdout, Outcome::Ok);
        cx.screen.out(|out| {
            if names.len() <= LINES {
                let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
                for (name, (timings, whole)) in names.iter().zip(self.well.values()) {
                    let padding = width - name.width();
                    writeln!(
                        out,
                        "{style}{name}{style:#}{:padding$}  connect {:>7.1} ms  login {:>6.1} ms  in all {:>7.1} ms",
                        "",
                        ms(timings.connect),
                        ms(timings.auth),
                        ms(*whole),
                    )?;
                }
                return Ok(());
            }
            let folded = hostset::fold(names.iter().map(String::as_str));
            writeln!(out, "{style}{folded} ({}){style:#}", names.len())?;
            spread(out, "connect", self.well.values().map(|(timings, _)| timings.connect))?;
            spread(out, "login", self.well.values().map(|(timings, _)| timings.auth))?;
            spread(out, "in all", self.well.values().map(|(_, whole)| *whole))
        })
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn spread(
    out: &mut dyn Write,
    what: &str,
    times: impl Iterator<Item = Duration>,
) -> io::Result<()> {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    let at = |share: usize| {
        times
            .get((times.len() - 1) * share / 100)
            .copied()
            .unwrap_or_default()
    };
    writeln!(
        out,
        "  {what:7}  fastest {:.1} ms, half within {:.1} ms, 95 % within {:.1} ms, slowest {:.1} ms",
        ms(at(0)),
        ms(at(50)),
        ms(at(95)),
        ms(at(100)),
    )
}

impl Part for Table {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        if let Some((host, result)) = finished(event)
            && let (Outcome::Ok, Some(timings)) = (result.outcome, result.timings)
        {
            self.well.insert(host, (timings, result.duration));
            return Ok(());
        }
        if matches!(event.event, Event::RunFinished(_)) && !self.well.is_empty() {
            cx.screen.end_progress();
            self.show(cx)?;
        }
        self.others.event(cx, event)
    }
}
