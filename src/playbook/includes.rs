//! `import_role` and `include_role`: a role brought in by a task.

use std::sync::Arc;

use indexmap::IndexMap;

use super::files::{vars_files, with_ending};
use super::keyword::{Keyword, Keywords};
use super::kinds::as_bool;
use super::loader::{Loader, Within};
use super::model::{Action, RoleUse, Step, Task};
use super::problem::{LintRule, Problem};
use super::roles::{From, Wish};
use super::steps::included_keywords;
use super::task::Draft;
use super::written::Written;

impl Loader {
    pub(super) fn import_role(
        &mut self,
        written: &Written,
        draft: &Draft,
        within: &Within,
        steps: &mut Vec<Step>,
    ) {
        let Some(mut wish) = wish_of(written, &draft.action, &draft.keywords) else {
            return;
        };
        let inner = within.under(&draft.keywords.within(&within.keywords));
        for part in [
            &mut wish.from.tasks,
            &mut wish.from.vars,
            &mut wish.from.defaults,
            &mut wish.from.handlers,
        ] {
            if let Some(text) = part.take() {
                let name = wish
                    .name
                    .with_value(crate::base::value::Value::string(text));
                *part = self.known_now(&name, &inner);
            }
        }
        let parents = parents(within);
        let from = wish.from.clone();
        // The variables hold by the keywords that the tasks inherit.
        let Some(used) = self.use_of(wish, &inner, &parents) else {
            return;
        };
        let used = bare(&used);
        self.gathered.roles.push(Arc::new(used.clone()));
        steps.extend(self.role_steps(&used, &from, &inner));
        let handlers = self.role_handlers(&used, &from, &inner);
        self.gathered.handlers.extend(handlers);
    }

    /// A role that a constant `include_role` names is checked now; see [`Loader::look_into_tasks`].
    pub(super) fn look_into_role(&mut self, task: &Task, within: &Within) {
        let Some(wish) = wish_of(&task.written, &task.action, &Keywords::default()) else {
            return;
        };
        let entries = [
            &wish.from.tasks,
            &wish.from.vars,
            &wish.from.defaults,
            &wish.from.handlers,
        ];
        let templated =
            |text: &&Option<String>| text.as_deref().is_some_and(|text| text.contains("{{"));
        if wish.name.is_template() || entries.iter().any(templated) {
            self.gathered.open = true;
            return;
        }
        let parents = parents(within);
        let key = format!(
            "role {} {:?}",
            wish.name.text().unwrap_or_default(),
            wish.from
        );
        if !self.gathered.looked_into.insert(key) {
            return;
        }
        let inner = within.under(&included_keywords(task));
        // That it is nowhere is the run's matter: the task may be skipped.
        if let Some(name) = wish.name.text()
            && let Some(missing) = self.missing_of(name, &wish.from, &inner)
        {
            self.gathered.open = true;
            let found = wish.name.error(missing);
            return self.report(Problem::warning(LintRule::Role, found).about(name));
        }
        let from = wish.from.clone();
        let Some(used) = self.use_of(wish, &inner, &parents) else {
            return;
        };
        let used = bare(&used);
        self.role_steps(&used, &from, &inner);
        let handlers = self.role_handlers(&used, &from, &inner);
        self.gathered.possible.extend(handlers);
    }

    /// What of a role is not there: itself, or a file that the task names.
    fn missing_of(&self, name: &str, from: &From, within: &Within) -> Option<String> {
        let Ok(role) = self.find_role(name, within) else {
            return Some(format!("there is no role `{name}`"));
        };
        let missing = |(sub, entry): (&str, &Option<String>)| {
            let entry = entry.as_deref()?;
            let folder = role.path.join(sub);
            let there = match sub {
                // These may be folders of files.
                "vars" | "defaults" => !vars_files(&folder, entry).is_empty(),
                _ => with_ending(&folder, entry).is_some(),
            };
            (!there).then(|| format!("role `{name}` has no `{sub}/{entry}`"))
        };
        [
            ("tasks", &from.tasks),
            ("vars", &from.vars),
            ("defaults", &from.defaults),
            ("handlers", &from.handlers),
        ]
        .into_iter()
        .find_map(missing)
    }
}

/// What of a task's arguments says which role, and how much of it.
fn wish_of(written: &Written, action: &Action, keywords: &Keywords) -> Option<Wish> {
    let args = &action.args.named;
    let name = args.get("name").or_else(|| args.get("role"))?.clone();
    let mut from = From::default();
    for (key, entry) in [
        ("tasks_from", &mut from.tasks),
        ("vars_from", &mut from.vars),
        ("defaults_from", &mut from.defaults),
        ("handlers_from", &mut from.handlers),
    ] {
        *entry = args.get(key).and_then(Written::text).map(str::to_owned);
    }
    let flag = |key: &str| args.get(key).and_then(|value| as_bool(&value.value()));
    // A role's own variables: those of the task that brings it.
    let mut own = Keywords::default();
    if let Some(vars) = keywords.get(Keyword::Vars) {
        own.set(Keyword::Vars, vars.clone());
    }
    let import = &*action.module == "import_role";
    Some(Wish {
        written: written.clone(),
        name,
        params: IndexMap::new(),
        keywords: own,
        from,
        by_task: true,
        allow_duplicates: Some(flag("allow_duplicates").unwrap_or(true)),
        public: flag("public").unwrap_or(import),
        validate: flag("rolespec_validate").unwrap_or(true),
    })
}

/// The use without keywords of its own: they are inherited already.
pub(super) fn bare(used: &RoleUse) -> RoleUse {
    RoleUse {
        keywords: Keywords::default(),
        ..used.clone()
    }
}

/// The uses of roles that something stands in.
pub(super) fn parents(within: &Within) -> Vec<Arc<RoleUse>> {
    within
        .role
        .iter()
        .flat_map(|used| used.parents.iter().cloned().chain([used.clone()]))
        .collect()
}
