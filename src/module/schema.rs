//! The JSON schema of a module's file, for the editors of those who write their own: the keys that
//! docs/own-modules.md names. What is for the program's own modules alone does not stand there.

use serde_json::{Value as Json, json};

use super::spec::Type;

/// The JSON schema (draft 2020-12) of a module of one's own.
pub fn schema() -> Json {
    let texts = json!({ "type": ["string", "array"], "items": { "type": "string" } });
    let names = json!({ "type": "array", "items": { "type": "string" } });
    let lists = json!({ "type": "array", "items": names });
    let types: Vec<&str> = Type::ALL.iter().map(|kind| kind.name()).collect();
    let of = |mut schema: Json, description: &str| {
        schema["description"] = json!(description);
        schema
    };
    let mapping = |properties: Json, required: Json| {
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    };
    let parameter = mapping(
        json!({
            "type": of(json!({ "enum": types }), "What it takes; `str` unless said."),
            "elements": of(json!({ "enum": types }), "What a list's elements are."),
            "required": of(json!({ "type": "boolean" }), "Whether it must be given."),
            "default": of(json!({}), "What holds where it is not given."),
            "choices": of(json!({ "type": "array" }), "The only values it takes."),
            "aliases": of(texts.clone(), "Its other names."),
            "no_log": of(json!({ "type": "boolean" }), "Whether its value is a secret."),
            "only": of(json!({ "enum": ["posix", "windows"] }), "Only for hosts of this system."),
            "description": of(texts.clone(), "What it is for."),
        }),
        json!([]),
    );
    let constraints = mapping(
        json!({
            "mutually_exclusive": of(lists.clone(), "At most one of each list."),
            "required_together": of(lists.clone(), "All of each list, or none."),
            "required_one_of": of(lists, "At least one of each list."),
            "required_if": of(
                json!({ "type": "array", "items": { "type": "array", "minItems": 3, "maxItems": 4 } }),
                "[parameter, value, [what is required then]], and `true` where one of them suffices.",
            ),
        }),
        json!([]),
    );
    let returned = mapping(
        json!({
            "type": of(json!({ "type": "string" }), "Its type; `str` unless said."),
            "description": of(texts.clone(), "What it says."),
            "when": of(json!({ "type": "string" }), "When it is there, unless always."),
        }),
        json!([]),
    );
    let text = |description: &str| of(json!({ "type": "string" }), description);
    let flag = |description: &str| of(json!({ "type": "boolean" }), description);
    let named = |schema: Json, description: &str| {
        let schema = json!({ "type": "object", "additionalProperties": schema });
        of(schema, description)
    };
    let mut schema = mapping(
        json!({
            "module": text("Its name; the file is called the same."),
            "short_description": text("What it does, in a line."),
            "description": of(texts.clone(), "More of it."),
            "notes": of(texts, "Remarks for its users."),
            "examples": text("Tasks that use it, as YAML."),
            "parameters": named(parameter, "Its parameters by name."),
            "constraints": of(constraints, "What must hold between parameters."),
            "free_form": text("The parameter that stands behind the module's name."),
            "check": flag("`false`: check mode passes its tasks over."),
            "idempotent": flag("`false`: a task that was under way is not begun again by itself."),
            "returns": named(returned, "What it returns, by name."),
            "posix": text("The script for Unix shells."),
            "windows": text("The script for PowerShell."),
        }),
        json!(["module"]),
    );
    schema["anyOf"] = json!([{ "required": ["posix"] }, { "required": ["windows"] }]);
    schema["title"] = json!("A module for iomsctl");
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::library::files;
    use super::super::spec::Module;
    use super::*;
    use crate::base::yaml;

    /// Keys for the program's own modules alone.
    const OURS: &[&str] = &["names", "any_parameters", "shares", "uses", "control"];

    #[test]
    fn the_schema_in_the_docs_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/module.schema.json");
        let text = format!("{:#}\n", schema());
        if std::env::var_os("IOMS_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, text, "run the test with IOMS_BLESS=1");
    }

    #[test]
    fn each_key_that_the_schema_names_is_read() {
        let schema = schema();
        let keys = |at: &str| {
            let found = schema.pointer(at).and_then(Json::as_object);
            found.unwrap().keys().cloned().collect::<Vec<_>>()
        };
        let read = |text: String| match Module::parse(&text, Path::new("m.yml")) {
            Ok(_) => String::new(),
            Err(why) => why.to_string(),
        };
        for key in keys("/properties") {
            let why = read(format!("module: m\n{key}: 1\n"));
            assert!(!why.contains("has no `"), "{why}");
        }
        for (key, at) in [("parameters", "parameter"), ("returns", "returned value")] {
            let inner = format!("/properties/{key}/additionalProperties/properties");
            for each in keys(&inner) {
                let why = read(format!("{key}: {{x: {{{each}: 1}}}}\n"));
                assert!(!why.contains(&format!("a {at} has no")), "{why}");
            }
        }
        for key in keys("/properties/constraints/properties") {
            let item = if key == "required_if" {
                "[a, 1, [b]]"
            } else {
                "[a, b]"
            };
            let why = read(format!("constraints: {{{key}: [{item}]}}\n"));
            assert!(!why.contains("no such constraint"), "{why}");
        }
    }

    #[test]
    fn each_key_that_modules_have_is_in_the_schema() {
        let schema = schema();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/modules");
        let examples = std::fs::read_dir(root).unwrap();
        let examples =
            examples.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        for text in files().chain(examples) {
            let document = yaml::parse(&text, Path::new("m.yml"))
                .unwrap()
                .value()
                .to_json();
            let fits = |at: &str, value: &Json| {
                let known = schema.pointer(at).and_then(Json::as_object).unwrap();
                for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                    assert!(
                        known.contains_key(key) || OURS.contains(&&**key),
                        "{key} in {at}"
                    );
                }
            };
            fits("/properties", &document);
            fits(
                "/properties/constraints/properties",
                &document["constraints"],
            );
            for part in ["parameters", "returns"] {
                let at = format!("/properties/{part}/additionalProperties/properties");
                for (_, each) in document[part].as_object().into_iter().flatten() {
                    fits(&at, each);
                }
            }
        }
    }
}
