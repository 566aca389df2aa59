//! inventory (placeholder).
