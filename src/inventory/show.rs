//! Variables as people and programs see them: as Ansible's JSON, and as Python prints them. What
//! comes from a vault stays closed.

use serde_json::{Map as Json, Value as JsonValue, json};

use super::model::Located;
use crate::base::value::Value;

/// What stands for the values of a vault file.
pub(super) const MASK: &str = "********";

impl Located {
    /// The value as it may be shown: one that stands in a vault file is masked.
    pub fn shown(&self) -> Value {
        if self.secret {
            Value::string(MASK)
        } else {
            self.value.clone()
        }
    }
}

/// A value as JSON, in Ansible's shape: a vault value stays encrypted.
pub fn to_json(value: &Value) -> JsonValue {
    match value {
        Value::Null | Value::Omit => JsonValue::Null,
        Value::Bool(yes) => json!(yes),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(&**text),
        Value::Unsafe(text) => json!({ "__ansible_unsafe": &**text }),
        Value::Vault(text) => json!({ "__ansible_vault": format!("{text}\n") }),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| (key.to_string(), to_json(value)))
            .collect::<Json<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diag::Place;

    #[test]
    fn what_a_vault_file_holds_is_masked() {
        let located = |secret| Located {
            value: Value::string("s3cret"),
            place: Place::new("vault.yml", 1, 1),
            secret,
        };
        assert_eq!(located(true).shown(), Value::string(MASK));
        assert_eq!(located(false).shown(), Value::string("s3cret"));
    }
}
