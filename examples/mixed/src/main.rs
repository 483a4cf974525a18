//! One layout out of four kinds of machine: two sandboxes, two containers, a host that is reached by ssh, and a virtual machine.
//! The same customization, [`StaticSite`](site::StaticSite), is applied to each of them.
//!
//! ```console
//! $ cargo run -p mixed -- plan
//! $ cargo run -p mixed -- deploy --yes
//! $ cargo run -p mixed -- exec container-2 -- busybox wget -qO- http://127.0.0.1:8080/
//! $ MIXED_TEXT="Good evening." cargo run -p mixed -- plan
//! $ cargo run -p mixed -- destroy --yes
//! ```
//!
//! It needs Docker or Podman, and on this host the packages `busybox-static` and `openssh-server`. The virtual machine comes with
//! `--features vm`: see `virtual_machine.rs`.

mod containers;
mod host;
mod sandboxes;
mod site;
#[cfg(feature = "vm")]
mod virtual_machine;

use carthage::prelude::*;

use crate::containers::Containers;
use crate::host::Reached;
use crate::sandboxes::Sandboxes;
use crate::site::Words;
#[cfg(feature = "vm")]
use crate::virtual_machine::Virtual;

/// Four kinds of machine.
#[layout(name = "mixed", implementation = Sandbox)]
pub struct Mixed {
    /// What all pages say.
    #[provide(Words::from_environment())]
    pub words: Arc<Words>,
    /// Out of Linux namespaces.
    pub sandboxes: Sandboxes,
    /// Out of containers.
    pub containers: Containers,
    /// There already, and reached by ssh.
    pub host: Reached,
    /// On libvirt.
    #[cfg(feature = "vm")]
    pub machine: Virtual,
}

carthage::main!(Mixed);
