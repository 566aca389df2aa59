//! What the head of a playbook says of its test, in comments:
//!
//! ```text
//! # ends with 0                            one run; without arguments
//! # ends with 2: --tags late -e n=3        another; ' keeps words together
//! # ends with 4 (6): --limit all           the other status is the contract's for iomsctl
//! # order is free                          tasks of a play may come in any order
//! # messages differ                        what failed results say is each program's own
//! # without KEY KEY                        keys of results that can't be compared
//! # content differs in PATH PATH           files of which owner and mode are compared
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use crate::support::read;

/// The statuses by which iomsctl differs, after Ansible's: in contract.md and the guide.
const DIFFERENT: &[(i32, i32)] = &[(4, 6), (2, 8), (0, 5), (4, 1), (5, 1), (2, 1), (99, 130)];

/// A playbook and how it is run.
#[derive(Debug)]
pub struct Case {
    pub runs: Vec<Run>,
    pub free_order: bool,
    pub own_messages: bool,
    pub without: Vec<String>,
    pub own_content: Vec<String>,
}

/// One run of a playbook.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    pub args: Vec<String>,
    /// Ansible's exit status.
    pub status: i32,
    /// Ours.
    pub ours: i32,
}

impl Case {
    pub fn read(path: &Path) -> Self {
        let mut case = Self {
            runs: Vec::new(),
            free_order: false,
            own_messages: false,
            without: Vec::new(),
            own_content: Vec::new(),
        };
        let text = read(path);
        let head = text.lines().map_while(|line| line.strip_prefix('#'));
        for line in head.map(str::trim) {
            if let Some(run) = line.strip_prefix("ends with ") {
                case.runs.push(Run::read(path, run));
            } else if let Some(keys) = line.strip_prefix("without ") {
                case.without.extend(keys.split(' ').map(str::to_owned));
            } else if let Some(paths) = line.strip_prefix("content differs in ") {
                case.own_content.extend(paths.split(' ').map(str::to_owned));
            } else {
                case.free_order |= line == "order is free";
                case.own_messages |= line == "messages differ";
            }
        }
        assert!(!case.runs.is_empty(), "{}: no run", path.display());
        case
    }
}

impl Run {
    fn read(path: &Path, text: &str) -> Self {
        let (statuses, args) = text.split_once(':').unwrap_or((text, ""));
        let mut numbers = statuses
            .split(' ')
            .map(|word| word.trim_matches(['(', ')']).parse::<i32>().unwrap());
        let status = numbers.next().unwrap();
        let ours = numbers.next().unwrap_or(status);
        assert!(
            status == ours || DIFFERENT.contains(&(status, ours)),
            "{}: not a difference that is allowed: {statuses}",
            path.display()
        );
        Self {
            path: path.to_owned(),
            args: words(args),
            status,
            ours,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.args.join(" "))
    }
}

/// Words, of which those between ' may hold blanks.
fn words(text: &str) -> Vec<String> {
    let quoted = text.split('\'').enumerate();
    quoted
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .map(str::to_owned)
        .collect()
}
