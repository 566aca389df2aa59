//! One block a host, as they finish: `--output host`.

use std::io;

use super::text::write_outputs;
use super::words::{cut_notice, explanation, finished, verdict};
use super::{Context, Part};
use crate::base::quantity::show_duration;
use crate::event::Stream;

pub(super) struct Blocks;

impl Part for Blocks {
    fn event(&mut self, cx: &mut Context, event: &crate::event::Stamped) -> io::Result<()> {
        let Some((host, result)) = finished(event) else {
            return Ok(());
        };
        let name = cx.shown(host);
        let (manner, style) = (
            cx.screen.manner(Stream::Stdout),
            cx.screen.style(Stream::Stdout, result.outcome),
        );
        cx.screen.out(|out| {
            let took = show_duration(result.duration);
            writeln!(out, "{style}{name}: {} ({took}){style:#}", verdict(result))?;
            if let (Some(timings), None) = (result.timings, &result.error)
                && result.stdout.is_empty()
            {
                let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
                writeln!(
                    out,
                    "connect {:.1} ms, login {:.1} ms",
                    ms(timings.connect),
                    ms(timings.auth)
                )?;
            }
            write_outputs(result, manner, out)?;
            out.write_all(cut_notice(result).unwrap_or_default().as_bytes())?;
            out.write_all(explanation(result).as_bytes())?;
            out.flush()
        })
    }
}
