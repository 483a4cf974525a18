//! What the suite has to know of an implementation.

use std::path::PathBuf;
use std::sync::OnceLock;

use async_trait::async_trait;
use carthage::Machine;
use carthage::layout::Layout;
use carthage::machine::capability::{Capability, Capable};
use carthage::machine::engine::Identity;
use carthage::machine::implementation::Implementation;
use futures_util::future::BoxFuture;

/// A layout of three machines made by an implementation, and how the suite gets at them.
///
/// Where the implementation has [`Links`](Capability::Links), the first two machines share a network and the third is alone on
/// another. The first holds [`Marks`](crate::Marks), in a field called `marks`, and where the implementation has
/// [`OfflineRoot`](Capability::OfflineRoot) also [`RootMarks`](crate::RootMarks), in one called `root`. Where it has
/// [`SharedLinks`](Capability::SharedLinks) there is a fourth machine, called `sharing`, that shares the links of the second. Inside they need `/bin/sh`, `/proc`, what POSIX
/// says a system has (of a busybox, too), and a second user in `/etc/passwd`, `daemon` or `nobody`.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use carthage::backend::Sandbox;
/// use carthage::prelude::*;
/// use carthage_conformance::linked::{Other, Rooted, Sharing, Side, Stranger, Wire};
/// use carthage_conformance::Subject;
///
/// #[layout(name = "life", domain = "life.test", implementation = Sandbox)]
/// struct InSandbox {
///     wire: Wire,
///     side: Side,
///     one: Rooted,
///     other: Other,
///     stranger: Stranger,
///     sharing: Sharing,
/// }
///
/// impl Subject for InSandbox {
///     type Implementation = Sandbox;
///
///     fn three(&self) -> [&Machine; 3] {
///         [self.one.machine(), self.other.machine(), self.stranger.machine()]
///     }
///     # async fn remove(_: carthage_conformance::Victim) -> carthage::Result<()> { Ok(()) }
/// }
///
/// fn main() -> ExitCode {
///     carthage_conformance::main::<InSandbox>()
/// }
/// ```
pub trait Subject: Layout {
    /// The implementation: its name and its capabilities decide what is tried.
    type Implementation: Implementation;
    /// What the table of results calls it.
    const LABEL: &'static str = <Self::Implementation as Implementation>::NAME;
    /// How many cases may take place at once, each on a deployment of its own. With 1 there is one deployment for all, one after
    /// another: for machines that take seconds to come up.
    const AT_ONCE: usize = 6;

    /// Its three machines.
    fn three(&self) -> [&Machine; 3];

    /// Why it cannot be tried on this host, if so: every case is then skipped, with this as the reason.
    fn unfit() -> Option<String> {
        None
    }

    /// A directory inside a running machine, below which the suite may write what it likes; it need not exist.
    fn base(machine: &Machine) -> impl Future<Output = carthage::Result<PathBuf>> + Send {
        let _ = machine;
        async { Ok("/var/lib/conformance".into()) }
    }

    /// Whom commands run as if nobody is named.
    fn user() -> String {
        "root".to_owned()
    }

    /// Ends a running machine behind the implementation's back, as a crash would. Needed where machines have
    /// [`Power`](Capability::Power).
    fn kill(victim: Victim) -> impl Future<Output = carthage::Result<()>> + Send {
        async move { Err(format!("nothing says how `{}` is killed", victim.machine).into()) }
    }

    /// Removes what the implementation keeps of a machine, running or not, behind its back.
    fn remove(victim: Victim) -> impl Future<Output = carthage::Result<()>> + Send;

    /// Removes a machine behind the implementation's back and makes, in its place, a thing of a stranger's with the same name.
    /// `None` where nothing that the implementation makes has a name that others could take.
    fn usurp(victim: Victim) -> impl Future<Output = carthage::Result<Option<Box<dyn Usurper>>>> + Send {
        let _ = victim;
        async { Ok(None) }
    }

    /// Changes a running machine behind the implementation's back, in a way that can be seen from outside: its memory, or what a link is
    /// plugged into. Needed where machines have [`Limits`](Capability::Limits); `None` if it cannot be done here, which only root can.
    fn alter(victim: Victim) -> impl Future<Output = carthage::Result<Option<()>>> + Send {
        async move { Err(format!("nothing says how `{}` is changed", victim.machine).into()) }
    }

    /// What there still is of these machines and of the networks of their layout, as sentences, asked after everything was
    /// destroyed. Processes, mounts, interfaces and files that have to do with the state directory are looked for by the
    /// suite itself.
    fn left(victims: Vec<Victim>) -> impl Future<Output = carthage::Result<Vec<String>>> + Send {
        let _ = victims;
        async { Ok(Vec::new()) }
    }
}

/// A machine to which something is done from outside.
#[derive(Clone, Debug)]
pub struct Victim {
    /// Its fully qualified name.
    pub machine: String,
    /// What the implementation calls it.
    pub identity: Identity,
    /// The layout's state directory.
    pub state: PathBuf,
}

/// A thing that does not belong to the layout, but has a name that the implementation would use.
#[async_trait]
pub trait Usurper: Send + Sync {
    /// Whether it is as it was made.
    async fn is_untouched(&self) -> carthage::Result<bool>;
    /// Removes it.
    async fn remove(self: Box<Self>) -> carthage::Result<()>;
}

type Usurped = carthage::Result<Option<Box<dyn Usurper>>>;

/// A [`Subject`] whose type does not matter.
pub(crate) struct Facts {
    pub(crate) implementation: &'static str,
    pub(crate) capabilities: &'static [Capability],
    pub(crate) user: String,
    pub(crate) at_once: usize,
    pub(crate) base: fn(&Machine) -> BoxFuture<'_, carthage::Result<PathBuf>>,
    pub(crate) kill: fn(Victim) -> BoxFuture<'static, carthage::Result<()>>,
    pub(crate) remove: fn(Victim) -> BoxFuture<'static, carthage::Result<()>>,
    pub(crate) usurp: fn(Victim) -> BoxFuture<'static, Usurped>,
    pub(crate) alter: fn(Victim) -> BoxFuture<'static, carthage::Result<Option<()>>>,
    pub(crate) left: fn(Vec<Victim>) -> BoxFuture<'static, carthage::Result<Vec<String>>>,
}

static FACTS: OnceLock<Facts> = OnceLock::new();

impl Facts {
    /// Of this process, in which there is one subject.
    pub(crate) fn set<S: Subject>() {
        FACTS.get_or_init(|| Self {
            implementation: S::Implementation::NAME,
            capabilities: S::Implementation::CAPABILITIES,
            user: S::user(),
            at_once: S::AT_ONCE,
            base: |machine| Box::pin(S::base(machine)),
            kill: |victim| Box::pin(S::kill(victim)),
            remove: |victim| Box::pin(S::remove(victim)),
            usurp: |victim| Box::pin(S::usurp(victim)),
            alter: |victim| Box::pin(S::alter(victim)),
            left: |victims| Box::pin(S::left(victims)),
        });
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Whether all cases share one deployment.
    pub(crate) fn shared(&self) -> bool {
        self.at_once <= 1
    }
}

/// What is known of the subject.
///
/// # Panics
/// Outside of the suite's `main`.
pub(crate) fn facts() -> &'static Facts {
    FACTS.get().unwrap()
}
