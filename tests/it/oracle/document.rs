//! A play's document as lines that can be compared and read: what must be the same in both
//! programs, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::case::Case;

/// Keys of results that say when and where, or that are remarks to a reader.
const LEFT_OUT: &[&str] = &[
    "start",
    "end",
    "delta",
    "atime",
    "mtime",
    "ctime",
    "inode",
    "dev",
    "exception",
    "warnings",
    "deprecations",
    "invocation",
    "backup_file",
    "ansible_job_id",
    "results_file",
    "discovered_interpreter_python",
];

/// A document's lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// A play's title and its results, each some lines.
    plays: Vec<(String, Vec<String>)>,
    /// Statistics; what was said, if it was no document.
    rest: Vec<String>,
}

impl Seen {
    /// Of what a program printed, `folder` being its own.
    pub fn of(printed: &str, folder: &Path, case: &Case) -> Self {
        let printed = printed.replace(&*folder.to_string_lossy(), "FOLDER");
        let Ok(document) = serde_json::from_str::<Value>(&printed) else {
            // Refused before the run: in words of its own.
            return Self {
                plays: Vec::new(),
                rest: vec!["no document".to_owned()],
            };
        };
        let plays = list(&document["plays"]).iter().map(|play| {
            let tasks = list(&play["tasks"]).iter();
            let mut tasks: Vec<_> = tasks.flat_map(|task| results(task, case)).collect();
            if case.free_order {
                tasks.sort();
            }
            // Ansible tells of `meta` once a host.
            for metas in tasks.chunk_by_mut(|a, b| is_meta(a) && is_meta(b)) {
                metas.sort();
            }
            (format!("PLAY {}", text(&play["play"]["name"])), tasks)
        });
        let mut rest = Vec::new();
        for key in ["stats", "custom_stats", "global_custom_stats"] {
            flatten(&document[key], key, &[], &mut rest);
        }
        Self {
            plays: plays.collect(),
            rest,
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, tasks) in &self.plays {
            writeln!(f, "{title}")?;
            tasks.iter().try_for_each(|task| write!(f, "{task}"))?;
        }
        self.rest.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The results of a task, a text a host: its state, and a line a value. Of a task that was for no host
/// there is nothing to say; `meta` is one, and so is what Ansible prints once a host.
fn results(task: &Value, case: &Case) -> Vec<String> {
    let name = text(&task["task"]["name"]);
    let hosts: BTreeMap<_, _> = task["hosts"].as_object().into_iter().flatten().collect();
    let mut without: Vec<&str> = LEFT_OUT.to_vec();
    without.extend(case.without.iter().map(String::as_str));
    let result = |(host, result): (&String, &Value)| {
        let mut lines = vec![
            format!("TASK {name}"),
            format!("  {host}: {}", state(result)),
        ];
        let mut result = result.clone();
        forget_error(&mut result);
        forget_empty_diffs(&mut result);
        if case.own_messages {
            forget_messages(&mut result);
        }
        flatten(&result, &format!("    {host}"), &without, &mut lines);
        lines.join("\n") + "\n"
    };
    hosts.into_iter().map(result).collect()
}

fn is_meta(task: &str) -> bool {
    task.starts_with("TASK meta\n")
}

fn state(result: &Value) -> &'static str {
    let is = |key: &str| result[key] == true;
    ["unreachable", "failed", "skipped", "changed"]
        .into_iter()
        .find(|state| is(state))
        .unwrap_or("ok")
}

/// The error that iomsctl adds to what failed, its kind and what to do next.
fn forget_error(result: &mut Value) {
    if let Some(object) = result.as_object_mut()
        && object
            .get("error")
            .is_some_and(|error| error["kind"].is_string())
    {
        object.remove("error");
    }
    items(result).for_each(forget_error);
}

/// A list of diffs that show no difference, or of none, says nothing.
fn forget_empty_diffs(result: &mut Value) {
    let diffs = result["diff"].as_array();
    if diffs.is_some_and(|diffs| diffs.iter().all(|diff| diff["before"] == diff["after"]))
        && let Some(object) = result.as_object_mut()
    {
        object.remove("diff");
    }
    items(result).for_each(forget_empty_diffs);
}

/// Of what failed, itself or among its items, the words.
fn forget_messages(result: &mut Value) {
    if result["failed"] == true || result["unreachable"] == true {
        for key in ["msg", "message", "reason"] {
            if let Some(message) = result.get_mut(key) {
                *message = "MESSAGE".into();
            }
        }
    }
    items(result).for_each(forget_messages);
}

/// The results of a loop's items.
fn items(result: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = result.get_mut("results").and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

/// A line for each value that is no list and no mapping, or an empty one.
fn flatten(value: &Value, path: &str, without: &[&str], lines: &mut Vec<String>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            for (key, value) in sorted {
                if !key.starts_with("_ansible")
                    && !without.contains(&key.as_str())
                    && !is_passing(value)
                {
                    flatten(value, &format!("{path}.{key}"), without, lines);
                }
            }
        }
        Value::Array(array) if !array.is_empty() => {
            for (i, value) in array.iter().enumerate() {
                flatten(value, &format!("{path}.{i}"), without, lines);
            }
        }
        other => lines.push(format!("{path} = {other}")),
    }
}

/// Whether it is the path of a file that was only there for the module.
fn is_passing(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    ["/.ansible/tmp/", "/.ansible_", "/ansible-tmp-"]
        .iter()
        .any(|part| text.contains(part))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn differences_are_seen_and_what_must_differ_is_not() {
    let case = Case::read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/playbooks/blocks.yml"
    )));
    let seen = |folder: &str, host: &str, changed: bool, message: &str| {
        let result = |failed: bool, changed: bool| {
            serde_json::json!({"changed": changed, "failed": failed, "msg": message, "delta": folder,
                "path": format!("{folder}/out"), "results": [],
                "error": {"kind": folder}})
        };
        let document = serde_json::json!({"plays": [{"play": {"name": "p"}, "tasks": [
            {"task": {"name": "meta"}, "hosts": {}},
            {"task": {"name": "t"}, "hosts": {host: result(true, changed)}}]}],
            "stats": {host: {"ok": 1}}});
        Seen::of(&document.to_string(), Path::new(folder), &case)
    };
    let theirs = seen("/tmp/theirs", "h", false, "words");
    assert_eq!(theirs, seen("/tmp/ours", "h", false, "other words"));
    assert_ne!(theirs, seen("/tmp/ours", "h", true, "words"));
    assert_ne!(theirs, seen("/tmp/ours", "g", false, "words"));
    insta::assert_snapshot!(theirs, @r#"
    PLAY p
    TASK t
      h: failed
        h.changed = false
        h.failed = true
        h.msg = "MESSAGE"
        h.path = "FOLDER/out"
        h.results = []
    stats.h.ok = 1
    custom_stats = null
    global_custom_stats = null
    "#);
}
