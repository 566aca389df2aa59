//! Sources of packages: files of `deb822_repository` and sections of `yum_repository`.

use std::fmt::Write as _;

use super::super::args::display;
use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::{Map, Value};

pub(super) struct Deb822;

impl Hook for Deb822 {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let slug = slug(call.text("name").unwrap_or_default());
        if slug.is_empty() {
            return Err(ModuleError::of("name", "the name holds no letter or digit"));
        }
        call.extra.insert("slug".into(), Value::Unsafe(slug.into()));
        call.edit_with(DiffForm::One, deb822);
        Ok(())
    }
}

/// A name as a file's.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            '_' | ' ' | '\t' | '\n' if !slug.ends_with('-') => slug.push('-'),
            'a'..='z' | '0'..='9' | '-' => slug.push(c),
            _ => {}
        }
    }
    slug
}

fn deb822(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let text = deb822_text(old.params, old.said("ioms/key"))?;
    let repo = Value::Unsafe(text.as_str().into());
    let edit = Edit {
        content: Some(text.into_bytes()),
        ..Edit::default()
    };
    Ok(edit.with("repo", repo))
}

/// The file's text; `key` is where the script has put the key.
fn deb822_text(params: &Map, key: Option<&[u8]>) -> Result<String, ModuleError> {
    let mut names: Vec<&str> = params
        .keys()
        .map(|name| &**name)
        .filter(|name| !["mode", "state"].contains(name))
        .collect();
    names.sort_unstable();
    let mut text = String::new();
    for name in names {
        let value = match params.get(name) {
            Some(Value::Bool(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
            Some(Value::List(items)) => {
                let items: Vec<String> = items.iter().map(display).collect();
                items.join(" ")
            }
            Some(_) if name == "signed_by" && key.is_some() => {
                String::from_utf8_lossy(key.unwrap_or_default()).into_owned()
            }
            Some(scalar) => display(scalar),
            None => continue,
        };
        let value = match value.trim() {
            lines if lines.contains('\n') => {
                let lines = lines.lines().map(|line| match line.trim() {
                    "" => "\n    .".to_owned(),
                    line => format!("\n    {line}"),
                });
                lines.collect()
            }
            line => format!(" {line}"),
        };
        if value.bytes().any(|b| b == b'\r' || b == 0) {
            return Err(ModuleError::of(
                name,
                format!("`{name}` holds characters that no source can"),
            ));
        }
        let _ = writeln!(text, "{}:{value}", field(name));
    }
    Ok(text)
}

fn field(name: &str) -> String {
    match name {
        "name" => "X-Repolib-Name".to_owned(),
        "uris" => "URIs".to_owned(),
        name => {
            let words = name.split('_').map(|word| {
                let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
                first.to_uppercase() + rest
            });
            words.collect::<Vec<_>>().join("-")
        }
    }
}

pub(super) struct Yum;

/// Parameters that are the module's own, not the repository's.
const OWN: &[&str] = &[
    "name",
    "file",
    "reposdir",
    "state",
    "mode",
    "owner",
    "group",
    "attributes",
    "seuser",
    "serole",
    "setype",
    "selevel",
    "unsafe_writes",
];

impl Hook for Yum {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.text("state") == Some("present") {
            let sources = ["baseurl", "mirrorlist", "metalink"];
            if !sources.iter().any(|name| call.params.contains_key(*name)) {
                return Err(ModuleError::new(
                    "Parameter 'baseurl', 'metalink' or 'mirrorlist' is required.",
                ));
            }
            if !call.params.contains_key("description") {
                return Err(ModuleError::new("Parameter 'description' is required."));
            }
        }
        let name = call.params.get("name").cloned().unwrap_or(Value::Null);
        call.known.insert("repo".into(), name);
        let state = call.params.get("state").cloned().unwrap_or(Value::Null);
        call.known.insert("state".into(), state);
        call.edit_with(DiffForm::One, yum);
        Ok(())
    }
}

fn yum(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let text = old.text()?;
    let name = old.param("name").unwrap_or_default();
    let head = format!("[{name}]");
    let (mut kept, mut section): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut inside, mut there) = (false, false);
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            inside = line.trim() == head;
            there |= inside;
        }
        if inside {
            section.push(line);
        } else {
            kept.push(line);
        }
    }
    let wanted = if old.absent() {
        Vec::new()
    } else {
        options(old.params)
    };
    let same = if old.absent() {
        !there
    } else {
        there && pairs(&section) == wanted
    };
    if same {
        return Ok(Edit::default());
    }
    while kept.last().is_some_and(|line| line.trim().is_empty()) {
        kept.pop();
    }
    let mut content = kept.join("\n");
    if !content.is_empty() {
        content.push('\n');
    }
    if !old.absent() {
        if !content.is_empty() {
            content.push('\n');
        }
        let _ = writeln!(content, "{head}");
        for (name, value) in &wanted {
            // More lines of a value are indented.
            let _ = writeln!(content, "{name} = {}", value.replace('\n', "\n\t"));
        }
    }
    let empty = Value::Bool(content.trim().is_empty());
    let mut edit = Edit {
        content: Some(content.into_bytes()),
        changed: true,
        ..Edit::default()
    };
    edit.variables.insert("empty".into(), empty);
    Ok(edit)
}

fn options(params: &Map) -> Vec<(String, String)> {
    let mut options = Vec::new();
    for (name, value) in params {
        if OWN.contains(&&**name) {
            continue;
        }
        let value = match value {
            Value::Bool(flag) => i32::from(*flag).to_string(),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(display).collect();
                let lines = matches!(&**name, "baseurl" | "gpgkey");
                items.join(if lines { "\n" } else { " " })
            }
            scalar => display(scalar),
        };
        let name = if &**name == "description" {
            "name"
        } else {
            name
        };
        options.push((name.to_owned(), value));
    }
    options.sort();
    options
}

fn pairs(section: &[&str]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in section.iter().skip(1) {
        if line.trim().is_empty() || line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        match (
            line.starts_with([' ', '\t']),
            pairs.last_mut(),
            line.split_once('='),
        ) {
            (true, Some((_, value)), _) => {
                value.push('\n');
                value.push_str(line.trim());
            }
            (_, _, Some((name, value))) => {
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => {}
        }
    }
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::module::edit::tests::edited;

    #[test]
    fn a_deb822_source_is_fields_in_the_order_of_their_parameters() {
        let params = json!({
            "name": "My Repo", "types": ["deb"], "uris": ["https://x/"], "suites": ["stable"],
            "components": ["main", "extra"], "enabled": true, "signed_by": "a\n\nb", "state": "present",
        });
        let (new, _) = edited(deb822, &params, None).unwrap();
        assert_eq!(
            new.unwrap(),
            "Components: main extra\nEnabled: yes\nX-Repolib-Name: My Repo\nSigned-By:\n    a\n    .\n    b\nSuites: stable\nTypes: deb\nURIs: https://x/\n"
        );
        assert_eq!(slug("My Repo_1!"), "my-repo-1");
    }

    #[test]
    fn a_yum_repository_is_a_section_that_leaves_others_alone() {
        let go = |state: &str, content: &str| {
            let params = json!({
                "name": "epel", "description": "EPEL", "baseurl": ["https://a", "https://b"],
                "gpgcheck": false, "state": state,
            });
            edited(yum, &params, Some(content)).unwrap().0
        };
        let text = "[other]\nname=x\n\n[epel]\nbaseurl = https://a\n\thttps://b\ngpgcheck = 0\nname = EPEL\n";
        assert_eq!(go("present", "[other]\nname=x\n").unwrap(), text);
        assert_eq!(go("present", text), None);
        assert_eq!(go("absent", text).unwrap(), "[other]\nname=x\n");
        assert_eq!(go("absent", "[other]\nname=x\n"), None);
    }
}
