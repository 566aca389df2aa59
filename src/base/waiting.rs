//! Waiting in the middle of a run without keeping others from theirs.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Waits without keeping a thread of the runtime from the work of other hosts.
pub fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    let many = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if many {
        tokio::task::block_in_place(wait)
    } else {
        wait()
    }
}
