//! Loops: what they go over, and the task done for each item of it.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::loop_terms;
use super::prepared::Prepared;
use super::render::{self, Wrong};
use super::results::{self, Outcome, is_true};
use super::scope::TaskScope;
use super::task;
use crate::base::clock;
use crate::base::python::python;
use crate::base::value::{Map, Value};
use crate::event::{Event, FactsOf, PlayEvent};
use crate::playbook::run::worker::Include;
use crate::playbook::{Loop, Written};

/// `loop_control`.
struct Control {
    variable: Arc<str>,
    index: Option<Arc<str>>,
    label: Option<Written>,
    pause: Duration,
    extended: bool,
    all_items: bool,
    break_when: Vec<Written>,
}

/// Does a task for all items of its loop; the result is that of the loop.
pub(super) async fn perform(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    over: &Loop,
    number: u32,
) -> Outcome {
    let items = match loop_terms::items(scope, over) {
        Ok(items) => items,
        // Of a task that is not to be done at all it does not matter.
        Err(wrong) => {
            if let Ok(Some(unmet)) = render::first_false(scope, &prepared.when) {
                return Outcome::unmet(unmet.value());
            }
            let mut outcome = Outcome::wrong(&wrong);
            outcome.result.shift_remove("changed");
            return outcome;
        }
    };
    if items.is_empty() {
        return Outcome::of(results::of_no_items());
    }
    let control = match Control::of(scope, over.control.as_ref()) {
        Ok(control) => control,
        Err(wrong) => return Outcome::wrong(&wrong),
    };
    let mut whole = Outcome::default();
    let mut done: Vec<Map> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if at > 0 && !control.pause.is_zero() && !scope.runner.sleep(control.pause).await {
            break;
        }
        let scope = control.scope(scope, &items, at, item);
        let (outcome, label) = one(&scope, prepared, &control, item, number).await;
        let unreachable = outcome.flag("unreachable");
        let labelled = |mut include: Include| {
            include.label = Some(label.clone());
            include
        };
        whole
            .includes
            .extend(outcome.includes.into_iter().map(labelled));
        whole.meta = whole.meta.or(outcome.meta);
        // As in Ansible those of all items that were done, also of what this one left as it was.
        whole.notify.extend(outcome.notify);
        whole
            .facts
            .extend(outcome.facts.into_iter().map(|of| FactsOf {
                item: Some(at),
                ..of
            }));
        whole.error = whole.error.or(outcome.error);
        done.push(outcome.result);
        let enough = match (unreachable, done.last()) {
            (true, _) => true,
            (false, Some(result)) => control.ends(&scope, prepared, result),
            (false, None) => false,
        };
        if enough || scope.runner.stopping() {
            break;
        }
    }
    whole.result = results::of_items(done);
    whole
}

/// One item, and what is said of it.
async fn one(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    control: &Control,
    item: &Value,
    number: u32,
) -> (Outcome, String) {
    let began = clock::now();
    let (mut outcome, delegated) = task::once(scope, prepared, number).await;
    let result = &mut outcome.result;
    if outcome.includes.is_empty() && !is_true(result, "skipped") && !result.contains_key("failed")
    {
        result.insert("failed".into(), Value::Bool(false));
    }
    for name in [Some(&control.variable), control.index.as_ref()]
        .into_iter()
        .flatten()
    {
        if let Some(value) = scope.local.get(name) {
            result.insert(name.clone(), value.clone());
        }
    }
    result.insert(
        "ansible_loop_var".into(),
        Value::Unsafe(control.variable.clone()),
    );
    if let Some(index) = &control.index {
        result.insert("ansible_index_var".into(), Value::Unsafe(index.clone()));
    }
    if let Some(extended) = scope.local.get("ansible_loop") {
        result.insert("ansible_loop".into(), extended.clone());
    }
    let label = match &control.label {
        None => python(item),
        Some(label) => match render::written(scope, label) {
            Ok(label) => python(&label),
            Err(Wrong { message, .. }) => message,
        },
    };
    let mut scope = scope.clone();
    scope.delegated = delegated;
    let context = Context::bare(scope, prepared, number);
    let event = task::event(&context, &outcome, Some(label.clone()), began);
    // Under `no_log` it is hidden from here on.
    let label = event.label.clone().unwrap_or(label);
    if let Some(kept) = &context.scope.kept {
        kept.item(&event, task::no_log(&context.scope, prepared));
    }
    let event = PlayEvent::ItemFinished(Arc::new(event));
    context.runner().emitter.emit(Event::Play(event)).await;
    (outcome, label)
}

impl Control {
    fn of(scope: &TaskScope, written: Option<&Written>) -> Result<Self, Wrong> {
        let part = |name: &str| written.and_then(|written| written.get(name));
        let name = |part: Option<Written>| -> Result<Option<Arc<str>>, Wrong> {
            Ok(render::text(scope, part.as_ref())?.map(Arc::from))
        };
        let flag = |part: Option<Written>| render::flag(scope, part.as_ref());
        let pause = render::number(scope, part("pause").as_ref())?.unwrap_or(0.0);
        Ok(Self {
            variable: name(part("loop_var"))?.unwrap_or_else(|| Arc::from("item")),
            index: name(part("index_var"))?,
            label: part("label"),
            pause: Duration::try_from_secs_f64(pause.max(0.0)).unwrap_or_default(),
            extended: flag(part("extended"))?.unwrap_or(false),
            all_items: flag(part("extended_allitems"))?.unwrap_or(true),
            break_when: part("break_when")
                .map(|written| written.items())
                .unwrap_or_default(),
        })
    }

    /// The variables of an item.
    fn scope(&self, scope: &TaskScope, items: &[Value], at: usize, item: &Value) -> TaskScope {
        let mut scope = scope.clone();
        scope.local.insert(self.variable.clone(), item.clone());
        scope.local.insert(
            "ansible_loop_var".into(),
            Value::Unsafe(self.variable.clone()),
        );
        if let Some(index) = &self.index {
            scope.local.insert(index.clone(), count(at));
            scope
                .local
                .insert("ansible_index_var".into(), Value::Unsafe(index.clone()));
        }
        if self.extended {
            scope
                .local
                .insert("ansible_loop".into(), Value::Map(self.extended(items, at)));
        }
        scope
    }

    fn extended(&self, items: &[Value], at: usize) -> Map {
        let length = items.len();
        let mut extended = Map::from_iter([
            ("index".into(), count(at + 1)),
            ("index0".into(), count(at)),
            ("first".into(), Value::Bool(at == 0)),
            ("last".into(), Value::Bool(at + 1 == length)),
            ("length".into(), count(length)),
            ("revindex".into(), count(length - at)),
            ("revindex0".into(), count(length - at - 1)),
        ]);
        if self.all_items {
            extended.insert("allitems".into(), Value::List(items.to_vec()));
        }
        if let Some(next) = items.get(at + 1) {
            extended.insert("nextitem".into(), next.clone());
        }
        if let Some(before) = at.checked_sub(1).and_then(|before| items.get(before)) {
            extended.insert("previtem".into(), before.clone());
        }
        extended
    }

    /// Whether `break_when` says that no item after this one is wanted.
    fn ends(&self, scope: &TaskScope, prepared: &Prepared, result: &Map) -> bool {
        if self.break_when.is_empty() {
            return false;
        }
        let scope = task::with_result(scope, prepared, result);
        matches!(render::first_false(&scope, &self.break_when), Ok(None))
    }
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
