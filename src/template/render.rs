//! Rendering: variables are looked up as they are named, vaults opened as they are used, variables
//! within variables rendered in turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Value as Jinja};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::convert::{from_jinja, to_jinja};
use super::filters;
use crate::base::secret::Secret;
use crate::base::value::Value;

/// Steps a template may take.
const FUEL: u64 = 200_000;
/// How deep variables may lead to variables.
const DEPTH_MAX: usize = 20;

/// A variable as somebody set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The value as written.
    pub value: Value,
    /// The place, for messages.
    pub origin: String,
    /// Whether it stands in a file that is a vault as a whole.
    pub secret: bool,
}

/// Where variables come from.
pub trait Scope: Send + Sync + 'static {
    /// A variable as written; `None` when nobody set it.
    fn lookup(&self, name: &str) -> Result<Option<Found>, String>;
    /// Opens a vault value.
    fn open(&self, vault: &str) -> Result<Secret, String>;
}

/// A value ready for use.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Without templates and vaults.
    pub value: Value,
    /// Whether a vault had a part in it.
    pub secret: bool,
}

/// Why a value can't be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(pub String);

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            env.set_syntax(syntax);
        }
        env.set_fuel(Some(FUEL));
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        filters::add(&mut env);
        env
    })
}

/// Renders a value: its templates, also within lists and mappings, and its vaults.
pub fn render(value: &Value, scope: &Arc<dyn Scope>) -> Result<Rendered, TemplateError> {
    let run = Arc::new(Run {
        scope: scope.clone(),
        secret: AtomicBool::new(false),
        error: Mutex::default(),
    });
    let value = run.value(value, 0)?;
    Ok(Rendered {
        value,
        secret: run.secret.load(Ordering::Relaxed),
    })
}

struct Run {
    scope: Arc<dyn Scope>,
    secret: AtomicBool,
    /// The first error of a variable within: objects can't return one.
    error: Mutex<Option<TemplateError>>,
}

impl Run {
    fn value(self: &Arc<Self>, value: &Value, depth: usize) -> Result<Value, TemplateError> {
        if depth > DEPTH_MAX {
            return Err(TemplateError(
                "variables refer to each other without end".into(),
            ));
        }
        match value {
            Value::Vault(text) => {
                self.secret.store(true, Ordering::Relaxed);
                let opened = self.scope.open(text).map_err(TemplateError)?;
                Ok(Value::string(opened.expose()))
            }
            Value::String(text) if value.is_template() => self.template(text, depth),
            Value::List(items) => items
                .iter()
                .map(|item| self.value(item, depth))
                .collect::<Result<_, _>>()
                .map(Value::List),
            Value::Map(map) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.value(value, depth)?)))
                .collect::<Result<_, _>>()
                .map(Value::Map),
            plain => Ok(plain.clone()),
        }
    }

    fn template(self: &Arc<Self>, text: &str, depth: usize) -> Result<Value, TemplateError> {
        let env = environment();
        let context = Jinja::from_object(Context {
            run: self.clone(),
            depth,
        });
        // One expression alone gives its value, not its text.
        let result = match whole_expression(text) {
            Some(expression) => env
                .compile_expression(expression)
                .and_then(|expression| expression.eval(context))
                .and_then(|value| {
                    if value.is_undefined() {
                        Err(minijinja::Error::new(
                            minijinja::ErrorKind::UndefinedError,
                            "a variable is not set".to_owned(),
                        ))
                    } else {
                        Ok(from_jinja(&value))
                    }
                }),
            None => env.render_str(text, context).map(Value::string),
        };
        if let Some(inner) = self.error.lock().ok().and_then(|mut error| error.take()) {
            return Err(inner);
        }
        result.map_err(|error| {
            let detail = error
                .detail()
                .map_or_else(|| error.kind().to_string(), str::to_owned);
            TemplateError(format!("can't render `{}`: {detail}", shown(text)))
        })
    }
}

fn shown(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(120)
        .collect()
}

/// The inside of a text that is one `{{ ... }}` and nothing else.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%")).then(|| {
        // `{{- x -}}` trims space around; `{{ -1 }}` is a number.
        let inner = inner.strip_prefix('-').unwrap_or(inner);
        inner.strip_suffix('-').unwrap_or(inner).trim()
    })
}

struct Context {
    run: Arc<Run>,
    depth: usize,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let found = match self.run.scope.lookup(name) {
            Ok(found) => found?,
            Err(why) => return self.fail(TemplateError(why)),
        };
        if found.secret {
            self.run.secret.store(true, Ordering::Relaxed);
        }
        match self.run.value(&found.value, self.depth + 1) {
            Ok(value) => Some(to_jinja(&value)),
            Err(TemplateError(why)) => self.fail(TemplateError(format!(
                "{why} (in `{name}`, {})",
                found.origin
            ))),
        }
    }
}

impl Context {
    fn fail(&self, error: TemplateError) -> Option<Jinja> {
        if let Ok(mut first) = self.run.error.lock() {
            first.get_or_insert(error);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Map;

    struct Vars(Map);

    impl Scope for Vars {
        fn lookup(&self, name: &str) -> Result<Option<Found>, String> {
            Ok(self.0.get(name).map(|value| Found {
                value: value.clone(),
                origin: "t.yml:1".into(),
                secret: name == "sealed",
            }))
        }
        fn open(&self, vault: &str) -> Result<Secret, String> {
            vault
                .strip_prefix("closed:")
                .map(Secret::new)
                .ok_or_else(|| "no password".into())
        }
    }

    fn scope() -> Arc<dyn Scope> {
        let vars = [
            ("port", Value::Int(22)),
            ("name", Value::string("web")),
            ("fqdn", Value::string("{{ name }}.game.cn")),
            ("raw", Value::Unsafe("{{ name }}".into())),
            ("sealed", Value::string("hunter3")),
            ("pw", Value::Vault("closed:hunter2".into())),
            ("login", Value::string("u:{{ pw }}")),
            ("a", Value::string("{{ b }}")),
            ("b", Value::string("{{ a }}")),
            (
                "m",
                Value::Map(Map::from_iter([(Arc::from("k"), Value::Int(1))])),
            ),
        ];
        Arc::new(Vars(
            vars.into_iter()
                .map(|(name, value)| (Arc::from(name), value))
                .collect(),
        ))
    }

    fn text(template: &str) -> Result<Value, String> {
        render(&Value::string(template), &scope())
            .map(|rendered| rendered.value)
            .map_err(|error| error.0)
    }

    #[test]
    fn expressions_keep_their_kind_and_texts_are_joined() {
        assert_eq!(text("{{ port }}").unwrap(), Value::Int(22));
        assert_eq!(text("{{ port + 1 }}").unwrap(), Value::Int(23));
        assert_eq!(
            text("{{ [1, 'a'] }}").unwrap(),
            Value::List(vec![Value::Int(1), Value::string("a")])
        );
        assert_eq!(
            text("{{ fqdn }}:{{ port }}").unwrap(),
            Value::string("web.game.cn:22")
        );
        assert_eq!(text("{{ raw }}").unwrap(), Value::string("{{ name }}"));
        assert_eq!(
            text("{{ missing | default('x') }}").unwrap(),
            Value::string("x")
        );
        assert_eq!(text("{{ name.upper() }}").unwrap(), Value::string("WEB"));
        assert_eq!(text("{{ m['k'] }}").unwrap(), Value::Int(1));
        assert_eq!(text("{{ m.k }}").unwrap(), Value::Int(1));
        assert_eq!(text("{{ -1 }}").unwrap(), Value::Int(-1));
        assert_eq!(text("{{- port -}}").unwrap(), Value::Int(22));
    }

    #[test]
    fn what_comes_out_of_a_vault_is_secret() {
        let rendered = render(&Value::string("{{ login }}"), &scope()).unwrap();
        assert_eq!(
            (rendered.value, rendered.secret),
            (Value::string("u:hunter2"), true)
        );
        let of_file = render(&Value::string("x{{ sealed }}"), &scope()).unwrap();
        assert!(of_file.secret);
        assert!(
            !render(&Value::string("{{ name }}"), &scope())
                .unwrap()
                .secret
        );
    }

    #[test]
    fn mistakes_are_errors_that_name_the_expression() {
        assert!(text("{{ missing }}").unwrap_err().contains("missing"));
        assert!(text("{{ a }}").unwrap_err().contains("without end"));
        assert!(
            text("{{ name | nofilter }}")
                .unwrap_err()
                .contains("nofilter")
        );
        assert!(
            text("{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}")
                .is_err()
        );
    }

    #[test]
    fn filters_do_as_in_ansible() {
        let table = [
            ("{{ 'a/b/c.txt' | basename }}", "c.txt"),
            ("{{ 'a/b' | dirname }}", "a"),
            ("{{ 'x' | b64encode | b64decode }}", "x"),
            (
                "{{ 'web01' | regex_replace('^web(\\d+)$', 'db\\\\1') }}",
                "db01",
            ),
            ("{{ (port == 22) | ternary('yes', 'no') }}", "yes"),
            ("{{ 'a b' | quote }}", "'a b'"),
            (
                "{{ {'a': 1} | combine({'b': 2}) | to_json }}",
                r#"{"a":1,"b":2}"#,
            ),
        ];
        for (template, expected) in table {
            assert_eq!(
                text(template).unwrap(),
                Value::string(expected),
                "{template}"
            );
        }
    }
}
