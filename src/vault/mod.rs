//! vault (placeholder).
