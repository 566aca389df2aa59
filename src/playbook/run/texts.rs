//! Keywords and names as they are rendered for the executor itself: what is written is a template or it
//! is not.

use std::sync::Arc;

use super::error::RunError;
use super::play::Run;
use super::worker::{Batch, Scene};
use crate::base::value::Value;
use crate::playbook::list::tags_of;
use crate::playbook::{Keyword, Keywords, Task, Written};

impl Run {
    /// Whether the tags choose a task.
    pub(super) fn chooses(&self, batch: &Arc<Batch>, task: &Arc<Task>) -> bool {
        let scene = Scene {
            batch,
            host: None,
            task: Some(task),
            scope: None,
        };
        let rendered = |level: &Written| {
            let value = level.value();
            match holds_template(&value).then(|| self.worker.render(&scene, &value)) {
                Some(Ok(value)) => level.with_value(value),
                _ => level.clone(),
            }
        };
        let levels = task.keywords.all(Keyword::Tags);
        let levels: Vec<Written> = levels.iter().map(rendered).collect();
        let tags: Vec<String> = tags_of(&levels).into_iter().collect();
        self.options.tags.chooses(&tags)
    }

    /// A keyword's value, rendered; nothing where it is not set.
    pub(super) fn keyword(
        &self,
        keyword: Keyword,
        keywords: &Keywords,
        scene: &Scene<'_>,
    ) -> Result<Option<Value>, RunError> {
        let Some(written) = keywords.get(keyword) else {
            return Ok(None);
        };
        let value = written.value();
        if !holds_template(&value) {
            return Ok(Some(value));
        }
        let rendered = self.worker.render(scene, &value);
        rendered
            .map(Some)
            .map_err(|why| RunError::at(written, format!("`{}`: {why}", keyword.name())))
    }

    /// A text, rendered.
    pub(super) fn text(&self, written: &Written, scene: &Scene<'_>) -> Result<String, String> {
        let value = written.value();
        if !value.is_template() {
            return Ok(joined(&value));
        }
        self.worker
            .render(scene, &value)
            .map(|value| joined(&value))
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(holds_template),
        Value::Map(map) => map.values().any(holds_template),
        other => other.is_template(),
    }
}

/// A value as text; of a list the items with commas between.
pub(super) fn joined(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(joined).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        other => match other.as_str() {
            Some(text) => text.to_owned(),
            None => other.to_json().to_string(),
        },
    }
}
