//! End-to-end tests, one file a feature.

mod architecture;
mod inventory;
