//! What `doctor` prints: a table a host and what hosts have in common, or one document.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::case::Case;
use super::summary::{summary, totals};
use crate::base::text::terminal_safe;
use crate::cli::{CliError, Setup};
use crate::doctor::{Finding, State};

/// Prints it.
pub fn show(setup: &Setup, cases: &[Case]) -> Result<(), CliError> {
    if setup.json() {
        let hosts: Vec<Json> = cases.iter().map(document).collect();
        let text = json!({ "schema": 1, "hosts": hosts }).to_string();
        // Details hold words of hosts and of errors.
        let redacted = setup.redactor.text(&text);
        return setup.print_document(&serde_json::from_str(&redacted)?);
    }
    let mut text = String::new();
    for case in cases {
        table(&mut text, case);
    }
    if cases.len() > 1 {
        let summary = summary(cases);
        if !summary.is_empty() {
            text.push_str("In common:\n");
            text.push_str(&summary);
            text.push('\n');
        }
        text.push_str(&totals(cases));
    }
    let redacted = setup.redactor.text(&text);
    setup.print(&terminal_safe(&redacted))
}

fn document(case: &Case) -> Json {
    let findings: Vec<Json> = case.findings.iter().map(finding).collect();
    let support = &case.support;
    json!({
        "host": case.host,
        "transport": case.transport(),
        "support": {
            "tier": support.tier.name(),
            "system": support.system,
            "meaning": support.tier.meaning(),
        },
        "findings": findings,
    })
}

fn finding(one: &Finding) -> Json {
    json!({
        "check": one.check.name(),
        "state": one.state.name(),
        "detail": one.detail,
        "hint": one.hint,
        "ms": one.took.map(ms),
    })
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn table(text: &mut String, case: &Case) {
    let support = &case.support;
    let _ = write!(text, "{}  {}", case.host, case.transport().unwrap_or("?"));
    if let Some(system) = &support.system {
        let _ = write!(text, "  {system}: {}", support.tier.meaning());
    }
    text.push('\n');
    for one in &case.findings {
        let took = one
            .took
            .map_or_else(String::new, |time| format!("  {:.1} ms", ms(time)));
        let _ = writeln!(
            text,
            "  {:14}  {:7}  {}{took}",
            one.check.name(),
            one.state.name(),
            one.detail,
        );
        // What is well may need a word too; it stands below.
        if let Some(hint) = &one.hint {
            let word = if one.state >= State::Warn {
                "fix"
            } else {
                "note"
            };
            let _ = writeln!(text, "  {:14}  {:7}  {word}: {hint}", "", "");
        }
    }
    text.push('\n');
}
