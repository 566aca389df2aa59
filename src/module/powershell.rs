//! A module's program for `PowerShell`: the prelude, the parameters as one table, the script. The
//! language of `PowerShell` 2 and later understands it.
//!
//! `PowerShell` keeps what it has read and compiled, by its text. So what is the same in many tasks of a
//! session (the prelude, each part, a module's script) is a script block of its own text: it is compiled
//! by the first task that needs it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_embed::RustEmbed;

use super::args::display;
use super::call::Call;
use super::error::ModuleError;
use super::spec::Type;
use crate::base::digest::hex;
use crate::base::value::{Map, Value};
use crate::shell::windows::{self, powershell_text};

/// Parts of the prelude.
#[derive(RustEmbed)]
#[folder = "src/module/windows"]
struct Parts;

/// The program of a call. Its frames begin with `mark`.
pub(super) fn program(call: &Call, script: &str, mark: &str) -> Result<String, ModuleError> {
    let flag = |flag: bool| if flag { "$true" } else { "$false" };
    let mut text = format!(
        "$ioms_mark = '{mark}'\n$check = {}\n$diff = {}\n",
        flag(call.situation.check),
        flag(call.situation.diff)
    );
    part(&mut text, "prelude")?;
    for name in call.module.uses.iter().filter(|name| has_part(name)) {
        part(&mut text, name)?;
    }
    let given = call
        .typed()
        .filter_map(|(name, kind, value)| Some((name, literal(value?, kind))))
        .filter(|(_, literal)| literal != NULL);
    table(&mut text, "p", given);
    let extra = call.extra.iter();
    table(
        &mut text,
        "x",
        extra.map(|(name, value)| (&**name, literal(value, Type::Raw))),
    );
    if let Some(payload) = &call.payload {
        let mut words = vec![
            ("size", payload.size.to_string()),
            ("md5", format!("'{}'", hex(&payload.md5))),
        ];
        if let Some(bytes) = payload.travels_along() {
            words.push(("here", format!("'{}'", STANDARD.encode(bytes))));
        }
        table(&mut text, "ioms_payload", words.into_iter());
    }
    text.push_str("try {\n");
    block(&mut text, script);
    text.push_str("} catch { ioms_failed $_ }\nioms_end 0\n");
    Ok(text)
}

/// An answer's beginning: one table. Content follows.
pub(super) fn answer(variables: &Map, size: u64) -> String {
    let mut table = variables.clone();
    table.insert("size".into(), Value::Int(size.cast_signed()));
    mapping(&table) + "\n"
}

const NULL: &str = "$null";

/// Whether there is such a part; one that is not may be Unix'.
pub(super) fn has_part(name: &str) -> bool {
    name == DETACH || Parts::get(&format!("{name}.ps1")).is_some()
}

/// The part by which `run --detach` starts programs, too.
const DETACH: &str = "detach";

/// A text as a script block that is run where it stands.
fn block(text: &mut String, script: &str) {
    let _ = writeln!(
        text,
        ". ([scriptblock]::Create({}))",
        powershell_text(script)
    );
}

fn part(text: &mut String, name: &str) -> Result<(), ModuleError> {
    match Parts::get(&format!("{name}.ps1")) {
        Some(file) => block(text, &String::from_utf8_lossy(&file.data)),
        None if name == DETACH => block(text, windows::detaching()),
        None => {
            return Err(ModuleError::new(format!(
                "there is no part `{name}` for modules"
            )));
        }
    }
    Ok(())
}

/// A table under a variable's name.
fn table<'a>(text: &mut String, name: &str, entries: impl Iterator<Item = (&'a str, String)>) {
    let _ = writeln!(text, "${name} = @{{");
    for (key, literal) in entries {
        let _ = writeln!(text, "{} = {literal}", powershell_text(key));
    }
    text.push_str("}\n");
}

/// A value as `PowerShell` writes it.
fn literal(value: &Value, kind: Type) -> String {
    match value {
        Value::Null => NULL.to_owned(),
        Value::Bool(true) => "$true".to_owned(),
        Value::Bool(false) => "$false".to_owned(),
        // A number that is no 32 bits wide becomes a long by itself.
        Value::Int(number) => number.to_string(),
        Value::Float(_) => format!("[double]'{}'", display(value)),
        Value::List(items) => list(items),
        Value::Map(map) => mapping(map),
        scalar if kind == Type::Path => format!("(ioms_path {})", quoted(&display(scalar))),
        scalar => quoted(&display(scalar)),
    }
}

/// A text. Its parser ends at a zero byte.
fn quoted(text: &str) -> String {
    if !text.contains('\0') {
        return powershell_text(text);
    }
    let parts: Vec<String> = text.split('\0').map(powershell_text).collect();
    format!("({})", parts.join(" + [char]0 + "))
}

fn list(items: &[Value]) -> String {
    let literals: Vec<String> = items.iter().map(|item| literal(item, Type::Raw)).collect();
    match literals.as_slice() {
        // A list of one list would be that list.
        [one] => format!("@(,{one})"),
        many => format!("@({})", many.join(", ")),
    }
}

/// A mapping. Keys that differ by their case alone are one to a table: the last one holds.
fn mapping(map: &Map) -> String {
    let mut entries: Vec<(String, String)> = Vec::new();
    for (key, value) in map {
        let entry = (powershell_text(key), literal(value, Type::Raw));
        match entries
            .iter_mut()
            .find(|(known, _)| known.to_lowercase() == entry.0.to_lowercase())
        {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("@{{{}}}", entries.join("; "))
}

/// The texts that `PowerShell` is given, with a name for each: for the test that holds them to
/// `PowerShell` 3.0.
#[cfg(test)]
pub(super) fn texts() -> Vec<(String, String)> {
    let parts = Parts::iter().filter_map(|name| {
        let text = String::from_utf8_lossy(&Parts::get(&name)?.data).into_owned();
        Some((name.into_owned(), text))
    });
    let scripts = super::library::names().filter_map(|name| {
        let text = super::library::builtin(&name)?.windows.clone()?;
        Some((format!("{name}.yml"), text))
    });
    parts.chain(scripts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_so_that_powershell_reads_the_same() {
        let text = |text: &str| Value::string(text);
        let cases = [
            (text("it's $x `n"), "'it''s $x `n'"),
            (text("a\0b"), "('a' + [char]0 + 'b')"),
            (Value::Int(-5), "-5"),
            (Value::Float(1.5), "[double]'1.5'"),
            (Value::List(vec![]), "@()"),
            (Value::List(vec![text("a")]), "@(,'a')"),
            (
                Value::List(vec![text("a"), Value::Bool(true)]),
                "@('a', $true)",
            ),
        ];
        for (value, wanted) in cases {
            assert_eq!(literal(&value, Type::Raw), wanted);
        }
        let map = [("K", text("1")), ("k", text("2")), ("b", text("3"))];
        let map = map.into_iter().map(|(key, value)| (key.into(), value));
        assert_eq!(mapping(&map.collect()), "@{'k' = '2'; 'b' = '3'}");
    }
}
