//! Whether a play can use a fact of its hosts: if not, nothing is gathered. Errs on the side of yes.

use std::sync::Arc;

use super::runner::Runner;
use crate::base::value::Value;
use crate::base::yaml::{Content, Node};
use crate::playbook::{Keywords, Play, RoleUse, Step, Task};

/// Variables that begin as facts do and are none.
const NO_FACTS: &[&str] = &[
    "ansible_become",
    "ansible_become_exe",
    "ansible_become_flags",
    "ansible_become_method",
    "ansible_become_pass",
    "ansible_become_password",
    "ansible_become_user",
    "ansible_check_mode",
    "ansible_connection",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_failed_result",
    "ansible_failed_task",
    "ansible_forks",
    "ansible_host",
    "ansible_index_var",
    "ansible_job_id",
    "ansible_limit",
    "ansible_loop",
    "ansible_loop_var",
    "ansible_managed",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_password",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_port",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_search_path",
    "ansible_shell_type",
    "ansible_skip_tags",
    "ansible_ssh_private_key_file",
    "ansible_user",
    "ansible_verbosity",
    "ansible_version",
];

/// Modules that read what can't be looked through before, or the facts themselves.
const OPEN: &[&str] = &[
    "assemble",
    "include_role",
    "include_tasks",
    "include_vars",
    "package",
    "service",
    "setup",
    "template",
    "win_template",
];

/// Whether the play, or a variable of the host's, can.
pub(super) fn of_play(runner: &Runner, play: &Play, host: &str) -> bool {
    if keywords(&play.keywords) || play.import_vars.iter().any(|vars| node(&vars.node)) {
        return true;
    }
    let tasks = play.sections.iter().any(|(_, steps)| steps_use(steps));
    if tasks
        || play.handlers.iter().any(|handler| task(&handler.task))
        || play.roles.iter().any(role)
    {
        return true;
    }
    let variables = runner.hosts.inventory().variables(host);
    variables.is_ok_and(|variables| variables.values().any(|found| value(&found.value)))
}

fn steps_use(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Task(inner) => task(inner),
        Step::Block(block) => {
            keywords(&block.keywords)
                || [&block.block, &block.rescue, &block.always]
                    .into_iter()
                    .any(|steps| steps_use(steps))
        }
        Step::Role(used, steps) => role(used) || steps_use(steps),
    })
}

fn task(task: &Arc<Task>) -> bool {
    OPEN.contains(&&*task.action.module) || keywords(&task.keywords) || node(&task.written.node)
}

fn role(used: &Arc<RoleUse>) -> bool {
    let mappings = used.role.defaults.iter().chain(&used.role.vars);
    mappings.into_iter().any(|each| node(&each.node)) || used.role.dependencies.iter().any(role)
}

fn keywords(keywords: &Keywords) -> bool {
    keywords
        .iter()
        .any(|(_, values)| values.iter().any(|each| node(&each.node)))
}

fn node(written: &Node) -> bool {
    match &written.content {
        Content::Scalar(scalar) => value(scalar),
        Content::List(items) => items.iter().any(node),
        Content::Map(entries) => entries.iter().any(|(_, inner)| node(inner)),
    }
}

fn value(value: &Value) -> bool {
    match value {
        Value::String(text) => names_a_fact(text),
        Value::List(items) => items.iter().any(self::value),
        Value::Map(map) => map.values().any(self::value),
        _ => false,
    }
}

/// Whether a text may name a fact, as a template or as a bare expression.
fn names_a_fact(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.into_iter().any(|word| {
        let fact = word.starts_with("ansible_") && !NO_FACTS.contains(&word);
        fact || matches!(word, "hostvars" | "vars" | "ansible_facts" | "varnames")
    })
}

#[cfg(test)]
mod tests {
    use super::names_a_fact;

    #[test]
    fn facts_are_told_from_what_only_looks_like_them() {
        for text in [
            "{{ ansible_distribution }}",
            "ansible_facts.os_family == 'Debian'",
            "{{ hostvars[item].x }}",
            "ansible_os_family == 'RedHat'",
            "{{ lookup('vars', x) }}",
        ] {
            assert!(names_a_fact(text), "{text}");
        }
        for text in [
            "{{ ansible_host }}",
            "inventory_hostname",
            "ansible_check_mode",
            "my_ansible_x",
        ] {
            assert!(!names_a_fact(text), "{text}");
        }
    }
}
