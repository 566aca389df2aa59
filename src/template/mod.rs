//! template (placeholder).
