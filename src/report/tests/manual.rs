//! docs/output.md is true: its examples are what the forms print.
