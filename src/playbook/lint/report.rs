//! What `lint` found, for people and as the contract's document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::playbook::loader::{Counted, Loader};
use crate::playbook::problem::{LintRule, Problem, Severity};

/// All that was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was counted.
    pub counted: Counted,
    /// The findings, by place.
    pub findings: Vec<Problem>,
}

impl Report {
    pub(super) fn of(loader: &Loader) -> Self {
        Self {
            counted: loader.counted(),
            findings: loader.problems(),
        }
    }

    /// Whether an error is among the findings.
    pub fn failed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    /// The contract's document.
    pub fn document(&self) -> Json {
        let findings: Vec<Json> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "path": finding.diagnostic.place.to_string(),
                    "level": level(finding.severity),
                    "rule": finding.rule.name(),
                    "message": finding.diagnostic.message,
                    "hint": finding.diagnostic.help,
                })
            })
            .collect();
        json!({
            "schema": 1,
            "summary": {
                "files": self.counted.files,
                "tasks": self.counted.tasks,
                "supported": self.counted.supported,
            },
            "findings": findings,
        })
    }

    /// For people: the findings, the rules with their numbers, and the sum.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let _ = write!(
                text,
                "{}[{}]: {}\n\n",
                level(finding.severity),
                finding.rule.name(),
                finding.diagnostic
            );
        }
        self.table(&mut text);
        self.sum(&mut text);
        text
    }

    fn table(&self, text: &mut String) {
        let mut rules: BTreeMap<LintRule, (usize, usize)> = BTreeMap::new();
        for finding in &self.findings {
            let (errors, warnings) = rules.entry(finding.rule).or_default();
            match finding.severity {
                Severity::Error => *errors += 1,
                Severity::Warning => *warnings += 1,
            }
        }
        if rules.is_empty() {
            return;
        }
        let _ = writeln!(text, "{:18} {:>6} {:>8}", "rule", "errors", "warnings");
        for (rule, (errors, warnings)) in rules {
            let _ = writeln!(text, "{:18} {errors:>6} {warnings:>8}", rule.name());
        }
        text.push('\n');
    }

    fn sum(&self, text: &mut String) {
        let Counted {
            files,
            tasks,
            supported,
        } = self.counted;
        let _ = write!(
            text,
            "{} of {} tasks supported, in {} files",
            thousands(supported),
            thousands(tasks),
            thousands(files)
        );
        let missing = self.missing();
        if !missing.is_empty() {
            let missing: Vec<String> = missing
                .iter()
                .map(|(name, count)| format!("{name} x{count}"))
                .collect();
            let _ = write!(text, "; missing: {}", missing.join(", "));
        }
        text.push('\n');
    }

    /// What is missing, the most missed first.
    fn missing(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &self.findings {
            let counted = matches!(
                finding.rule,
                LintRule::Module | LintRule::Role | LintRule::Loop | LintRule::Template
            );
            if let (true, Some(subject)) = (counted, &finding.subject) {
                *counts.entry(subject).or_default() += 1;
            }
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        counts
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `1412` as `1,412`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_shown_in_groups_of_three() {
        let shown: Vec<String> = [0, 999, 1412, 1_000_000]
            .into_iter()
            .map(super::thousands)
            .collect();
        assert_eq!(shown, ["0", "999", "1,412", "1,000,000"]);
    }
}
