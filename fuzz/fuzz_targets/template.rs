//! Templates: no text may panic or hang, checked or rendered, as a value, a condition or a file; what
//! has nothing to render stays as it is.
#![no_main]

use std::sync::Arc;

use ioms::base::secret::Secret;
use ioms::base::value::Value;
use ioms::template::{
    Found, Meant, Scope, TextOptions, check, check_text, condition, names_used, render, render_text,
};
use libfuzzer_sys::fuzz_target;

struct Nothing;

impl Scope for Nothing {
    fn lookup(&self, _name: &str) -> Result<Option<Found>, String> {
        Ok(None)
    }

    fn open(&self, _vault: &str) -> Result<Secret, String> {
        Err("no password".to_owned())
    }
}

fuzz_target!(|text: &str| {
    let scope: Arc<dyn Scope> = Arc::new(Nothing);
    let value = Value::string(text);
    let problems = check(text, Meant::Value);
    for problem in &problems {
        assert!(problem.place.offset <= text.len());
    }
    let rendered = render(&value, &scope);
    if !value.is_template() {
        assert_eq!(rendered.unwrap().value, value);
    } else if problems.iter().any(|problem| !problem.deferred) {
        assert!(rendered.is_err());
    }
    let _ = names_used(text, Meant::Value);
    let _ = check(text, Meant::Condition);
    let _ = condition(&value, &scope);
    let options = TextOptions::default();
    let _ = check_text(text, &options);
    let _ = render_text(text, &options, &scope);
});
