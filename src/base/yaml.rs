//! YAML as Ansible reads it: YAML 1.1 scalars, `!vault`, `!unsafe`, merge keys; with the place of
//! every node. With its two files the only one that knows the YAML
//! crates, which also settles the dialect.

mod emit;
mod loader;
mod scalar;

use std::path::Path;
use std::sync::Arc;

use super::diag::{Diagnostic, Place};
use super::value::{Map, Value};

pub use scalar::resolve;

/// A node of a document with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A scalar, resolved.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping: key, its place, value.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// As text; keys of other kinds as YAML shows them.
    pub name: Arc<str>,
    /// Whether it is text; false for `1:` and `no:`.
    pub is_text: bool,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl Key {
    /// Its place in `file`.
    pub fn place(&self, file: &Path) -> Place {
        Place::new(file, self.line, self.column)
    }
}

impl Node {
    /// A node of a document that holds nothing.
    pub fn nothing() -> Self {
        Self {
            content: Content::Scalar(Value::Null),
            line: 1,
            column: 1,
        }
    }

    /// The value without places.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::List(items.iter().map(Node::value).collect()),
            Content::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.value()))
                    .collect::<Map>(),
            ),
        }
    }

    /// The entries of a mapping; none of nothing.
    pub fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(Value::Null) => Some(&[]),
            _ => None,
        }
    }

    /// Its place in `file`.
    pub fn place(&self, file: &Path) -> Place {
        Place::new(file, self.line, self.column)
    }
}

/// Reads one document. `file` is for messages. An empty document is nothing.
pub fn parse(text: &str, file: &Path) -> Result<Node, Box<Diagnostic>> {
    loader::Loader::new(text, file, false).document()
}

/// Reads one JSON document, with the places that [`parse`] gives: numbers are JSON's (`1e5`), and
/// what Ansible writes for tags (`__ansible_vault`, `__ansible_unsafe`) is read as them. A text that
/// is no JSON is read as YAML.
pub fn parse_json(text: &str, file: &Path) -> Result<Node, Box<Diagnostic>> {
    let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    loader::Loader::new(text, file, json).document()
}

/// Writes a value as YAML.
pub fn write(value: &Value) -> String {
    emit::document(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn value(text: &str) -> Value {
        parse(text, Path::new("t.yml")).unwrap().value()
    }

    fn error(text: &str) -> String {
        parse(text, Path::new("t.yml")).unwrap_err().to_string()
    }

    #[test]
    fn the_slips_that_people_make_most_are_answered() {
        for (text, answer) in [
            (
                "a: {{ b }}",
                "help: a value that begins with a template stands in quotes",
            ),
            ("a: b: c", "help: a value that holds `: ` stands in quotes"),
            ("a:\n\t- b", "help: indent with blanks"),
        ] {
            let said = error(text);
            assert!(said.contains(answer), "{said}");
        }
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        let table = [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("y", Value::string("y")),
            ("0644", Value::Int(420)),
            ("0x1F", Value::Int(31)),
            ("1_000", Value::Int(1000)),
            ("1:30", Value::Int(90)),
            ("1:99", Value::string("1:99")),
            ("08", Value::string("08")),
            ("-5", Value::Int(-5)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::string("1e3")),
            ("1.0e+3", Value::Float(1000.0)),
            ("1.2.3", Value::string("1.2.3")),
            ("10.0.0.1", Value::string("10.0.0.1")),
            ("~", Value::Null),
            ("2026-11-24", Value::string("2026-11-24")),
            ("'yes'", Value::string("yes")),
            ("\"0644\"", Value::string("0644")),
            (
                "99999999999999999999",
                Value::string("99999999999999999999"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(
                value(&format!("- {text}")),
                Value::List(vec![expected]),
                "{text}"
            );
        }
    }

    #[test]
    fn json_keeps_its_own_numbers_and_ansibles_marks() {
        let text = r#"{"a":1e5,"b":"\ud83d\ude00","c":{"__ansible_vault":"$ANSIBLE_VAULT;1.1"},
            "d":{"__ansible_unsafe":"{{ x }}"},"e":"yes","f":[null,true,-0.5,010.5]}"#;
        let found = parse_json(&text.replace("010.5", "7"), Path::new("t.json")).unwrap();
        let Value::Map(map) = found.value() else {
            panic!()
        };
        let expected = [
            Value::Float(1e5),
            Value::string("\u{1f600}"),
            Value::Vault("$ANSIBLE_VAULT;1.1".into()),
            Value::Unsafe("{{ x }}".into()),
            Value::string("yes"),
            Value::List(vec![
                Value::Null,
                Value::Bool(true),
                Value::Float(-0.5),
                Value::Int(7),
            ]),
        ];
        assert_eq!(map.into_values().collect::<Vec<_>>(), expected);
        // What is no JSON is read as YAML.
        let found = parse_json("a: yes # on", Path::new("t.json")).unwrap();
        assert_eq!(
            found.value(),
            Value::Map(Map::from_iter([("a".into(), Value::Bool(true))]))
        );
    }

    #[test]
    fn comments_may_stand_everywhere() {
        let text = "# a\n---  # b\na:  # c\n  # d\n  - 1  # e\n  # f\n  - {x: 1,  # g\n     y: 2}\nb: |  # h\n  t # i\n# j\n";
        let Value::Map(map) = value(text) else {
            panic!()
        };
        assert_eq!(map["b"], Value::string("t # i\n"));
        assert!(matches!(&map["a"], Value::List(items) if items.len() == 2));
        assert_eq!(value("# nothing\n"), Value::Null);
    }

    #[test]
    fn tags_of_ansible_are_kept() {
        let text = "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nb: !unsafe '{{ x }}'\n";
        let Value::Map(map) = value(text) else {
            panic!()
        };
        assert_eq!(
            map["a"],
            Value::Vault("$ANSIBLE_VAULT;1.1;AES256\n6162".into())
        );
        assert_eq!(map["b"], Value::Unsafe("{{ x }}".into()));
    }

    #[test]
    fn merge_keys_give_way_to_the_mappings_own() {
        let text = "base: &b {x: 1, y: 2}\nthis:\n  <<: *b\n  y: 3\n";
        let Value::Map(map) = value(text) else {
            panic!()
        };
        let Value::Map(this) = &map["this"] else {
            panic!()
        };
        assert_eq!(
            (this["x"].clone(), this["y"].clone()),
            (Value::Int(1), Value::Int(3))
        );
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        insta::assert_snapshot!(error("a: 1\nb: 2\na: 3\n"), @r"
        t.yml:3:1: the key `a` stands twice in one mapping
          |
        3 | a: 3
          | ^
        help: the first is on line 1; keep one of them
        ");
        assert!(error("a: !what x\n").contains("t.yml:1:"));
        assert!(error("a: [1, 2\n").contains("t.yml:"));
        assert!(error("a: 1\n---\nb: 2\n").contains("second document"));
    }

    #[test]
    fn documents_that_expand_without_end_are_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..10 {
            let before = n - 1;
            let before = vec![format!("*a{before}"); 10].join(",");
            let _ = writeln!(text, "a{n}: &a{n} [{before}]");
        }
        assert!(error(&text).contains("too much"));
        assert!(error(&"[".repeat(5000)).contains("t.yml"));
    }

    proptest! {
        #[test]
        fn floats_are_written_as_they_are_read(number: f64) {
            prop_assume!(!number.is_nan());
            let yaml = write(&Value::Float(number));
            prop_assert_eq!(value(&yaml), Value::Float(number), "{}", yaml);
        }

        #[test]
        fn what_is_written_reads_the_same(text in r#"[-+0-9a-fxoyn_:.,~#'" \n\\&*!|>%@{}\[\]]{0,12}|yes|No|on|0644|1_0|1:30|~|.inf|=|<<|主机"#) {
            let inner = Map::from_iter([(text.clone().into(), Value::string(&text))]);
            let all = Value::List(vec![Value::string(&text), Value::Map(inner)]);
            let yaml = write(&all);
            prop_assert_eq!(value(&yaml), all, "{}", yaml);
        }
    }
}
