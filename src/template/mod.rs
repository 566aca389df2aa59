//! Templates in variables: minijinja, strict, bounded, with the filters that inventories use.
//! Knows no inventory: where variables come from is a trait.

mod convert;
mod filters;
mod render;

pub use render::{Found, Rendered, Scope, TemplateError, render};
