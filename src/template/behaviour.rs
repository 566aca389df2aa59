//! What templates promise beyond the oracle's tables: places, secrets, bounds, other files, laziness.

use std::sync::Arc;

use super::oracle::scope;
use super::{Cause, Meant, TextOptions, check, condition, lookup, names_used, render, render_text};
use crate::base::value::{Map, Value};

fn value(text: &str) -> Result<Value, super::TemplateError> {
    render(&Value::string(text), &scope()).map(|done| done.value)
}

fn file(text: &str) -> Result<Value, super::TemplateError> {
    render_text(text, &TextOptions::default(), &scope()).map(|done| done.value)
}

#[test]
fn errors_name_the_expression_and_its_place() {
    let error = value("first\n  {{ port + nope.x }} rest").unwrap_err();
    let place = error.place.unwrap();
    assert_eq!((place.line, place.column), (2, 13));
    assert_eq!(
        (error.cause, &*error.expression),
        (Cause::Undefined, "nope.x")
    );
    let error = value("{{ a_template_that_is_bad | default(bad) }}").unwrap_err();
    assert_eq!(error.message, "'nope' is undefined");
    assert_eq!(error.expression, "nope");
    assert!(
        error
            .origin
            .as_deref()
            .unwrap()
            .contains("variable `bad`, vars.yml")
    );
    let error = value("{{ port | uppper }}").unwrap_err();
    assert_eq!(error.cause, Cause::Syntax);
    assert!(error.message.contains("Did you mean 'upper'?"), "{error}");
    assert_eq!(error.place.unwrap().column, 11);
    let error = value("{{ [1, 2] | combine({}) }}").unwrap_err();
    assert_eq!(error.expression, "[1, 2] | combine({})");
}

#[test]
fn what_comes_out_of_a_vault_is_secret_and_only_that() {
    let mut map = Map::new();
    map.insert(Arc::from("name"), Value::string("db"));
    map.insert(Arc::from("pw"), Value::Vault(Arc::from("closed:hunter2")));
    let login = Value::Map(map);
    let mut vars = Map::new();
    vars.insert(Arc::from("login"), login.clone());
    vars.insert(Arc::from("logins"), Value::List(vec![login]));
    vars.insert(Arc::from("sealed"), Value::string("x"));
    vars.insert(
        Arc::from("shut"),
        Value::Vault(Arc::from("no password for it")),
    );
    let scope: Arc<dyn super::Scope> = Arc::new(super::oracle::Table(vars));
    let table = [
        ("u:{{ login.pw }}", true, "u:hunter2"),
        ("{{ login.name }}", false, "db"),
        ("{{ logins | map(attribute='name') | first }}", false, "db"),
        (
            "{{ logins | selectattr('name', 'eq', 'db') | map(attribute='pw') | join }}",
            true,
            "hunter2",
        ),
        ("{{ 'name' in login }}x", false, "Truex"),
        ("{{ lookup('vars', 'login').pw }}", true, "hunter2"),
        ("{{ sealed }}", true, "x"),
        ("{{ shut is defined }}x", false, "!"),
    ];
    for (text, secret, expected) in table {
        match render(&Value::string(text), &scope) {
            Ok(done) => {
                assert_eq!(done.value, Value::string(expected), "{text}");
                assert_eq!(done.secret, secret, "{text}");
            }
            Err(error) => assert_eq!((expected, &*error.message), ("!", "no password"), "{text}"),
        }
    }
}

#[test]
fn what_was_rendered_or_came_from_a_host_is_never_rendered() {
    let mut vars = Map::new();
    vars.insert(Arc::from("raw"), Value::Unsafe(Arc::from("{{ 1 + 1 }}")));
    vars.insert(
        Arc::from("marks"),
        Value::string("{{ '{' ~ '{ 1 }' ~ '}' }}"),
    );
    let scope: Arc<dyn super::Scope> = Arc::new(super::oracle::Table(vars));
    for text in [
        "{{ raw }}",
        "{{ raw | trim }}",
        "{{ lookup('vars', 'raw') }}",
        "{{ [raw] | first }}",
    ] {
        let done = render(&Value::string(text), &scope).unwrap().value;
        assert_eq!(done, Value::Unsafe(Arc::from("{{ 1 + 1 }}")), "{text}");
    }
    let marks = render(&Value::string("{{ marks }}"), &scope).unwrap().value;
    assert_eq!(marks, Value::Unsafe(Arc::from("{{ 1 }}")));
    assert!(condition(&Value::Unsafe(Arc::from("true")), &scope).is_err());
}

#[test]
fn evaluation_is_bounded() {
    let hostile = [
        "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{{ range(100000000000) }}",
        "{{ [1] * 10000000000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 2 ** 100000 }}",
        "{{ '%999999999s' % 'x' }}",
        "{{ ('a' * 30) | regex_search('(a*)*b') }}x{{ 'x'.ljust(10000000000) }}",
        "{% set x = [] %}{% set _ = x.append(x) %}{{ x }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{{ range(1000) | permutations(5) | list | length }}",
        "{{ loop_a }}",
    ];
    let mut vars = Map::new();
    vars.insert(Arc::from("loop_a"), Value::string("{{ loop_b }}"));
    vars.insert(Arc::from("loop_b"), Value::string("{{ loop_a }}"));
    let scope: Arc<dyn super::Scope> = Arc::new(super::oracle::Table(vars));
    for text in hostile {
        assert!(render(&Value::string(text), &scope).is_err(), "{text}");
    }
    let deep = [
        format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(50_000)),
        format!("{{{{ x{} }}}}", ".a".repeat(50_000)),
        format!("{{{{ x{} }}}}", " | upper".repeat(50_000)),
        "{% if true %}".repeat(5000),
        format!(
            "{{% if true %}}{}{{% endif %}}",
            "{% elif true %}".repeat(5000)
        ),
    ];
    for text in deep {
        assert!(render(&Value::string(&text), &scope).is_err());
        let _ = check(&text, Meant::Value);
    }
    assert!(value(&format!("{{{{ {} }}}}", vec!["'a'"; 100].join(" ~ "))).is_ok());
}

#[test]
fn templates_use_other_templates() {
    let table = [
        (
            "{% extends 'base.j2' %}{% block a %}x{% endblock %}",
            "<x|b>",
        ),
        (
            "{% extends 'child.j2' %}{% block b %}{{ self.a() }}{% endblock %}",
            "<child base|child base>",
        ),
        (
            "{% import 'lib.j2' as lib %}{{ lib.m(1) }}{{ lib.v }}",
            "[1]7",
        ),
        (
            "{% from 'lib.j2' import m as n with context %}{{ n(port) }}",
            "[22]",
        ),
        ("{% set local = 1 %}{% include 'part.j2' %}!", "part web1!"),
        ("{% include ['no.j2', 'part.j2'] %}", "part web-"),
        ("{% include 'no.j2' ignore missing %}x", "x"),
        ("{{ lookup('template', 'part.j2') }}", "part web-\n"),
        ("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("{{ 'a\\nb' }}\n\n", "a\nb\n\n"),
        ("{{ none }}{{ 5 }}", "5"),
        (
            "#jinja2: trim_blocks: False, variable_start_string: '[[', variable_end_string: ']]'\n{% if true %}\n[[ port ]]{% endif %}",
            "\n22",
        ),
        (
            "#jinja2: lstrip_blocks: True\n  {% if true %}\nx{% endif %}",
            "x",
        ),
        (
            "#jinja2: trim_blocks: True\n{%- if true %}x{% endif %}",
            "x",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(file(text).unwrap(), Value::string(expected), "{text}");
    }
    assert_eq!(file("{{ 5 }}").unwrap(), Value::string("5"));
    assert!(
        file("{% include 'no.j2' %}")
            .unwrap_err()
            .message
            .contains("no.j2")
    );
    assert!(file("{% include 'loop.j2' %}").is_err());
    let error = file("{% include 'wrong.j2' %}").unwrap_err();
    assert_eq!(error.origin.as_deref(), Some("template `wrong.j2`"));
}

#[test]
fn marks_and_whitespace_of_files_are_options() {
    let options = TextOptions {
        variable_start: "[[".into(),
        variable_end: "]]".into(),
        block_start: "<%".into(),
        block_end: "%>".into(),
        lstrip_blocks: true,
        ..TextOptions::default()
    };
    let done = render_text(
        "  <% if true %>\n[[ port ]] {{ x }}\n  <% endif %>\n",
        &options,
        &scope(),
    );
    assert_eq!(
        done.unwrap().value,
        Value::Unsafe(Arc::from("22 {{ x }}\n"))
    );
    let plain = TextOptions {
        trim_blocks: false,
        ..TextOptions::default()
    };
    let done = render_text("{% if true %}\nx{% endif %}", &plain, &scope());
    assert_eq!(done.unwrap().value, Value::string("\nx"));
}

#[test]
fn line_ends_of_a_file_are_those_asked_for_and_those_of_values_stay() {
    let ends = |text: &str, newline: &str| {
        let options = TextOptions {
            newline: newline.into(),
            ..TextOptions::default()
        };
        render_text(text, &options, &scope()).unwrap().value
    };
    // What ansible-core's template module wrote, also where it counts line ends in its own way.
    let table = [
        ("{{ port }}\r\n", ["22\n", "22\r\n", "22\r"]),
        ("{{ port }}\r\n\r\n", ["22\n", "22\r\n", "22\r\r"]),
        ("{{ port }}\n\n", ["22\n\n", "22\r\n\r\n", "22\r\r\r"]),
        (
            "x\r\n{{ port }}\r\ny\n",
            ["x\n22\ny\n", "x\r\n22\r\ny\r\n", "x\r22\ry\r"],
        ),
        ("x\r{{ port }}\r", ["x\n22", "x\r\n22", "x\r22"]),
        ("{{ 'p\nq' }}\n", ["p\nq\n", "p\r\nq\r\n", "p\rq\r"]),
        ("{{ 'v\\r\\n' }}\r\n", ["v\r\n", "v\r\n", "v\r\n"]),
        (
            "#jinja2: trim_blocks: True\n{{ port }}\n",
            ["22\n", "22\r\n", "22\r"],
        ),
    ];
    for (text, expected) in table {
        for (newline, expected) in ["\n", "\r\n", "\r"].into_iter().zip(expected) {
            assert_eq!(
                ends(text, newline),
                Value::string(expected),
                "{text:?} {newline:?}"
            );
        }
    }
}

#[test]
fn large_mappings_are_looked_into_where_they_are_touched() {
    let table = [
        ("{{ hostvars['web7'].address }}", Value::string("10.0.0.7")),
        ("{{ hostvars.web7['number'] + 1 }}", Value::Int(8)),
        ("{{ hostvars['nope'] is defined }}", Value::Bool(false)),
        ("{{ hostvars.web1.bad | default('x') }}", Value::string("x")),
        ("{{ 'web3' in hostvars }}", Value::Bool(true)),
        ("{{ hostvars | length }}", Value::Int(1000)),
        (
            "{{ ['web1', 'web2'] | map('extract', hostvars, 'address') | join(',') }}",
            Value::string("10.0.0.1,10.0.0.2"),
        ),
        ("{{ hostvars.get('nope', {}).get('x', 5) }}", Value::Int(5)),
        ("{{ vars.port }}", Value::Int(22)),
    ];
    for (text, expected) in table {
        assert_eq!(value(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_check_finds_all_unknown_names_without_running_anything() {
    let found = check(
        "{{ x | uppper }} {{ y is defned }} {{ lookup('fil', z) | map('lowr') }}",
        Meant::Value,
    );
    let shown: Vec<_> = found
        .iter()
        .map(|problem| {
            (
                &*problem.message,
                problem.suggestion.as_deref(),
                problem.place.column,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("No filter named 'uppper'.", Some("upper"), 8),
            ("No test named 'defned'.", Some("defined"), 26),
            ("The lookup plugin 'fil' was not found.", Some("file"), 46),
            ("No filter named 'lowr'.", Some("lower"), 62),
        ]
    );
    assert!(
        check(
            "a {{ fine | community.general.json_query('x') }}",
            Meant::Value
        )
        .is_empty()
    );
    assert!(check("no template | nofilter", Meant::Value).is_empty());
    assert_eq!(check("x is defined and", Meant::Condition).len(), 1);
    assert!(check("{{ x }}", Meant::Condition).is_empty());
    assert_eq!(check("{% if x %}", Meant::Value).len(), 1);
}

#[test]
fn a_check_looks_into_texts_that_are_templates_themselves() {
    for (text, meant, message) in [
        (
            "a and '{{ 1 | nofilter }}' == '1'",
            Meant::Condition,
            "No filter named 'nofilter'.",
        ),
        (
            "a and x is match('{{ n ')",
            Meant::Condition,
            "Syntax error in template",
        ),
        (
            "{{ a }}{{ lookup('file', '{{ 1 | nofilter }}') }}",
            Meant::Value,
            "No filter named 'nofilter'.",
        ),
        (
            "{{ a }}{{ lookup(p, *['{{ 1 | nofilter }}']) }}",
            Meant::Value,
            "No filter named 'nofilter'.",
        ),
    ] {
        let found = check(text, meant);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].message.contains(message), "{text}: {found:?}");
        assert!(found[0].deferred, "{text}");
        assert_eq!(
            text.get(found[0].place.offset..=found[0].place.offset),
            Some("'"),
            "{text}"
        );
    }
    let uses = names_used("x == '{{ lookup(\"env\", y) }}'", Meant::Condition);
    assert!(
        uses.lookups.contains("env") && uses.names.contains("y"),
        "{uses:?}"
    );
}

#[test]
fn the_names_that_a_template_uses_are_known() {
    let uses = names_used(
        "{% set a = b.c %}{% for i in d | map(e) %}{{ a + i + ansible_facts.x }}{% endfor %}{{ lookup('env', f) }}",
        Meant::Value,
    );
    let names: Vec<&str> = uses.names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["ansible_facts", "b", "d", "e", "f", "lookup"]);
    assert!(!uses.indirect);
    assert!(names_used("hostvars[x].y == 1", Meant::Condition).indirect);
    assert!(names_used("{{ lookup('vars', 'x') }}", Meant::Value).indirect);
    assert!(names_used("plain", Meant::Value).names.is_empty());
}

#[test]
fn loops_look_things_up_by_name() {
    let one = Value::List(vec![Value::Int(1), Value::List(vec![Value::Int(2)])]);
    let found = lookup("flattened", &[one], &[], &scope()).unwrap().value;
    assert_eq!(found, Value::List(vec![Value::Int(1), Value::Int(2)]));
    let error = lookup("file", &[Value::string("x")], &[], &scope()).unwrap_err();
    assert!(error.message.contains("not available here"));
    assert!(lookup("nolookup", &[], &[], &scope()).is_err());
}

#[test]
fn parameters_that_are_omitted_are_gone() {
    let mut map = Map::new();
    map.insert(Arc::from("a"), Value::string("{{ nope | default(omit) }}"));
    map.insert(
        Arc::from("b"),
        Value::List(vec![Value::string("{{ omit }}"), Value::Int(1)]),
    );
    let done = render(&Value::Map(map), &scope()).unwrap().value;
    let mut expected = Map::new();
    expected.insert(Arc::from("b"), Value::List(vec![Value::Int(1)]));
    assert_eq!(done, Value::Map(expected));
    assert_eq!(value("{{ omit }}").unwrap(), Value::Omit);
}

#[test]
fn the_page_on_templates_names_all_there_is_and_nothing_else() {
    let page = include_str!("../../docs/templates.md");
    let lists = [
        ("## Filters", super::filter_names()),
        ("## Tests", super::test_names()),
        ("## Lookups", super::lookup_names()),
    ];
    for (heading, names) in lists {
        let section = page.split(heading).nth(1).unwrap();
        let list = section.split("\n\n").nth(1).unwrap();
        let mut listed: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        listed.sort_unstable();
        assert_eq!(listed, names, "{heading}");
    }
}
