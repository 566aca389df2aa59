//! Fewer heaps: what many threads allocate and others free lies about in each of them.

/// Lets glibc keep half as many heaps as there are cores. Measured with 10,000 hosts on two cores: a
/// fifth less memory at the same CPU time. Other C libraries have no such setting.
pub(super) fn keep_few_heaps() {
    #[cfg(target_env = "gnu")]
    {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        let heaps = i32::try_from((cores / 2).max(1)).unwrap_or(1);
        #[expect(
            unsafe_code,
            reason = "a foreign call with plain numbers, before any thread is started"
        )]
        // SAFETY: mallopt(3) takes two integers, and no other thread runs yet.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, heaps);
        }
    }
}
