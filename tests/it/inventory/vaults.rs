//! What vault files hold is used, and never shown.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ioms::base::value::Value;
use ioms::inventory::{self, Loader};

/// Opens "vaults" that are a heading above the clear text.
fn loader() -> Loader {
    Loader::new(Some(Arc::new(|text: &str| {
        let (_, clear) = text.split_once('\n').unwrap_or_default();
        Ok(clear.to_owned())
    })))
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const VAULT: &str = "$ANSIBLE_VAULT;1.1;AES256\n";

#[test]
fn values_of_vault_files_are_masked_where_they_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |text: &str| format!("{VAULT}{text}");
    put(folder.path(), "hosts", "[web]\nh1\n");
    put(
        folder.path(),
        "hosts2",
        &secret("[web]\nh2 pin=4711\n[web:vars]\ntoken='s3cret'\n"),
    );
    let all = secret("password: s3cret\nport: 4711\nnested: {key: [s3cret]}\n");
    put(folder.path(), "group_vars/all/vault.yml", &all);
    put(
        folder.path(),
        "group_vars/all/zz.yml",
        "open: clear\nport: 22\n",
    );
    put(
        folder.path(),
        "host_vars/h1.yml",
        &secret("password: s3cret too\n"),
    );

    let mut loader = loader();
    loader.add(folder.path().to_str().unwrap()).unwrap();
    let inventory = loader.finish();
    let found = inventory.variable("h1", "password").unwrap().unwrap();
    assert_eq!(
        (found.value, found.secret),
        (Value::string("s3cret too"), true)
    );

    let document = inventory::list_document(&inventory).unwrap();
    insta::assert_json_snapshot!(document.pointer("/_meta/hostvars").unwrap(), @r#"
    {
      "h1": {
        "nested": "********",
        "open": "clear",
        "password": "********",
        "port": 22,
        "token": "********"
      },
      "h2": {
        "nested": "********",
        "open": "clear",
        "password": "********",
        "pin": "********",
        "port": 22,
        "token": "********"
      }
    }
    "#);
    let graph = inventory::graph(&inventory, true).unwrap();
    assert!(graph.contains("{open = clear}") && graph.contains("{password = ********}"));
    assert!(!graph.contains("s3cret") && !graph.contains("4711"));
}

#[test]
fn mistakes_in_a_vault_file_show_no_line_of_it() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "hosts", "h1\n");
    put(
        folder.path(),
        "group_vars/all.yml",
        &format!("{VAULT}password: s3cret\npassword: [s3cret\n"),
    );
    let mut loader = loader();
    loader
        .add(folder.path().join("hosts").to_str().unwrap())
        .unwrap();
    let error = loader.finish().variables("h1").unwrap_err().to_string();
    assert!(
        error.contains("all.yml:") && !error.contains("s3cret"),
        "{error}"
    );
}

#[test]
fn a_vault_without_a_password_is_named() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "hosts", VAULT);
    let path = folder.path().join("hosts");
    let error = Loader::new(None)
        .add(path.to_str().unwrap())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!("{}: is a vault, and no password was given", path.display())
    );
}
