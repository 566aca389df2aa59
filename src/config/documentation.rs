//! What the table says, for people and for editors: docs/configuration.md and the JSON schema.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::ansible::FLAGS;
use super::identity::OPTIONS;
use super::table::{Ansible, Kind, SETTINGS, Setting};

const HEAD: &str = "\
# Settings

Every setting can stand in `ioms.toml`, in the environment (`forks` is `IOMS_FORKS`), and for many there is a flag. Where
several say something, the strongest wins; `iomsctl config show` prints each value with the place it came from. Weakest
first:

1. what is built in
2. `ansible.cfg`: `$ANSIBLE_CONFIG`, `./ansible.cfg`, `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`, the first there is;
   only the keys named below, `config show` lists what is ignored
3. Ansible's variables, as `ANSIBLE_FORKS`: those of the same settings, each named below; again `config show` lists the others
4. `/etc/ioms/ioms.toml`
5. `$XDG_CONFIG_HOME/ioms/ioms.toml` (`~/.config/ioms/ioms.toml`)
6. `ioms.toml` in the working folder, or the nearest above it
7. `IOMS_*` variables
8. flags

`--config FILE` (or `IOMS_CONFIG`) replaces the files of 2 to 6. A file that belongs to another user (but root), or that
others may write to, is refused.

A file found in the working folder or above may have come with somebody's project and can't weaken the check of host
keys. It may say no `host_key` but `strict`, and its ssh arguments may name no other file (`-F`) and none of
OPTIONS.
An `ioms.toml` that does is refused. In `ansible.cfg` such a key is not obeyed, with a warning until your own settings
say `host_key` (or the ssh arguments). To turn the check off for a project, say so in your own settings, in the
inventory, with `--host-key`, or name the file: `--config`, `$ANSIBLE_CONFIG`.

Nor do Ansible's variables weaken that check, since they are set for whole machines and pipelines and forgotten:
`ANSIBLE_HOST_KEY_CHECKING=False` and `ANSIBLE_SSH_ARGS` with one of those options are not obeyed, with the same warning.
`IOMS_HOST_KEY` says it for a pipeline.

Nor can such a file say any of `pull.*`: how files are handed out to hosts, and under which certificate.

Durations are `90` (seconds), `90s`, `5m`, `2h`, `1d`, `1h30m`, 0 for none; sizes are bytes or `64k`, `10M`, `4G`. Paths
may begin with `~` and are relative to the file they stand in, those of variables to the working folder. Where Ansible takes
several folders (`roles_path`), its file and variables have them as `PATH` does, with colons.

A password in `database` is taken from `IOMS_DATABASE`, or from a file that only its owner can read (mode 0600); as an
argument it is refused.

## Rules of what is denied

```toml
[[deny]]
match = 'rm\\s+-rf\\s+/(\\s|$)'      # a regular expression, over what run and script are given
reason = 'nobody removes everything'
```

A run whose command fits a rule contacts no host; it is recorded, every host cancelled as `denied`, and ends with exit
status 9. Rules add up over all files.

## The settings

";

/// The page of settings.
pub fn markdown() -> String {
    let options: Vec<String> = OPTIONS.iter().map(|name| format!("`{name}`")).collect();
    let options: Vec<String> = options.chunks(4).map(|line| line.join(", ")).collect();
    let options = options.join(",\n");
    let mut text = HEAD.replace("OPTIONS", &options);
    for setting in SETTINGS {
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!(", default `{}`", setting.default)
        };
        let _ = write!(
            text,
            "- **`{}`** ({}{default}): {}",
            setting.name,
            kind(setting.kind),
            setting.about
        );
        if let Some(ansible) = &setting.ansible {
            let _ = write!(text, " In Ansible: {}.", said(ansible));
        }
        let flags = FLAGS.iter().filter(|flag| flag.setting == setting.name);
        let flags: Vec<String> = flags.map(|flag| said(&flag.ansible)).collect();
        if !flags.is_empty() {
            let _ = write!(text, " In Ansible: {}.", flags.join("; "));
        }
        if setting.name == "host_key" {
            text.push_str(
                " Holds for the certificates of WinRM too, except where Ansible's settings say it.",
            );
        }
        text.push('\n');
    }
    text
}

fn said(ansible: &Ansible) -> String {
    format!(
        "`[{}] {}`, `{}`",
        ansible.section, ansible.key, ansible.variable
    )
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Path => "path".into(),
        Kind::Bool => "true or false".into(),
        Kind::Count => "number".into(),
        Kind::Duration => "duration".into(),
        Kind::Size => "size".into(),
        Kind::Choice(choices) => format!("`{}`", choices.join("`, `")),
        Kind::Database => "address".into(),
        Kind::VaultIds => "list".into(),
        Kind::Paths => "list of paths".into(),
        Kind::Listen => "address:port".into(),
    }
}

/// The JSON schema (draft 2020-12) of `ioms.toml`.
pub fn schema() -> Json {
    let mut properties = Map::new();
    for setting in SETTINGS {
        let property = property(setting);
        match setting.name.split_once('.') {
            None => properties.insert(setting.name.to_owned(), property),
            Some((table, name)) => {
                let table = properties.entry(table).or_insert_with(
                    || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
                );
                table
                    .get_mut("properties")
                    .and_then(Json::as_object_mut)
                    .and_then(|inner| inner.insert(name.to_owned(), property))
            }
        };
    }
    properties.insert(
        "deny".into(),
        json!({
            "type": "array",
            "description": "Commands that must not be run.",
            "items": {
                "type": "object",
                "properties": { "match": { "type": "string" }, "reason": { "type": "string" } },
                "required": ["match"],
                "additionalProperties": false,
            },
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ioms.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(setting: &Setting) -> Json {
    let mut property = match setting.kind {
        Kind::Text | Kind::Path | Kind::Database | Kind::Listen => json!({ "type": "string" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::Duration | Kind::Size => json!({ "type": ["string", "integer"] }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::VaultIds | Kind::Paths => {
            json!({ "type": ["array", "string"], "items": { "type": "string" } })
        }
    };
    if let Some(object) = property.as_object_mut() {
        object.insert("description".into(), json!(setting.about));
    }
    property
}
