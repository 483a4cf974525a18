//! Virtual machines of libvirt and QEMU.
//!
//! A machine is a domain with a disk that is a layer over the model's image ([`storage`]), and with an interface for each link
//! on a network of libvirt's that leads nowhere else ([`networks`]). It is found by a UUID derived from the layout and its name
//! ([`names`]); its identity, new for each creation, is in the domain's metadata. What libvirt is told is described by types and
//! written by an XML library ([`xml`]). Commands and files go over ssh ([`reach`]): nothing of ours has to be in the image but the
//! layout's public key, which the firmware hands to the system ([`key`]).
//!
//! libvirt's library blocks: every call is made away from the runtime's threads ([`hypervisor`]).

mod boots;
mod console;
mod engine;
mod hypervisor;
mod image;
mod key;
mod kvm;
mod machines;
mod names;
mod networks;
mod reach;
mod services;
mod storage;
mod xml;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// Virtual machines of libvirt: `#[layout(implementation = Vm)]`.
///
/// The hypervisor is the one that `LIBVIRT_DEFAULT_URI` names, else `qemu:///system`. A layout can say itself which one, with a type
/// in place of the default:
///
/// ```
/// use carthage_runtime::backend::Vm;
/// use carthage_runtime::backend::vm::Hypervisor;
/// use carthage_runtime::machine::implementation::Implementation;
///
/// /// The machine under the desk.
/// pub struct Desk;
///
/// impl Hypervisor for Desk {
///     const NAME: &'static str = "desk";
///     const URI: &'static str = "qemu:///system";
/// }
///
/// assert_eq!(Vm::<Desk>::NAME, "Vm on desk");
/// ```
pub struct Vm<H: Hypervisor = Discovered>(PhantomData<H>);

impl<H: Hypervisor> fmt::Debug for Vm<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAME)
    }
}

/// Where virtual machines run. Two of them in one layout are two implementations.
pub trait Hypervisor: Send + Sync + 'static {
    /// What users and records call it: short, and the same for as long as anything exists there.
    const NAME: &'static str;
    /// Its URI, as libvirt takes it: `qemu:///system`.
    const URI: &'static str;
}

/// The hypervisor that the environment names; see [`Vm`].
#[derive(Debug)]
pub struct Discovered;

impl Hypervisor for Discovered {
    const NAME: &'static str = "";
    const URI: &'static str = "";
}

impl<H: Hypervisor> Implementation for Vm<H> {
    const NAME: &'static str = if H::NAME.is_empty() { KIND } else { Named::<H>::NAME };

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        let given = Some(H::URI).filter(|uri| !uri.is_empty());
        Ok(Arc::new(engine::VmEngine::new(site, Self::NAME, given)))
    }
}

crate::capabilities!(<H: Hypervisor> Vm<H>: Power, Located, Links, Bridges, Images, KernelBoot, Disks, FirmwareType, Limits, Login, FileTree);

const KIND: &str = "Vm";

/// The name of an implementation with the name of its hypervisor in it, put together by the compiler.
struct Named<H>(PhantomData<H>);

impl<H: Hypervisor> Named<H> {
    const TEXT: ([u8; 96], usize) = {
        let mut text = [0; 96];
        let mut len = 0;
        let parts = [KIND.as_bytes(), b" on ", H::NAME.as_bytes()];
        let mut part = 0;
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                assert!(len < text.len(), "the `NAME` of a `Hypervisor` is too long");
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

/// A new name for something that is made: 32 hexadecimal digits.
fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::host("the system has no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
