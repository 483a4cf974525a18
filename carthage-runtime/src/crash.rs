//! Instants at which a test can have a process die: around every change to the world and every write of state.
//!
//! With the feature `crash-points`, `CARTHAGE_CRASH_AT` says where:
//!
//! | value | who dies, and where |
//! |---|---|
//! | `machine-recorded` | the process of the run, at the first point of that name |
//! | `#17` | the process of the run, at the 17th point that it passes |
//! | `keeper:bridge-made`, `keeper:#17` | the first keeper of sandboxes that the run starts; what a child does for it is its own step |
//! | `machine:root-entered`, `machine:#17` | the first process of the first sandbox that this keeper starts |
//! | `machine:file-named` | that, or whoever serves a request in it, each time |
//!
//! Each process counts its own points, from when it becomes what it is. The variable is for the process that it is given to: none that it
//! starts inherits it, but the first keeper, and the first machine of that, are handed what is meant for them ([`handed_on`]).

#![cfg_attr(
    not(feature = "sandbox"),
    allow(dead_code, reason = "only sandboxes have processes of other kinds")
)]

#[cfg(feature = "crash-points")]
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, Ordering};

/// What a process is, for who is to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The keeper of a layout's sandboxes.
    Keeper = 1,
    /// The first process of a sandbox.
    Machine,
    /// The same of one for which nothing is meant.
    Spared,
}

#[cfg(feature = "crash-points")]
impl Role {
    fn prefix(self) -> &'static str {
        match self {
            Self::Keeper => "keeper:",
            Self::Machine => "machine:",
            Self::Spared => "spared:",
        }
    }
}

/// The variable.
#[cfg(feature = "crash-points")]
const AT: &str = "CARTHAGE_CRASH_AT";
#[cfg(feature = "crash-points")]
static PASSED: AtomicU32 = AtomicU32::new(0);
/// What is before the point's name if this process is meant: nothing, in that of a run.
#[cfg(feature = "crash-points")]
static ROLE: AtomicU8 = AtomicU8::new(0);
/// Who dies, if it is not this process: what a child does for another is a step of the other.
#[cfg(feature = "crash-points")]
static WHO: AtomicI32 = AtomicI32::new(0);

/// Kills this very process, as `kill -9` does, if it is to die here. Without the feature it is nothing.
#[inline]
pub fn crash_point(name: &str) {
    #[cfg(feature = "crash-points")]
    {
        use std::sync::OnceLock;
        static VALUE: OnceLock<Option<String>> = OnceLock::new();
        let Some(at) = VALUE.get_or_init(|| std::env::var(AT).ok()) else { return };
        let number = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
        let prefix = match ROLE.load(Ordering::Relaxed) {
            0 => "",
            1 => Role::Keeper.prefix(),
            2 => Role::Machine.prefix(),
            _ => Role::Spared.prefix(),
        };
        let Some(at) = at.strip_prefix(prefix) else { return };
        if at == name || at.strip_prefix('#') == Some(&number.to_string()) {
            die();
        }
    }
    let _ = name;
}

#[cfg(feature = "crash-points")]
fn die() -> ! {
    use rustix::process::{Pid, Signal, getpid, kill_process};
    if let Some(other) = Pid::from_raw(WHO.load(Ordering::Relaxed)) {
        kill_process(other, Signal::KILL).ok();
    }
    kill_process(getpid(), Signal::KILL).ok();
    // The first process of a machine takes no such signal from inside. Its end is that of the machine all the same.
    std::process::exit(137)
}

/// This process becomes something else than that of a run, and counts its own points from here on.
pub(crate) fn becomes(role: Role) {
    #[cfg(feature = "crash-points")]
    {
        PASSED.store(0, Ordering::Relaxed);
        ROLE.store(role as u8, Ordering::Relaxed);
        // In the numbers that it sees itself.
        WHO.store(rustix::process::getpid().as_raw_nonzero().get(), Ordering::Relaxed);
    }
    let _ = role;
}

/// What is meant for the first keeper that this process starts, or the first machine that this keeper starts, and for no later one. A keeper
/// gets it in its environment.
pub(crate) fn handed_on() -> Option<(&'static str, String)> {
    #[cfg(feature = "crash-points")]
    {
        static HANDED_ON: AtomicBool = AtomicBool::new(false);
        let value = std::env::var(AT).ok()?;
        let theirs = [Role::Keeper, Role::Machine].iter().any(|role| value.starts_with(role.prefix()));
        (theirs && !HANDED_ON.swap(true, Ordering::Relaxed)).then_some((AT, value))
    }
    #[cfg(not(feature = "crash-points"))]
    None
}

/// From here on this process, which serves a request, is not the one whose points are counted.
pub(crate) fn counts_no_more() {
    has_passed(u32::MAX / 2);
}

/// How many points this process has passed; those of a child that it waits for are added by [`has_passed`].
pub(crate) fn passed() -> u32 {
    #[cfg(feature = "crash-points")]
    return PASSED.load(Ordering::Relaxed);
    #[cfg(not(feature = "crash-points"))]
    0
}

/// A child that began with the number of this process has passed so many points.
pub(crate) fn has_passed(points: u32) {
    #[cfg(feature = "crash-points")]
    PASSED.store(points, Ordering::Relaxed);
    let _ = points;
}
