//! Machines out of containers: Docker and Podman, through one client.
//!
//! A machine is a container whose first process is a small constant script (`init`), and in which commands, services and
//! files are reached by a shell that the engine starts there (`transport`); its files can be reached while it is stopped, too
//! (`offline`). The names it can reach are written from this host where that can be done (`hosts`). A logical network is a
//! network of the engine without a way out (`network`); a machine that shares another's links is in that one's network namespace
//! (`shared`). What is made carries labels (`names`): what has none of ours is
//! somebody else's, and is never touched. Where the engine is, is found out at the first use (`discovery`); in what Docker and
//! Podman differ is in `dialect`.

mod client;
mod create;
mod dialect;
mod discovery;
mod engine;
mod hello;
mod hosts;
mod image;
mod import;
mod init;
mod life;
mod names;
mod namespace;
mod network;
mod offline;
mod plug;
mod shared;
mod terminal;
mod transport;
mod tree;
mod turn;
mod wire;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// Machines out of containers of Docker or Podman: `#[layout(implementation = Container)]`.
///
/// The engine is looked for in this order, and the first that is found is used:
///
/// 1. `DOCKER_HOST`, then `CONTAINER_HOST` of the environment: `unix:///run/docker.sock` or `tcp://127.0.0.1:2375`. One that is
///    set and does not answer is an error.
/// 2. The sockets of engines without root: `$XDG_RUNTIME_DIR/docker.sock`, `$HOME/.docker/run/docker.sock`,
///    `$XDG_RUNTIME_DIR/podman/podman.sock` (`/run/user/UID` where the variable is not set).
/// 3. The sockets of engines with root: `/run/docker.sock`, `/var/run/docker.sock`, `/run/podman/podman.sock`.
///
/// A layout can say itself where the engine is, with a type in place of the default:
///
/// ```
/// use carthage_runtime::backend::Container;
/// use carthage_runtime::backend::container::ContainerHost;
/// use carthage_runtime::machine::implementation::Implementation;
///
/// /// The engine of the build host.
/// pub struct BuildHost;
///
/// impl ContainerHost for BuildHost {
///     const NAME: &'static str = "build host";
///     const URL: &'static str = "tcp://127.0.0.1:2375";
/// }
///
/// assert_eq!(Container::<BuildHost>::NAME, "Container on build host");
/// ```
pub struct Container<H: ContainerHost = Discovered>(PhantomData<H>);

impl<H: ContainerHost> fmt::Debug for Container<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAME)
    }
}

/// Where an engine is. Two of them in one layout are two implementations.
pub trait ContainerHost: Send + Sync + 'static {
    /// What users and records call it: short, and the same for as long as anything exists there.
    const NAME: &'static str;
    /// Its address: `unix:///run/docker.sock` or `tcp://127.0.0.1:2375`, or a variable of the environment that holds one:
    /// `$BUILD_ENGINE`.
    const URL: &'static str;
}

/// The engine is looked for; see [`Container`].
#[derive(Debug)]
pub struct Discovered;

impl ContainerHost for Discovered {
    const NAME: &'static str = "";
    const URL: &'static str = "";
}

impl<H: ContainerHost> Implementation for Container<H> {
    const NAME: &'static str = if H::NAME.is_empty() { KIND } else { Named::<H>::NAME };

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        let given = Some(H::URL).filter(|url| !url.is_empty());
        Ok(Arc::new(engine::ContainerEngine::new(site, Self::NAME, given)))
    }
}

crate::capabilities!(<H: ContainerHost> Container<H>: Power, Located, Links, SharedLinks, DirectoryRoot, Limits, Images, Environment, Mounts, Ports, OfflineRoot, FileTree);

const KIND: &str = "Container";

/// The name of an implementation with the name of its host in it, put together by the compiler.
struct Named<H>(PhantomData<H>);

impl<H: ContainerHost> Named<H> {
    const TEXT: ([u8; 96], usize) = {
        let mut text = [0; 96];
        let mut len = 0;
        let parts = [KIND.as_bytes(), b" on ", H::NAME.as_bytes()];
        let mut part = 0;
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                assert!(len < text.len(), "the `NAME` of a `ContainerHost` is too long");
                text[len] = parts[part][at];
                len += 1;
                at += 1;
            }
            part += 1;
        }
        (text, len)
    };
    const NAME: &'static str = match str::from_utf8(Self::TEXT.0.split_at(Self::TEXT.1).0) {
        Ok(name) => name,
        Err(_) => KIND,
    };
}
