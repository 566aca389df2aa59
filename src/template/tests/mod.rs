//! The tests behind `is`, by topic.

mod files;
mod results;
mod texts;
mod values;

use super::args::Args;
use super::error::{Fail, fail};

/// A test.
pub(super) struct Test {
    pub(super) name: &'static str,
    /// Its parameters, what is tested first.
    pub(super) params: &'static str,
    /// Whether it takes what is undefined, and members as they are.
    pub(super) tolerant: bool,
    pub(super) run: fn(&Args<'_>) -> Result<bool, Fail>,
}

const fn test(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<bool, Fail>,
) -> Test {
    Test {
        name,
        params,
        tolerant: false,
        run,
    }
}

const fn tolerant(
    name: &'static str,
    params: &'static str,
    run: fn(&Args<'_>) -> Result<bool, Fail>,
) -> Test {
    Test {
        name,
        params,
        tolerant: true,
        run,
    }
}

/// What stands for one that is not there.
pub(super) static NONE: Test = test("", "value * **", |_| fail("there is no such test"));

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Test> {
    [values::ALL, texts::ALL, results::ALL, files::ALL]
        .into_iter()
        .flatten()
}
