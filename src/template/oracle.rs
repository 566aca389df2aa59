//! What ansible-core 2.19 makes of templates, and ours must make too: the tables of
//! tests/oracle/templates, which a script writes anew.

use std::sync::Arc;

use super::val::Val;
use super::{Found, Scope, condition, convert, python, render};
use crate::base::secret::Secret;
use crate::base::value::{Map, Value};
use crate::base::yaml;

/// The variables of a table.
pub(super) struct Table(pub(super) Map);

impl Scope for Table {
    fn lookup(&self, name: &str) -> Result<Option<Found>, String> {
        Ok(self.0.get(name).map(|value| Found {
            value: value.clone(),
            origin: "vars.yml:1".into(),
            secret: name == "sealed",
        }))
    }

    fn open(&self, vault: &str) -> Result<Secret, String> {
        vault
            .strip_prefix("closed:")
            .map(Secret::new)
            .ok_or_else(|| "no password".into())
    }

    fn lazy(&self, name: &str) -> Option<Arc<dyn super::LazyMap>> {
        (name == "hostvars").then(|| Arc::new(Hosts) as Arc<dyn super::LazyMap>)
    }

    fn template(&self, name: &str) -> Result<Option<(String, Arc<str>)>, String> {
        let text = match name {
            "base.j2" => "<{% block a %}base{% endblock %}|{% block b %}b{% endblock %}>",
            "child.j2" => "{% extends 'base.j2' %}{% block a %}child {{ super() }}{% endblock %}",
            "lib.j2" => "{% macro m(x) %}[{{ x }}]{% endmacro %}{% set v = 7 %}",
            "part.j2" => "part {{ name }}{{ local | default('-') }}\n",
            "loop.j2" => "{% include 'loop.j2' %}",
            "wrong.j2" => "{{ nope }}",
            _ => return Ok(None),
        };
        Ok(Some((name.to_owned(), Arc::from(text))))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().cloned().collect()
    }
}

/// A thousand hosts, each with variables of its own.
struct Hosts;

impl super::LazyMap for Hosts {
    fn keys(&self) -> Vec<Arc<str>> {
        (0..1000).map(|at| Arc::from(format!("web{at}"))).collect()
    }

    fn get(&self, key: &str) -> Result<Option<super::LazyItem>, String> {
        let Some(number) = key.strip_prefix("web").and_then(|n| n.parse().ok()) else {
            return Ok(None);
        };
        let map = [
            ("number", Value::Int(number)),
            ("address", Value::string("10.0.0.{{ number }}")),
            ("bad", Value::string("{{ nope }}")),
        ];
        let map = map.into_iter().map(|(key, value)| (Arc::from(key), value));
        let scope: Arc<dyn Scope> = Arc::new(Table(map.collect()));
        Ok(Some(super::LazyItem::Map(Arc::new(super::ScopeMap(scope)))))
    }
}

pub(super) fn scope() -> Arc<dyn Scope> {
    let text = include_str!("../../tests/oracle/templates/vars.yml");
    let node = yaml::parse(text, std::path::Path::new("vars.yml")).unwrap();
    let Value::Map(map) = node.value() else {
        panic!("vars.yml is a mapping");
    };
    Arc::new(Table(map))
}

fn answer(written: &str, scope: &Arc<dyn Scope>) -> String {
    let text = written.replace('⏎', "\n").replace('␍', "\r");
    let result = match text.strip_prefix("? ") {
        Some(bare) => condition(&Value::string(bare), scope).map(Val::Bool),
        None => render(&Value::string(&text), scope)
            .map(|done| convert::to_val(&done.value, scope, &Arc::from(""))),
    };
    match result {
        Ok(Val::Omit) => "! A template was resolved to an Omit scalar.".to_owned(),
        Ok(value) => python::repr(&value),
        Err(error) => format!("! {}", error.message),
    }
}

fn table(name: &str, text: &str) {
    let scope = scope();
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (template, expected) = line.split_once(" ==> ").unwrap();
        let template = template.strip_prefix('~').unwrap_or(template);
        let ours = answer(template, &scope);
        lines += 1;
        if !agree(&ours, expected) {
            wrong.push(format!(
                "{template}\n  oracle: {expected}\n  ours:   {ours}"
            ));
        }
    }
    assert!(lines > 0, "{name} is empty");
    assert!(
        wrong.is_empty(),
        "{name}: {} of {lines}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Results are the same to the letter; of errors, what went wrong.
fn agree(ours: &str, oracle: &str) -> bool {
    let (Some(ours), Some(oracle)) = (ours.strip_prefix("! "), oracle.strip_prefix("! ")) else {
        return ours == oracle;
    };
    let oracle = oracle.split('⏎').next().unwrap_or(oracle);
    let oracle = oracle
        .strip_prefix("Error rendering template: ")
        .unwrap_or(oracle);
    let oracle = oracle.replace(" at '<unknown>'", "");
    ours == oracle
        || ours.starts_with(oracle.trim_end_matches('.'))
        || oracle.starts_with(ours.trim_end_matches('.'))
}

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let text = include_str!(concat!("../../tests/oracle/templates/", stringify!($name), ".txt"));
                table(stringify!($name), text);
            }
        )*
    };
}

tables!(core, dicts, lists, lookups, numbers, paths, regex, text);
