//! Compiled templates, kept: one that is rendered on a thousand hosts is compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::error::{Cause, Fail, TemplateError};
use super::lower::{Form, lower};
use super::syntax::Program;

/// How much source may be kept, in bytes; the trees are some ten times as large.
const KEPT_MAX: usize = 4 << 20;

type Compiled = Result<Arc<Program>, Fail>;

#[derive(Default)]
struct Kept {
    programs: HashMap<Form, HashMap<Arc<str>, Compiled>>,
    size: usize,
}

/// The compiled form of a text.
pub(super) fn program(text: &Arc<str>, form: &Form) -> Result<Arc<Program>, Fail> {
    static KEPT: OnceLock<Mutex<Kept>> = OnceLock::new();
    let kept = KEPT.get_or_init(Mutex::default);
    if let Ok(kept) = kept.lock()
        && let Some(found) = kept.programs.get(form).and_then(|of| of.get(text))
    {
        return found.clone();
    }
    let compiled = compile(text, form);
    if let Ok(mut kept) = kept.lock() {
        // Simple and bounded: a fleet's playbooks fit many times over.
        if kept.size > KEPT_MAX {
            *kept = Kept::default();
        }
        kept.size += text.len() + 256;
        let of = kept.programs.entry(form.clone()).or_default();
        of.insert(text.clone(), compiled.clone());
    }
    compiled
}

fn compile(text: &Arc<str>, form: &Form) -> Result<Arc<Program>, Fail> {
    let lowered = lower(text, form)?;
    if let Some(problem) = lowered
        .problems
        .into_iter()
        .find(|problem| !problem.deferred)
    {
        let what = if matches!(form, Form::Expression) {
            "expression"
        } else {
            "template"
        };
        let hint = problem
            .suggestion
            .map_or_else(String::new, |name| format!(" Did you mean '{name}'?"));
        let mut error = TemplateError::new(
            Cause::Syntax,
            format!("Syntax error in {what}: {}{hint}", problem.message),
        );
        error.place = Some(problem.place);
        return Err(Box::new(error));
    }
    Ok(Arc::new(lowered.program))
}
