//! What a running play loads.

use super::*;
use crate::playbook::{From, RoleRequest};

fn folder() -> Folder {
    Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  become: true
  tasks:
    - name: bring
      include_role:
        name: '{{ which }}'
        apply: {tags: applied, become: false}
      vars: {v: 1}
      tags: own
",
        ),
        ("roles/web/tasks/main.yml", "- {name: main, say: hi}\n"),
        ("roles/web/tasks/other.yml", "- {name: other, say: hi}\n"),
        ("roles/web/tasks/broken.yml", "- {name: other, sya: hi}\n"),
        (
            "roles/web/handlers/main.yml",
            "- {name: restart, say: hi}\n",
        ),
    ])
}

fn request(tasks: Option<&str>) -> RoleRequest {
    RoleRequest {
        name: "web".to_owned(),
        from: From {
            tasks: tasks.map(str::to_owned),
            ..From::default()
        },
        allow_duplicates: true,
        public: false,
        unchecked: false,
    }
}

#[test]
fn a_role_comes_with_its_handlers_and_with_what_apply_says() {
    let folder = folder();
    let include = tasks(&folder.loaded())[0].clone();
    let loaded = loader().load_role(&include, &request(None)).unwrap();
    assert_eq!(shown(&loaded.steps, Keyword::Tags), "web : main: applied\n");
    assert_eq!(
        shown(&loaded.steps, Keyword::Become),
        "web : main: Bool(false)\n"
    );
    assert_eq!(
        shown(&loaded.steps, Keyword::Vars).matches("\"v\"").count(),
        1
    );
    assert_eq!(loaded.handlers.len(), 1);
    assert_eq!(loaded.roles.len(), 1);
    let loaded = loader()
        .load_role(&include, &request(Some("other")))
        .unwrap();
    assert_eq!(
        shown(&loaded.steps, Keyword::Tags),
        "web : other: applied\n"
    );
}

#[test]
fn what_is_wrong_with_it_is_said_as_before_the_run() {
    let folder = folder();
    let include = tasks(&folder.loaded())[0].clone();
    let mut loader = loader();
    let refused = loader
        .load_role(&include, &request(Some("broken")))
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("broken.yml:1:17: there is no module `sya`"),
        "{refused}"
    );
    let refused = loader
        .load_role(&include, &request(Some("missing")))
        .unwrap_err();
    assert!(
        refused.to_string().contains("has no `tasks/missing`"),
        "{refused}"
    );
    // One that failed leaves nothing behind.
    assert!(loader.load_role(&include, &request(None)).is_ok());
    let refused = loader
        .load_tasks_file(&include, "nowhere.yml", false)
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("there is no file `nowhere.yml`"),
        "{refused}"
    );
}
