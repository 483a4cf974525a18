//! Machines out of Linux namespaces, an overlay over the host's own root, and bridges: nothing to install, no daemon.
//!
//! The program carries its own helpers. [`helper_main`] turns a copy of it into a **keeper** (one per layout, which holds the
//! network namespace and is the parent of the machines), or, by fork, into a machine's **first process**. The controller
//! talks to both over unix sockets in the state directory; what is to be read or written, run or connected to inside a
//! machine is done there by a child of its first process, which passes descriptors back: the controller never enters a
//! namespace.
//!
//! ```text
//! controller ──keeper.sock──▶ keeper ──fork──▶ first process of machine ──fork──▶ one child per request
//!     └──────────────────── machines/NAME/sock ──────────▲
//! ```
//!
//! Why not a container library: youki's `libcontainer` 0.7 was tried. As root it ran a container over composed overlays
//! here. As an ordinary user on a host with version 1 control groups it fails, for it insists on making a control group;
//! it has no first process of ours, no networks, and adds 125 crates and a minute of compilation, for what are, without
//! the parts of the OCI specification, a few hundred lines over `rustix`, `nix` and `rtnetlink`.

mod cgroup;
mod engine;
mod fork;
mod inside;
mod keeper;
mod machine;
mod message;
mod net;
mod premises;
mod records;
mod running;
mod survey;
mod sys;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// The first argument of a helper.
const HELPER: &str = "__carthage-sandbox";

/// Machines out of Linux namespaces, on this host: `#[layout(implementation = Sandbox)]`.
///
/// A machine has its own processes, host name, network interfaces, `/proc`, `/dev`, `/run` and `/tmp` (these two in memory),
/// and its own writable layer over the host's root, or over a directory. It does not see the host's home directories, keys
/// and password hashes, or the layout's own directories.
///
/// For an ordinary user, root of a machine is that user: what the host's root owns can be read, removed and replaced there,
/// but, outside of `/etc`, not changed in place.
#[derive(Debug)]
pub struct Sandbox;

impl Implementation for Sandbox {
    const NAME: &'static str = "Sandbox";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        for path in [&site.state, &site.logs] {
            if !path.is_absolute() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("`{}` is not an absolute path", path.display()),
                ));
            }
        }
        Ok(Arc::new(engine::SandboxEngine::new(site)))
    }
}

impl Sandbox {
    /// Where the bridge of a network is, so that another implementation can plug into it; `None` while it is not there.
    ///
    /// # Errors
    /// When the layout's keeper does not answer.
    pub async fn bridge(site: &Site, network: &str) -> Result<Option<BridgeView>, Error> {
        let (site, network) = (site.clone(), network.to_owned());
        let find = move || {
            let base = records::Records::new(&site).base().to_owned();
            let found = keeper::Client::new(base, site.id, site.layout).bridge(&network)?;
            Ok(found.map(|message::Bridge { name, keeper }| BridgeView {
                namespace: format!("/proc/{keeper}/ns/net").into(),
                bridge: name,
            }))
        };
        tokio::task::spawn_blocking(find)
            .await
            .map_err(Error::host("the search for a bridge was given up"))?
    }
}

/// Where the bridge of a network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeView {
    /// The network namespace, as a path that can be opened for as long as the network works.
    pub namespace: std::path::PathBuf,
    /// The name of the bridge in it.
    pub bridge: String,
}

crate::capabilities!(Sandbox: Power, Located, Links, SharedLinks, InterfaceNames, DirectoryRoot, Limits, FileTree, OfflineRoot);

/// If the program was started as a helper, does the helper's work: to be called before anything else, while there is only
/// one thread. `None` when it was started by a user.
#[must_use]
pub fn helper_main(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != HELPER {
        return None;
    }
    Some(match arguments.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("keeper") => keeper::main(),
        Some("probe") => {
            let answer = wire::answer(keeper::probe());
            ExitCode::from(u8::from(serde_json::to_writer(std::io::stdout(), &answer).is_err()))
        }
        _ => ExitCode::from(64),
    })
}

/// A new name for something that is made: 32 hexadecimal digits.
fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::host("the system has no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a directory of logs, which only its owner can enter.
fn make_logs(path: &std::path::Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        Error::host(format!("cannot make the directory `{}`", path.display()))(error)
            .hint("choose a state directory that you can write to with `--state-dir`")
    })?;
    crate::crash::crash_point("logs-made");
    Ok(())
}
