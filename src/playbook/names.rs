//! Names that must be known while loading: of static imports and roles. They may hold variables that
//! are known by then: of the play, its files, the role, and `-e`.

use std::path::Path;
use std::sync::Arc;

use super::keyword::Keyword;
use super::loader::{Loader, Within};
use super::model::RoleUse;
use super::problem::LintRule;
use super::written::Written;
use crate::base::secret::Secret;
use crate::base::value::{Map, Value};
use crate::template::{self, Found, Scope};

impl Loader {
    /// A name as it is now; an error where it needs what only the run knows.
    pub(super) fn known_now(&mut self, name: &Written, within: &Within) -> Option<String> {
        let rendered = if name.is_template() {
            let scope: Arc<dyn Scope> = Arc::new(Early(self.early(within)));
            match template::render(&name.value(), &scope) {
                Ok(rendered) => rendered.value,
                Err(why) => {
                    let (line, column) =
                        why.place.map_or((1, 1), |place| (place.line, place.column));
                    let found = name.error_within(why.to_string(), line, column).help(
                        "this name is needed before the run: it may use variables of the play, its vars_files, the role and -e, \
                         but none of the inventory and no facts; the `include_` form takes those",
                    );
                    self.error(LintRule::File, found);
                    return None;
                }
            }
        } else {
            name.value()
        };
        match rendered {
            Value::String(text) | Value::Unsafe(text) if !text.trim().is_empty() => {
                Some(text.trim().to_owned())
            }
            Value::Int(number) => Some(number.to_string()),
            other => {
                let found = name.error(format!("a name is wanted, this is {}", other.kind()));
                self.error(LintRule::Value, found);
                None
            }
        }
    }

    /// The variables known while loading, the strongest in place.
    fn early(&self, within: &Within) -> Map {
        let mut known = Map::new();
        let mut add = |layer: &Written| {
            for part in layer.items() {
                if let Value::Map(map) = part.value() {
                    known.extend(map);
                }
            }
        };
        let uses: Vec<&Arc<RoleUse>> = within
            .role
            .iter()
            .flat_map(|used| used.parents.iter().chain([used]))
            .collect();
        uses.iter()
            .flat_map(|used| &used.role.defaults)
            .for_each(&mut add);
        within.vars.iter().for_each(&mut add);
        uses.iter()
            .flat_map(|used| &used.role.vars)
            .for_each(&mut add);
        within.keywords.all(Keyword::Vars).iter().for_each(&mut add);
        for used in &uses {
            let params = used.params.iter();
            known.extend(params.map(|(name, value)| (name.clone(), value.value())));
        }
        let text = |path: &Path| Value::string(path.to_string_lossy());
        known.insert("playbook_dir".into(), text(&within.folder));
        if let Some(used) = &within.role {
            known.insert("role_path".into(), text(&used.role.path));
            known.insert("role_name".into(), Value::string(&used.role.name));
            known.insert(
                "ansible_role_name".into(),
                Value::string(used.role.shown_name()),
            );
        }
        known.extend(self.options.extra_vars.clone());
        known
    }
}

struct Early(Map);

impl Scope for Early {
    fn lookup(&self, name: &str) -> Result<Option<Found>, String> {
        Ok(self.0.get(name).map(|value| Found {
            value: value.clone(),
            origin: "known while loading".to_owned(),
            secret: false,
        }))
    }

    fn open(&self, _: &str) -> Result<Secret, String> {
        Err("a vault value can't be part of a name".to_owned())
    }
}
