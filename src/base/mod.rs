//! What knows nothing of fleets: ids, the clock, secrets, text, digests, YAML, diagnostics.

pub mod chunks;
pub mod clixml;
pub mod clock;
pub mod diag;
pub mod digest;
pub mod glob;
pub mod id;
pub mod nearest;
pub mod pack;
pub mod private_file;
pub mod prompt;
pub mod python;
pub mod python_re;
pub mod quantity;
pub mod secret;
pub mod seen;
pub mod shlex;
pub mod text;
pub mod url;
pub mod value;
pub mod waiting;
pub mod yaml;
