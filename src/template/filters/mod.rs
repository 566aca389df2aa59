//! The filters, by topic. Each is a function over its arguments; the tables say their names and
//! parameters.

mod basics;
mod combine;
mod data;
mod dicts;
mod hashes;
mod lists;
mod mapped;
mod net;
mod passwords;
mod paths;
mod random;
mod regex;
mod sets;
mod text;
mod time;
mod url;
mod wrap;
mod yaml_out;
mod yaml_scalars;

use super::args::Args;
use super::error::{Fail, fail};
use super::val::Val;

/// A filter.
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// Its parameters, what is filtered first.
    pub(super) params: &'static str,
    /// Whether it takes what is undefined; else that passes through unseen.
    pub(super) tolerant: bool,
    /// Whether members are rendered before it sees them; a filter that doesn't look into them
    /// leaves them alone.
    pub(super) settles: bool,
    pub(super) run: fn(&Args<'_>) -> Result<Val, Fail>,
}

/// A filter that looks at members.
const fn deep(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<Val, Fail>,
) -> Filter {
    Filter {
        name,
        params,
        tolerant: false,
        settles: true,
        run,
    }
}

/// A filter that leaves members as they are.
const fn shallow(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<Val, Fail>,
) -> Filter {
    Filter {
        name,
        params,
        tolerant: false,
        settles: false,
        run,
    }
}

/// A filter that takes what is undefined.
const fn tolerant(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<Val, Fail>,
) -> Filter {
    Filter {
        name,
        params,
        tolerant: true,
        settles: false,
        run,
    }
}

pub(super) use passwords::salt_size;
pub use passwords::{hashed as password_hash, random_salt};

/// What stands for one that is not there.
pub(super) static NONE: Filter = shallow("", "value * **", |_| fail("there is no such filter"));

const TABLES: &[&[Filter]] = &[
    basics::ALL,
    data::ALL,
    dicts::ALL,
    hashes::ALL,
    lists::ALL,
    net::ALL,
    paths::ALL,
    regex::ALL,
    text::ALL,
    time::ALL,
    url::ALL,
];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Filter> {
    TABLES.iter().copied().flatten()
}
