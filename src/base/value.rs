//! Values of variables, as inventories, settings and flags hold them: YAML's kinds plus what Ansible
//! adds with tags.

use std::sync::Arc;

use indexmap::IndexMap;

/// A mapping in the order it was written.
pub type Map = IndexMap<Arc<str>, Value>;

/// One value. Cheap to clone where it is text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, nothing.
    Null,
    /// YAML 1.1: also `yes`, `no`, `on`, `off`.
    Bool(bool),
    /// An integer; YAML 1.1 octals (`0644`) are already counted.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// Text; a template where it holds `{{`, `{%` or `{#`.
    String(Arc<str>),
    /// `!vault`: the armoured text, `$ANSIBLE_VAULT;...`, decrypted only when used.
    Vault(Arc<str>),
    /// `!unsafe`: text that is never a template.
    Unsafe(Arc<str>),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping; keys that are no text are kept as YAML shows them.
    Map(Map),
    /// Ansible's `omit`: a parameter with this value was not given. Comes out of templates only.
    Omit,
}

impl Value {
    /// Text of a string.
    pub fn string(text: impl AsRef<str>) -> Self {
        Self::String(Arc::from(text.as_ref()))
    }

    /// The text, where it is one (not of a vault).
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Unsafe(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the text holds template marks.
    pub fn is_template(&self) -> bool {
        matches!(self, Self::String(text) if text.contains("{{") || text.contains("{%") || text.contains("{#"))
    }

    /// As JSON; a vault value stays as it is written.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Omit => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Int(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::String(text) | Self::Unsafe(text) | Self::Vault(text) => (&**text).into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Of JSON that came from elsewhere: its texts are never templates.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Self::Int(number),
                (None, Some(number)) => Self::Float(number),
                (None, None) => Self::Null,
            },
            serde_json::Value::String(text) => Self::Unsafe(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| (key.as_str().into(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// The kind's name for messages: `a mapping`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) | Self::Unsafe(_) => "text",
            Self::Vault(_) => "a vault value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Omit => "omit",
        }
    }

    /// Without the members that are `omit`, at any depth; nothing where it is `omit` itself.
    #[must_use]
    pub fn without_omitted(self) -> Option<Self> {
        match self {
            Self::Omit => None,
            Self::List(items) => Some(Self::List(
                items
                    .into_iter()
                    .filter_map(Self::without_omitted)
                    .collect(),
            )),
            Self::Map(map) => Some(Self::Map(
                map.into_iter()
                    .filter_map(|(key, value)| Some((key, value.without_omitted()?)))
                    .collect(),
            )),
            other => Some(other),
        }
    }
}
