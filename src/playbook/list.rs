//! What `--list-tasks`, `--list-tags` and `--list-hosts` print, as ansible-playbook does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::keyword::Keyword;
use super::model::{Play, Playbook, Step, Task};
use super::tags::TagSelection;
use super::written::Written;
use crate::base::value::Value;

/// The hosts that a play's patterns choose.
pub type HostsOf<'a> = dyn Fn(&Play) -> Vec<String> + 'a;

/// What to list of a playbook.
pub struct Listing<'a> {
    /// The tasks, `--list-tasks`.
    pub tasks: bool,
    /// The tags, `--list-tags`.
    pub tags: bool,
    /// The hosts of a play's patterns: `--list-hosts`.
    pub hosts: Option<&'a HostsOf<'a>>,
    /// Which tasks count.
    pub selection: &'a TagSelection,
}

impl Listing<'_> {
    /// The listing.
    pub fn of(&self, playbook: &Playbook) -> String {
        let mut text = header(&playbook.path);
        for (index, play) in playbook.plays.iter().enumerate() {
            self.play(index + 1, play, &mut text);
        }
        text
    }

    fn play(&self, number: usize, play: &Play, text: &mut String) {
        let patterns = patterns(play);
        let name = play_name(play);
        let own = tags_of(play.keywords.all(Keyword::Tags));
        let _ = write!(
            text,
            "\n  play #{number} ({}): {name}\tTAGS: [{}]\n",
            patterns.join(","),
            join(&own, ",")
        );
        if let Some(hosts) = self.hosts {
            let hosts = hosts(play);
            let quoted: Vec<String> = patterns.iter().map(|each| format!("'{each}'")).collect();
            let _ = write!(
                text,
                "    pattern: [{}]\n    hosts ({}):\n",
                quoted.join(", "),
                hosts.len()
            );
            for host in hosts {
                let _ = writeln!(text, "      {host}");
            }
        }
        if !self.tasks && !self.tags {
            return;
        }
        if self.tasks {
            text.push_str("    tasks:\n");
        }
        let mut all = own.clone();
        for (_, steps) in &play.sections {
            self.steps(steps, text, &mut all);
        }
        if self.tags {
            // Those of the tasks; a play without any shows none.
            let _ = writeln!(text, "      TASK TAGS: [{}]", join(&all, ", "));
        }
    }

    fn steps(&self, steps: &[Step], text: &mut String, all: &mut BTreeSet<String>) {
        for step in steps {
            match step {
                Step::Task(task) => {
                    let tags = task_tags(task);
                    if !self.selection.chooses(&tags.iter().collect::<Vec<_>>()) {
                        continue;
                    }
                    if self.tasks {
                        let _ = writeln!(
                            text,
                            "      {}\tTAGS: [{}]",
                            listed(task),
                            join(&tags, ", ")
                        );
                    }
                    all.extend(tags);
                }
                Step::Block(block) => self.steps(&block.block, text, all),
                Step::Role(_, steps) => self.steps(steps, text, all),
            }
        }
    }
}

/// A play's name: its own, else its patterns.
pub fn play_name(play: &Play) -> String {
    let own = play.keywords.get(Keyword::Name).and_then(Written::text);
    match own {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => patterns(play).join(","),
    }
}

/// A task's tags with those it inherits, as written (templates among them unrendered): lists are
/// flat, and a text that stands for a list is split at its commas.
pub fn task_tags(task: &Task) -> BTreeSet<String> {
    tags_of(task.keywords.all(Keyword::Tags))
}

/// The tags of levels, from the outermost.
pub(super) fn tags_of(levels: &[Written]) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for level in levels {
        match level.text() {
            Some(text) => {
                let parts = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
                tags.extend(parts.map(str::to_owned));
            }
            None => add_tags(&level.value(), &mut tags),
        }
    }
    tags
}

fn add_tags(value: &Value, tags: &mut BTreeSet<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| add_tags(item, tags)),
        Value::Int(number) => drop(tags.insert(number.to_string())),
        other => tags.extend(other.as_str().map(str::to_owned)),
    }
}

/// The play's patterns as written.
pub fn patterns(play: &Play) -> Vec<String> {
    let items = play.keywords.get(Keyword::Hosts).map(Written::items);
    let texts = items
        .iter()
        .flatten()
        .filter_map(|item| item.text().map(str::to_owned));
    texts.collect()
}

/// A task as it is listed: without a name by its module alone.
fn listed(task: &Task) -> String {
    match task.name().and_then(Written::text) {
        Some(name) if !name.is_empty() => task.title(),
        _ => task.action.written.to_string(),
    }
}

fn join(tags: &BTreeSet<String>, between: &str) -> String {
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    tags.join(between)
}

fn header(path: &Path) -> String {
    format!("\nplaybook: {}\n", path.display())
}

/// What `--syntax-check` prints of a playbook without fault.
pub fn syntax_check(playbook: &Playbook) -> String {
    header(&playbook.path)
}
