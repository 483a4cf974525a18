//! What root of a machine may do: what root of a container needs, and nothing that reaches the host.
//!
//! As root on the host, a machine's root is the host's root but for these. Left out are, among others, SYS_ADMIN (mounts:
//! the host's devices, its control groups), MKNOD and SYS_RAWIO (devices), DAC_READ_SEARCH (files by handle, past the
//! root), SYS_PTRACE (the descriptors of the machine's first process), SYS_MODULE, SYS_BOOT, SYS_TIME, SYSLOG, BPF.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
};

use crate::error::Error;

const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_BROADCAST)
    .union(CapabilitySet::NET_ADMIN)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::AUDIT_WRITE);

/// Gives up the rest, for this process and all that it starts.
pub(super) fn give_up_the_rest() -> Result<(), Error> {
    let cannot = "cannot give up capabilities";
    for one in CapabilitySet::all().difference(KEPT).iter() {
        match remove_capability_from_bounding_set(one) {
            // A capability that this kernel does not know.
            Err(rustix::io::Errno::INVAL) => {}
            other => other.map_err(Error::host(cannot))?,
        }
    }
    let now = capabilities(None).map_err(Error::host(cannot))?;
    let sets = CapabilitySets {
        effective: now.effective & KEPT,
        permitted: now.permitted & KEPT,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(Error::host(cannot))
}
