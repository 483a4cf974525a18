//! Named instants at which a test can have the process die.

/// With the feature `crash-points`, kills this very process, as `kill -9` does, when `CARTHAGE_CRASH_AT` equals `name`.
/// Without the feature it is nothing.
#[inline]
pub fn crash_point(name: &str) {
    #[cfg(feature = "crash-points")]
    if std::env::var_os("CARTHAGE_CRASH_AT").is_some_and(|at| at == name) {
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        unreachable!("SIGKILL to itself returned: {killed:?}");
    }
    let _ = name;
}
