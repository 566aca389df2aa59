//! Variables of connections that nobody set: a task knows them all the same, as in Ansible, from what
//! else says how its host, or the one it is delegated to, is reached. Never asked for that way itself.

use std::sync::Arc;

use super::render;
use super::scope::{TaskScope, here};
use crate::base::value::Value;
use crate::playbook::Keyword;
use crate::template::Found;

/// Names of one thing, and the keyword that says it where no variable does.
const SAME: &[(&[&str], Option<Keyword>)] = &[
    (&["ansible_ssh_host", "ansible_host"], None),
    (
        &["ansible_ssh_user", "ansible_user"],
        Some(Keyword::RemoteUser),
    ),
    (&["ansible_ssh_port", "ansible_port"], Some(Keyword::Port)),
    (&["ansible_connection"], Some(Keyword::Connection)),
];

impl TaskScope {
    /// The value of such a variable.
    pub(super) fn of_way(&self, name: &str) -> Result<Option<Found>, String> {
        let aside = self.without_play || self.working_out;
        let (Some(host), Some(task), false) = (&self.host, &self.task, aside) else {
            return Ok(None);
        };
        let Some((names, keyword)) = SAME.iter().find(|(names, _)| names.contains(&name)) else {
            return Ok(None);
        };
        let place = self.delegated.as_ref().unwrap_or(host);
        // `remote_user: "{{ ansible_user | default('root') }}"` asks for what it says.
        let own = Self {
            working_out: true,
            ..self.clone()
        };
        let scope = own.of_host(place);
        let rendered = |scope: &Self, value: &Value| {
            render::value(scope, value).map_err(|error| error.to_string())
        };
        for alias in *names {
            if let Some(found) = scope.find_of_connection(alias)? {
                let value = rendered(&scope, &found.value)?;
                return Ok(Some(Found { value, ..found }));
            }
        }
        let said = keyword.and_then(|keyword| task.keyword(keyword));
        if let Some(written) = said {
            let value = rendered(&own, &written.value())?;
            if !matches!(value, Value::Omit | Value::Null) {
                return Ok(Some(here(value, "the task")));
            }
        }
        Ok(match name {
            "ansible_host" | "ansible_ssh_host" => {
                Some(here(Value::Unsafe(Arc::clone(place)), "its name"))
            }
            "ansible_connection" => Some(here(Value::string("ssh"), "ioms")),
            _ => None,
        })
    }
}
