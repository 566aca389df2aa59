//! One module without a playbook: its words as a play of one task, so that all that holds for
//! playbooks holds for it. What is wrong with it is shown in the line that was typed, as `do:1:6`.

use std::path::Path;
use std::sync::Arc;

use super::action::{is_command, short};
use super::kv;
use super::loader::Loader;
use super::model::Playbook;
use super::problem::{LintRule, Problem, Refused};
use super::written::{Source, Written};
use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;
use crate::base::yaml::{self, Content, Key, Node};
use crate::shell::quote;

/// What stands for the file's name.
const FILE: &str = "do";
/// The keys of the one play that stand beside its task; whatever chooses hosts, it is not the play.
const PLAY: &[(&str, Value)] = &[("gather_facts", Value::Bool(false))];

/// What steers a play, or brings more into it.
const ONLY_IN_PLAYBOOKS: &[&str] = &[
    "import_playbook",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "meta",
];

/// A module and the words behind it.
#[derive(Debug, Clone, Copy)]
pub struct AdHoc<'a> {
    /// The module.
    pub module: &'a str,
    /// `NAME=VALUE`, a command's line or its words, or one JSON object.
    pub words: &'a [String],
}

impl AdHoc<'_> {
    /// As a person would write it.
    pub fn line(&self) -> String {
        let mut line = self.module.to_owned();
        for word in self.words {
            line.push(' ');
            line.push_str(word);
        }
        line
    }
}

impl Loader {
    /// The playbook that does it; refused with all that is wrong with it.
    pub fn ad_hoc(&mut self, wanted: AdHoc<'_>) -> Result<Playbook, Refused> {
        let text = wanted.line();
        let source = Source::new(Path::new(FILE), text);
        let refused = |rule, wrong| Refused(vec![Problem::error(rule, wrong)]);
        if ONLY_IN_PLAYBOOKS.contains(&short(wanted.module)) {
            let why = format!("`{}` makes sense in playbooks only", wanted.module);
            return Err(refused(LintRule::Module, source.error(why, 1, 1)));
        }
        let task = task(wanted, &source).map_err(|wrong| refused(LintRule::Parameter, *wrong))?;
        let playbook = self.of_document(&Written::new(&play(task), &source));
        self.refuse_if_wrong()?;
        Ok(playbook)
    }
}

fn play(task: Node) -> Node {
    let mut entries: Vec<(Key, Node)> = PLAY
        .iter()
        .map(|(name, value)| (key(name, 1), scalar(value.clone(), 1)))
        .collect();
    entries.push((key("hosts", 1), scalar(Value::string("all"), 1)));
    let tasks = Content::List(vec![task]);
    entries.push((key("tasks", 1), node(tasks, 1)));
    let play = node(Content::Map(entries), 1);
    node(Content::List(vec![play]), 1)
}

/// `action: {module: NAME, ...}`: a module may have the name of a keyword.
fn task(wanted: AdHoc<'_>, source: &Arc<Source>) -> Result<Node, Box<Diagnostic>> {
    let mut action = vec![(key("module", 1), scalar(Value::string(wanted.module), 1))];
    let command = is_command(wanted.module);
    let mut free: Vec<(&String, u32)> = Vec::new();
    let mut column = 1 + count(wanted.module);
    for word in wanted.words {
        column += 1;
        match named(word, command) {
            Some((name, value)) => {
                let value = scalar(Value::string(value), column + count(name) + 1);
                action.push((key(name, column), value));
            }
            None if word.starts_with('{') && !word.starts_with("{{") && !command => {
                action.extend(object(word, column, source)?);
            }
            None => free.push((word, column)),
        }
        column += count(word);
    }
    match free.as_slice() {
        [] => {}
        [(line, column)] => action.push((
            key("args", *column),
            scalar(Value::string(&**line), *column),
        )),
        [(_, column), ..] => {
            let words: Vec<String> = free.iter().map(|(word, _)| (*word).clone()).collect();
            let line = if command {
                quote::words(&words)
            } else {
                words.join(" ")
            };
            action.push((key("args", *column), scalar(Value::string(line), *column)));
        }
    }
    let action = node(Content::Map(action), 1);
    Ok(node(Content::Map(vec![(key("action", 1), action)]), 1))
}

/// `NAME=VALUE`; of a command only where it is an option of commands.
fn named(word: &str, command: bool) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    (is_name && (!command || kv::OF_COMMANDS.contains(&name))).then_some((name, value))
}

/// Arguments as a JSON object, for those that are lists and mappings.
fn object(
    word: &str,
    column: u32,
    source: &Arc<Source>,
) -> Result<Vec<(Key, Node)>, Box<Diagnostic>> {
    let wrong = |why: String| {
        let place = Place::new(FILE, 1, column);
        Box::new(
            Diagnostic::new(why, place, &source.text)
                .help("write NAME=VALUE ..., or one JSON object"),
        )
    };
    let parsed = yaml::parse_json(word, Path::new(FILE))
        .map_err(|found| wrong(format!("this is no JSON object: {}", found.message)))?;
    match parsed.content {
        Content::Map(mut entries) => {
            for (key, node) in &mut entries {
                (key.column, node.column) = (key.column + column - 1, node.column + column - 1);
            }
            Ok(entries)
        }
        _ => Err(wrong("this is no JSON object".to_owned())),
    }
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX / 4)
}

fn key(name: &str, column: u32) -> Key {
    Key {
        name: name.into(),
        is_text: true,
        line: 1,
        column,
    }
}

fn scalar(value: Value, column: u32) -> Node {
    node(Content::Scalar(value), column)
}

fn node(content: Content, column: u32) -> Node {
    Node {
        content,
        line: 1,
        column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Options;

    fn of(words: &[&str]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (module, words) = words.split_first().unwrap();
        let playbook = Loader::new(Options::default())
            .ad_hoc(AdHoc { module, words })
            .map_err(|refused| refused.to_string())?;
        let tasks = playbook.plays[0].tasks();
        let args = &tasks[0].action.args;
        let mut parts: Vec<String> = args
            .named
            .iter()
            .map(|(name, value)| format!("{name}→{}", value.value().to_json()))
            .collect();
        parts.extend(
            args.free_form
                .as_ref()
                .map(|free| format!("[{}]", free.text().unwrap())),
        );
        Ok(format!("{} {}", tasks[0].action.module, parts.join(" ")))
    }

    #[test]
    fn words_are_arguments_as_the_shell_has_split_them() {
        let table: [(&[&str], &str); 7] = [
            (&["ping"], "ping "),
            (
                &["copy", "content=a b\tc=d", "dest=/x"],
                r#"copy content→"a b\tc=d" dest→"/x""#,
            ),
            (
                &["shell", "echo hi creates=/x"],
                r#"shell creates→"/x" [echo hi]"#,
            ),
            (
                &["command", "ls", "a b", "chdir=/tmp"],
                r#"command chdir→"/tmp" [ls 'a b']"#,
            ),
            (
                &["command", "dd", "if=/dev/zero"],
                "command [dd if=/dev/zero]",
            ),
            (
                &["user", "{\"name\": \"a\", \"groups\": [\"b\", \"c\"]}"],
                r#"user name→"a" groups→["b","c"]"#,
            ),
            (
                &["debug", "msg={{ inventory_hostname }}"],
                r#"debug msg→"{{ inventory_hostname }}""#,
            ),
        ];
        for (words, expected) in table {
            assert_eq!(of(words).as_deref(), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn mistakes_are_shown_in_the_line_that_was_typed() {
        insta::assert_snapshot!(of(&["coppy", "src=a"]).unwrap_err(), @r"
        do:1:1: there is no module `coppy`
          |
        1 | coppy src=a
          | ^
        help: did you mean `copy`?
        ");
        insta::assert_snapshot!(of(&["copy", "dest=/x", "scr=a"]).unwrap_err(), @r"
        do:1:1: one of the following is required: src, content
          |
        1 | copy dest=/x scr=a
          | ^

        do:1:18: module copy has no parameter `scr`
          |
        1 | copy dest=/x scr=a
          |                  ^
        help: did you mean `src`?
        ");
        insta::assert_snapshot!(of(&["user", "{\"name\": "]).unwrap_err(), @r#"
        do:1:6: this is no JSON object: unclosed bracket '{'
          |
        1 | user {"name": 
          |      ^
        help: write NAME=VALUE ..., or one JSON object
        "#);
        insta::assert_snapshot!(of(&["ping", "hello"]).unwrap_err(), @r"
        do:1:6: `ping` takes no text beside `name=value`: `hello`
          |
        1 | ping hello
          |      ^
        help: put a value with blanks in quotes, or write the arguments as a mapping
        ");
        insta::assert_snapshot!(of(&["include_tasks", "a.yml"]).unwrap_err(), @r"
        do:1:1: `include_tasks` makes sense in playbooks only
          |
        1 | include_tasks a.yml
          | ^
        ");
    }
}
