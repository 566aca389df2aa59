//! Roles: where they are, what their folders hold, and what using one brings into a play.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::files::{vars_files, with_ending};
use super::keyword::{Keyword, Keywords, Level};
use super::kinds::as_bool;
use super::loader::{Loader, Within};
use super::model::{Handler, Role, RoleUse, Step};
use super::places::FoundRole;
use super::problem::{LintRule, Problem};
use super::specs::argument_check;
use super::steps::handlers_of;
use super::written::Written;
use crate::base::yaml::Content;

/// Roles within roles.
const DEPTH_MAX: usize = 40;

/// A wish for a role, as an entry of `roles:`, a dependency or a task says it.
pub(super) struct Wish {
    pub(super) written: Written,
    /// The name as written.
    pub(super) name: Written,
    pub(super) params: IndexMap<Arc<str>, Written>,
    pub(super) keywords: Keywords,
    pub(super) from: From,
    /// By a task: such roles are never passed over unless asked.
    pub(super) by_task: bool,
    pub(super) allow_duplicates: Option<bool>,
    pub(super) public: bool,
    /// Whether its arguments are held against its argument spec.
    pub(super) validate: bool,
}

/// Entry points other than `main`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct From {
    /// `tasks_from`
    pub tasks: Option<String>,
    /// `vars_from`
    pub vars: Option<String>,
    /// `defaults_from`
    pub defaults: Option<String>,
    /// `handlers_from`
    pub handlers: Option<String>,
}

impl Loader {
    /// The entries of `roles:` or of dependencies.
    pub(super) fn wish(&mut self, entry: &Written, within: &Within) -> Option<Wish> {
        let mut params = Vec::new();
        let (name, keywords) = match &entry.node.content {
            Content::Map(_) => {
                let keywords = self.keywords(entry, Level::Role, within, &mut params);
                let name = entry.get("role").or_else(|| entry.get("name"));
                let Some(name) = name else {
                    let found = match entry.get("src") {
                        Some(_) => entry
                            .error("a requirement of Galaxy is not fetched here")
                            .help("install the role, and name it with `role:`"),
                        None => entry
                            .error("the entry names no role")
                            .help("write `role: NAME`"),
                    };
                    self.error(LintRule::Role, found);
                    return None;
                };
                (name, keywords)
            }
            Content::Scalar(_) => (entry.clone(), Keywords::default()),
            Content::List(_) => {
                self.error(
                    LintRule::Yaml,
                    entry.error("a role is a name or a mapping, this is a list"),
                );
                return None;
            }
        };
        let params = params
            .into_iter()
            .filter(|(key, _)| &*key.name != "role")
            .map(|(key, value)| (key.name.clone(), value))
            .collect();
        Some(Wish {
            written: entry.clone(),
            name,
            params,
            keywords,
            from: From::default(),
            by_task: false,
            allow_duplicates: None,
            public: true,
            validate: true,
        })
    }

    /// The role of a wish, loaded, as a use with these parents. Its keywords are its own still.
    pub(super) fn use_of(
        &mut self,
        wish: Wish,
        within: &Within,
        parents: &[Arc<RoleUse>],
    ) -> Option<Arc<RoleUse>> {
        let name = self.known_now(&wish.name, within)?;
        let found = match self.find_role(&name, within) {
            Ok(found) => found,
            Err(places) => {
                let shown: Vec<String> = places
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                let found = wish
                    .name
                    .error(format!("there is no role `{name}`"))
                    .help(format!("looked in {}", shown.join(", ")));
                self.report(Problem::error(LintRule::Role, found).about(name));
                return None;
            }
        };
        // A role may include itself, with `tasks_from` or under a condition; a chain without end is
        // found by its depth.
        let again = !wish.by_task && parents.iter().any(|used| *used.role.path == *found.path);
        if again || parents.len() > DEPTH_MAX {
            let found = wish
                .name
                .error(format!("role `{name}` asks for itself without end"));
            self.error(LintRule::Recursion, found);
            return None;
        }
        let (role, meta) = self.role(&wish, found, within, parents);
        let allowed = meta
            .and_then(|meta| meta.get("allow_duplicates"))
            .and_then(|flag| as_bool(&flag.value()));
        Some(Arc::new(RoleUse {
            allow_duplicates: wish.allow_duplicates.or(allowed).unwrap_or(false),
            public: wish.public,
            parents: parents.to_vec(),
            by_task: wish.by_task,
            role,
            written: wish.written,
            params: wish.params,
            keywords: wish.keywords,
        }))
    }

    /// The role's own files but tasks and handlers; with `meta/main.yml`.
    fn role(
        &mut self,
        wish: &Wish,
        found: FoundRole,
        within: &Within,
        parents: &[Arc<RoleUse>],
    ) -> (Arc<Role>, Option<Written>) {
        let meta = self.role_file(&found.path, "meta", None, &wish.name);
        let identity = identity(&found.path, wish);
        if let Some(role) = self.roles.get(&identity) {
            return (role.clone(), meta);
        }
        let mut role = Role {
            id: hash(&identity),
            defaults: self.role_vars(
                &found.path,
                "defaults",
                wish.from.defaults.as_ref(),
                &wish.name,
            ),
            vars: self.role_vars(&found.path, "vars", wish.from.vars.as_ref(), &wish.name),
            argument_spec: self.argument_spec(&found.path, meta.as_ref(), wish),
            path: found.path.into(),
            name: found.name.into(),
            collection: found.collection.map(Arc::from),
            dependencies: Vec::new(),
        };
        if let Some(wanted) = meta.as_ref().and_then(|meta| meta.get("dependencies")) {
            role.dependencies = self.dependencies(&role, &wanted, wish, within, parents);
        }
        let role = Arc::new(role);
        self.roles.insert(identity, role.clone());
        (role, meta)
    }

    fn dependencies(
        &mut self,
        role: &Role,
        wanted: &Written,
        wish: &Wish,
        within: &Within,
        parents: &[Arc<RoleUse>],
    ) -> Vec<Arc<RoleUse>> {
        if !matches!(wanted.node.content, Content::List(_)) {
            if !wanted.items().is_empty() {
                self.error(
                    LintRule::Yaml,
                    wanted.error("`dependencies` is a list of roles"),
                );
            }
            return Vec::new();
        }
        // Stands for the role while it is not there yet: for names, and against rings.
        let parent = Arc::new(RoleUse {
            role: Arc::new(Role {
                id: role.id,
                name: role.name.clone(),
                collection: role.collection.clone(),
                path: role.path.clone(),
                defaults: role.defaults.clone(),
                vars: role.vars.clone(),
                dependencies: Vec::new(),
                argument_spec: None,
            }),
            written: wish.written.clone(),
            params: wish.params.clone(),
            keywords: wish.keywords.clone(),
            parents: parents.to_vec(),
            by_task: wish.by_task,
            allow_duplicates: false,
            public: true,
        });
        let inner = Within {
            role: Some(parent.clone()),
            ..within.clone()
        };
        let mut chain = parents.to_vec();
        chain.push(parent);
        let mut found = Vec::new();
        for entry in wanted.items() {
            let Some(wish) = self.wish(&entry, &inner) else {
                continue;
            };
            let Some(used) = self.use_of(wish, &inner, &chain) else {
                continue;
            };
            found.push(Arc::new(RoleUse {
                parents: Vec::new(),
                ..(*used).clone()
            }));
        }
        found
    }

    /// What a use brings: the tasks of its dependencies and its own, in order, each role a step.
    pub(super) fn role_steps(&mut self, used: &RoleUse, from: &From, within: &Within) -> Vec<Step> {
        let used = Arc::new(RoleUse {
            keywords: used.keywords.within(&within.keywords),
            ..used.clone()
        });
        let mut steps = Vec::new();
        for dependency in dependency_uses(&used) {
            steps.extend(self.role_steps(
                &dependency,
                &From::default(),
                &within.under(&used.keywords),
            ));
        }
        let inner = within_role(&used, within, Level::Task);
        let mut tasks: Vec<Step> = argument_check(&used, from, &inner)
            .map(Step::Task)
            .into_iter()
            .collect();
        tasks.extend(
            match self.role_path(&used.role, "tasks", from.tasks.as_deref(), &used.written) {
                Some(path) => self.file_of_tasks(&path, &inner),
                None => Vec::new(),
            },
        );
        steps.push(Step::Role(used, tasks));
        steps
    }

    /// The handlers that a use brings, of its dependencies first.
    pub(super) fn role_handlers(
        &mut self,
        used: &RoleUse,
        from: &From,
        within: &Within,
    ) -> Vec<Arc<Handler>> {
        let used = Arc::new(RoleUse {
            keywords: used.keywords.within(&within.keywords),
            ..used.clone()
        });
        let mut handlers = Vec::new();
        for dependency in dependency_uses(&used) {
            handlers.extend(self.role_handlers(
                &dependency,
                &From::default(),
                &within.under(&used.keywords),
            ));
        }
        let inner = within_role(&used, within, Level::Handler);
        if let Some(path) = self.role_path(
            &used.role,
            "handlers",
            from.handlers.as_deref(),
            &used.written,
        ) {
            handlers.extend(handlers_of(self.file_of_tasks(&path, &inner)));
        }
        handlers
    }

    fn role_path(
        &mut self,
        role: &Role,
        sub: &str,
        name: Option<&str>,
        at: &Written,
    ) -> Option<PathBuf> {
        let folder = role.path.join(sub);
        let found = with_ending(&folder, name.unwrap_or("main"));
        if let (None, Some(name)) = (&found, name) {
            let missing = at
                .error(format!(
                    "role `{}` has no `{sub}/{name}`",
                    role.shown_name()
                ))
                .help(format!("its folder is {}", role.path.display()));
            self.error(LintRule::File, missing);
        }
        found
    }

    fn role_file(
        &mut self,
        role: &Path,
        sub: &str,
        name: Option<&str>,
        _at: &Written,
    ) -> Option<Written> {
        let path = with_ending(&role.join(sub), name.unwrap_or("main"))?;
        match self.files.read(&path) {
            Ok(document) => Some(document),
            Err(problem) => {
                self.report(*problem);
                None
            }
        }
    }

    fn role_vars(
        &mut self,
        role: &Path,
        sub: &str,
        name: Option<&String>,
        at: &Written,
    ) -> Vec<Written> {
        let folder = role.join(sub);
        let paths = vars_files(&folder, name.map_or("main", String::as_str));
        if let (true, Some(name)) = (paths.is_empty(), name) {
            let missing = at.error(format!("the role has no `{sub}/{name}`"));
            self.error(LintRule::File, missing);
        }
        let mut found = Vec::new();
        for path in paths {
            found.extend(self.mapping(&path));
        }
        found
    }

    /// A file of variables.
    pub(super) fn mapping(&mut self, path: &Path) -> Option<Written> {
        match self.files.read(path) {
            Ok(document) if document.node.entries().is_some() => Some(document),
            Ok(document) => {
                let kind = document.value().kind();
                let found = document
                    .error(format!("a file of variables is a mapping, this is {kind}"))
                    .help("write `name: value` lines");
                self.error(LintRule::Yaml, found);
                None
            }
            Err(problem) => {
                self.report(*problem);
                None
            }
        }
    }

    fn argument_spec(
        &mut self,
        role: &Path,
        meta: Option<&Written>,
        wish: &Wish,
    ) -> Option<Written> {
        if !wish.validate {
            return None;
        }
        let own = self.role_file(role, "meta", Some("argument_specs"), &wish.name);
        let specs = own.as_ref().or(meta)?.get("argument_specs")?;
        specs.get(wish.from.tasks.as_deref().unwrap_or("main"))
    }
}

fn dependency_uses(used: &Arc<RoleUse>) -> Vec<RoleUse> {
    let mut parents = used.parents.clone();
    parents.push(used.clone());
    let with_parents = |dependency: &Arc<RoleUse>| RoleUse {
        parents: parents.clone(),
        ..(**dependency).clone()
    };
    used.role.dependencies.iter().map(with_parents).collect()
}

fn within_role(used: &Arc<RoleUse>, within: &Within, level: Level) -> Within {
    Within {
        level,
        keywords: Arc::new(used.keywords.clone()),
        role: Some(used.clone()),
        files: Arc::new([]),
        ..within.clone()
    }
}

/// The same number for the same role, whichever loader reads it: that of the check, or that of the run.
fn hash(identity: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

/// What makes two uses one role: a host runs it once.
fn identity(path: &Path, wish: &Wish) -> String {
    let values = |keyword| -> Vec<_> {
        let all = wish.keywords.all(keyword);
        all.iter().map(Written::value).collect()
    };
    let params: Vec<_> = wish
        .params
        .iter()
        .map(|(name, value)| (name, value.value()))
        .collect();
    format!(
        "{} {:?} {} {params:?} {:?} {:?} {:?} {}",
        path.display(),
        wish.from,
        wish.validate,
        values(Keyword::When),
        values(Keyword::Tags),
        values(Keyword::Vars),
        wish.by_task,
    )
}
