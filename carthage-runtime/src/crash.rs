//! Instants at which a test can have the process die: around every change to the world and every write of state.

/// With the feature `crash-points`, kills this very process, as `kill -9` does, when `CARTHAGE_CRASH_AT` equals `name`, or is
/// `#17` and this is the 17th of such points that the process passes. Without the feature it is nothing.
#[inline]
pub fn crash_point(name: &str) {
    #[cfg(feature = "crash-points")]
    {
        use std::sync::OnceLock;
        use std::sync::atomic::{AtomicU32, Ordering};
        static PASSED: AtomicU32 = AtomicU32::new(0);
        static AT: OnceLock<Option<std::ffi::OsString>> = OnceLock::new();
        let Some(at) = AT.get_or_init(|| std::env::var_os("CARTHAGE_CRASH_AT")) else { return };
        let number = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
        if at == name || at.to_str().and_then(|at| at.strip_prefix('#')) == Some(&number.to_string()) {
            let killed =
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            unreachable!("SIGKILL to itself returned: {killed:?}");
        }
    }
    let _ = name;
}
