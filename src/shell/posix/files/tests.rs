//! Each task's script run by real shells with real tools, as hosts run it: GNU's by dash and bash,
//! and busybox' by itself.

mod bed;
mod looking;
mod receiving;
mod trees;
