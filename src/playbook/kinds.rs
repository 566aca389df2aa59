//! Whether a keyword's value is of the kind it takes, as far as that can be seen before the run.

use super::keyword::{Keyword, Kind};
use super::written::Written;
use crate::base::value::Value;
use crate::base::yaml::{Content, Node};

/// What is wrong with a keyword's value; nothing where a template will decide.
pub(super) fn wrong(keyword: Keyword, value: &Written) -> Option<String> {
    let rule = keyword.rule();
    let name = rule.name;
    if value.is_template() && !matches!(rule.kind, Kind::Conditions) {
        return (!rule.templates)
            .then(|| format!("`{name}` can't be a template: it is read before the run"));
    }
    let wants = wanted(rule.kind, &value.node)?;
    Some(format!(
        "`{name}` takes {wants}, this is {}",
        shown(&value.node)
    ))
}

/// What a kind wants, where the node is not of it.
fn wanted(kind: Kind, node: &Node) -> Option<&'static str> {
    let scalar = |node: &Node| match &node.content {
        Content::Scalar(value) => Some(value.clone()),
        _ => None,
    };
    let fits = match kind {
        Kind::Any => true,
        Kind::Bool => scalar(node).is_some_and(|value| as_bool(&value).is_some()),
        Kind::Int => scalar(node).is_some_and(|value| match value {
            Value::Int(_) => true,
            Value::Float(number) => number.fract() == 0.0,
            Value::String(text) => text.trim().parse::<i64>().is_ok(),
            _ => false,
        }),
        Kind::Number => scalar(node).is_some_and(|value| number(&value)),
        Kind::Percent => scalar(node).is_some_and(|value| match &value {
            Value::String(text) => number(&Value::string(text.trim_end_matches('%'))),
            other => number(other),
        }),
        Kind::Text => scalar(node).is_some(),
        Kind::Texts => texts(node),
        Kind::Conditions => match &node.content {
            Content::List(items) => items.iter().all(|item| scalar(item).is_some()),
            Content::Scalar(_) => true,
            Content::Map(_) => false,
        },
        Kind::Map => match &node.content {
            Content::List(items) => items
                .iter()
                .all(|item| matches!(item.content, Content::Map(_))),
            Content::Map(_) => true,
            Content::Scalar(_) => false,
        },
        Kind::Steps => matches!(node.content, Content::List(_)),
    };
    (!fits).then_some(match kind {
        Kind::Bool => "yes or no",
        Kind::Int => "a whole number",
        Kind::Number => "a number",
        Kind::Percent => "a number or a percentage",
        Kind::Text => "text",
        Kind::Texts => "text or a list of texts",
        Kind::Conditions => "an expression or a list of expressions",
        Kind::Map => "a mapping",
        Kind::Steps => "a list of tasks",
        Kind::Any => "anything",
    })
}

fn texts(node: &Node) -> bool {
    match &node.content {
        Content::List(items) => items.iter().all(texts),
        Content::Scalar(_) => true,
        Content::Map(_) => false,
    }
}

fn number(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Float(_) => true,
        Value::String(text) => text.trim().parse::<f64>().is_ok(),
        _ => false,
    }
}

/// A boolean as Ansible reads it, also of text.
pub fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::String(text) | Value::Unsafe(text) => {
            match text.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" | "on" | "1" | "true" | "t" => Some(true),
                "n" | "no" | "off" | "0" | "false" | "f" => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

fn shown(node: &Node) -> String {
    match &node.content {
        Content::Scalar(Value::String(text)) if text.chars().count() <= 40 => format!("`{text}`"),
        _ => node.value().kind().to_owned(),
    }
}

/// Names that mean something else wherever they stand in a template.
const NEVER_VARIABLES: [&str; 7] = ["true", "false", "none", "True", "False", "None", "not"];

/// Whether a text can be a variable's name. Words of the language may, other than those few.
pub(in crate::playbook) fn is_variable_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !NEVER_VARIABLES.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml;
    use crate::playbook::Source;
    use std::path::Path;

    #[test]
    fn constants_of_a_wrong_kind_are_seen_and_templates_are_left_alone() {
        let table = [
            (
                Keyword::Become,
                "maybe",
                "`become` takes yes or no, this is `maybe`",
            ),
            (Keyword::Become, "'yes'", ""),
            (Keyword::Become, "'{{ x }}'", ""),
            (
                Keyword::Retries,
                "three",
                "`retries` takes a whole number, this is `three`",
            ),
            (Keyword::Retries, "'3'", ""),
            (Keyword::Delay, "0.5", ""),
            (Keyword::MaxFailPercentage, "30%", ""),
            (
                Keyword::Tags,
                "{a: 1}",
                "`tags` takes text or a list of texts, this is a mapping",
            ),
            (Keyword::Tags, "[a, [b, 1]]", ""),
            (Keyword::When, "[a, b]", ""),
            (
                Keyword::When,
                "{a: 1}",
                "`when` takes an expression or a list of expressions, this is a mapping",
            ),
            (
                Keyword::Vars,
                "[1]",
                "`vars` takes a mapping, this is a list",
            ),
            (
                Keyword::Register,
                "'{{ x }}'",
                "`register` can't be a template: it is read before the run",
            ),
            (
                Keyword::Tasks,
                "{a: 1}",
                "`tasks` takes a list of tasks, this is a mapping",
            ),
        ];
        for (keyword, text, expected) in table {
            let source = Source::new(Path::new("t.yml"), text);
            let node = yaml::parse(text, Path::new("t.yml")).unwrap();
            let found = wrong(keyword, &Written::new(&node, &source));
            assert_eq!(found.unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn words_of_the_language_are_names_but_for_those_that_no_template_reads_as_one() {
        for name in ["a", "_", "b9", "if", "class", "lambda", "import", "and"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in [
            "", "9a", "a-b", "a.b", "a b", "é", "not", "none", "None", "true", "False",
        ] {
            assert!(!is_variable_name(name), "{name}");
        }
    }
}
