//! A module's page: what `iomsctl doc` shows and docs/modules/ holds.

use std::fmt::Write as _;

use super::spec::{Constraint, Module, Parameter};
use crate::base::python::python;
use crate::base::value::Value;

impl Module {
    /// The page, as Markdown.
    pub fn page(&self) -> String {
        let mut page = format!(
            "# {}\n\n{}.\n",
            self.name,
            self.short_description.trim_end_matches('.')
        );
        for paragraph in &self.description {
            let _ = write!(page, "\n{}\n", paragraph.trim());
        }
        self.head(&mut page);
        self.parameters_table(&mut page);
        if !self.constraints.is_empty() {
            page.push('\n');
            for constraint in &self.constraints {
                let _ = writeln!(page, "- {}", rule(constraint));
            }
        }
        if !self.examples.trim().is_empty() {
            let _ = write!(
                page,
                "\n## Examples\n\n```yaml\n{}\n```\n",
                self.examples.trim_end()
            );
        }
        self.returned(&mut page);
        if !self.notes.is_empty() {
            page.push_str("\n## Notes\n\n");
            for note in &self.notes {
                let _ = writeln!(page, "- {}", note.trim());
            }
        }
        page
    }

    /// On which systems it is, and how it behaves.
    fn head(&self, page: &mut String) {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let systems = match (self.control, self.posix.is_some(), self.windows.is_some()) {
            (true, ..) => "all hosts (done by the controller)",
            (_, true, true) => "Unix and Windows hosts",
            (_, true, false) => "Unix hosts",
            (_, false, _) => "Windows hosts",
        };
        let _ = write!(
            page,
            "\n- For: {systems}\n- Check mode: {}\n- May be begun again without harm: {}\n",
            yes(self.check),
            yes(self.idempotent)
        );
        if !self.names.is_empty() {
            let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(page, "- Other names: {}", names.join(", "));
        }
    }

    fn parameters_table(&self, page: &mut String) {
        if self.parameters.is_empty() {
            return;
        }
        page.push_str(
            "\n## Parameters\n\n| parameter | type | default | |\n| --- | --- | --- | --- |\n",
        );
        for parameter in &self.parameters {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                parameter.name,
                kind(parameter),
                default(parameter),
                cell(&about(parameter, self.free_form.as_deref()))
            );
        }
    }

    fn returned(&self, page: &mut String) {
        if self.returns.is_empty() {
            return;
        }
        page.push_str("\n## Returned values\n\n| value | type | |\n| --- | --- | --- |\n");
        for value in &self.returns {
            let when = value.when.as_ref().map(|when| format!(" ({when})"));
            let about = value.description.clone() + &when.unwrap_or_default();
            let _ = writeln!(
                page,
                "| `{}` | {} | {} |",
                value.name,
                value.kind,
                cell(&about)
            );
        }
    }
}

fn kind(parameter: &Parameter) -> String {
    match parameter.elements {
        Some(element) => format!("{} of {}", parameter.kind.name(), element.name()),
        None => parameter.kind.name().to_owned(),
    }
}

fn default(parameter: &Parameter) -> String {
    match &parameter.default {
        _ if parameter.required => "**required**".to_owned(),
        None | Some(Value::Null) => String::new(),
        Some(value) => format!("`{}`", cell(&written(value))),
    }
}

fn about(parameter: &Parameter, free_form: Option<&str>) -> String {
    let mut about = parameter.description.clone();
    let mut add = |text: String| {
        if !about.is_empty() {
            about.push(' ');
        }
        about.push_str(&text);
    };
    if !parameter.choices.is_empty() {
        let choices: Vec<String> = parameter
            .choices
            .iter()
            .map(|choice| format!("`{}`", written(choice)))
            .collect();
        add(format!("One of {}.", choices.join(", ")));
    }
    if !parameter.aliases.is_empty() {
        let aliases: Vec<String> = parameter
            .aliases
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        add(format!("Also {}.", aliases.join(", ")));
    }
    if free_form == Some(&parameter.name) {
        add("What stands behind the module's name.".to_owned());
    }
    match parameter.only.as_deref() {
        Some("windows") => add("(Windows)".to_owned()),
        Some("posix") => add("(Unix)".to_owned()),
        _ => {}
    }
    about
}

/// A value as a playbook writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) if text.is_empty() => "''".to_owned(),
        other => python(other),
    }
}

fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn rule(constraint: &Constraint) -> String {
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    match constraint {
        Constraint::MutuallyExclusive(names) => format!("At most one of {}.", list(names)),
        Constraint::RequiredTogether(names) => format!("All or none of {}.", list(names)),
        Constraint::RequiredOneOf(names) => format!("At least one of {}.", list(names)),
        Constraint::RequiredIf {
            parameter,
            value,
            required,
            any,
        } => format!(
            "With `{parameter}: {}` {} {}.",
            written(value),
            if *any { "one of" } else { "also" },
            list(required)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::super::{builtin, names};

    /// Pages are generated: `IOMS_BLESS=1` writes them.
    #[test]
    fn the_pages_in_docs_are_those_of_the_modules() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/modules");
        let mut index = String::from(
            "# Modules\n\nOne page each, generated from the modules' files; `iomsctl doc MODULE` shows the same. Each parameter that Ansible's\n\
             documentation names is taken, or refused with the reason that stands on the page.\n\n\
             | module | |\n| --- | --- |\n",
        );
        let mut pages = Vec::new();
        for name in names() {
            let module = builtin(&name).unwrap();
            let about = &module.short_description;
            let _ = writeln!(index, "| [{name}](modules/{name}.md) | {about} |");
            pages.push((folder.join(format!("{name}.md")), module.page()));
        }
        pages.push((folder.with_extension("md"), index));
        let write = std::env::var_os("IOMS_BLESS").is_some();
        let mut stale = Vec::new();
        for (path, page) in pages {
            if write {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &page).unwrap();
            }
            if std::fs::read_to_string(&path).ok().as_deref() != Some(&page) {
                stale.push(path.display().to_string());
            }
        }
        assert!(stale.is_empty(), "IOMS_BLESS=1 writes them anew: {stale:?}");
    }
}
