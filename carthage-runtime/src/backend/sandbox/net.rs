//! Bridges and veth pairs, through netlink, in process.
//!
//! Everything here runs in a short-lived child of the keeper, which is in the layout's network namespace: the keeper
//! itself stays small and has no runtime that a later fork would copy.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use futures_util::{StreamExt, TryStreamExt, future};
use ipnet::IpNet;
use nix::sched::{CloneFlags, setns};
use rtnetlink::packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute};
use rtnetlink::{Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth};
use serde::{Deserialize, Serialize};

use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// A cable between a machine and a bridge.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cable {
    /// The bridge.
    pub(super) bridge: String,
    /// The name of the bridge's end.
    pub(super) port: String,
    /// The name of the machine's end.
    pub(super) interface: String,
    /// The machine's address.
    pub(super) address: Option<IpNet>,
    /// The machine's hardware address; the kernel's choice if absent.
    pub(super) mac: Option<[u8; 6]>,
    /// Bytes per frame.
    pub(super) mtu: Option<u32>,
}

/// The name of a kernel object for `name`: at most 15 bytes, the same every time.
pub(super) fn kernel_name(prefix: &str, name: &str) -> String {
    // FNV-1a: names need no secrecy, only few collisions, which the keeper detects.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{prefix}{:010x}", hash >> 24)
}

/// Makes a bridge of this name exist, up, with this frame size. `alias` is what a person sees in a listing.
pub(super) fn create_bridge(bridge: &str, alias: &str, mtu: Option<u32>) -> Result<(), Error> {
    run(async |handle| {
        if index(bridge)?.is_none() {
            let message = LinkBridge::new(bridge).build();
            handle
                .link()
                .add(message)
                .execute()
                .await
                .map_err(refused(format!("cannot make the bridge `{bridge}`")))?;
            crash_point("bridge-made");
        }
        let mut message = LinkUnspec::new_with_name(bridge).alias(alias).up();
        if let Some(mtu) = mtu {
            message = message.mtu(mtu);
        }
        let set = handle.link().set(message.build()).execute().await;
        set.map_err(refused(format!("cannot set up the bridge `{bridge}`")))
    })
}

/// Removes interfaces; those that do not exist are no error.
pub(super) fn remove(interfaces: &[String]) -> Result<(), Error> {
    run(async |handle| {
        for name in interfaces {
            if let Some(index) = index(name)? {
                match handle.link().del(index).execute().await {
                    Err(error) if code(&error) != Some(nix::libc::ENODEV) => {
                        return Err(refused(format!("cannot remove the interface `{name}`"))(error));
                    }
                    _ => crash_point("interface-removed"),
                }
            }
        }
        Ok(())
    })
}

/// The number of an interface in the network namespace that the process is in now, if it exists. One system call, unlike
/// what goes through netlink: the keeper itself may ask.
pub(super) fn index(name: &str) -> Result<Option<u32>, Error> {
    use rustix::net::{AddressFamily, SocketType, netdevice, socket};
    let found = socket(AddressFamily::UNIX, SocketType::DGRAM, None)
        .and_then(|socket| netdevice::name_to_index(&socket, name));
    match found {
        Ok(index) => Ok(Some(index)),
        Err(rustix::io::Errno::NODEV) => Ok(None),
        Err(error) => Err(Error::host(format!("cannot look for the interface `{name}`"))(error)),
    }
}

/// Plugs a machine, whose network namespace this is, into bridges, and configures its interfaces.
pub(super) fn plug(namespace: &File, cables: &[Cable]) -> Result<(), Error> {
    run(async |handle| {
        let existing = interfaces(&handle).await?;
        for cable in cables {
            lay(&handle, &existing, namespace, cable).await?;
            crash_point("link-laid");
        }
        Ok(())
    })?;
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(Error::host("cannot enter the machine's network"))?;
    run(async |handle| {
        set_up(&handle, "lo").await?;
        let existing = interfaces(&handle).await?;
        for Cable { interface, address, .. } in cables {
            if let (Some(net), Some(index)) = (address, existing.get(interface)) {
                let added =
                    handle.address().add(*index, net.addr(), net.prefix_len()).replace().execute().await;
                added.map_err(refused(format!("cannot give {net} to `{interface}`")))?;
                crash_point("link-addressed");
            }
            set_up(&handle, interface).await?;
            crash_point("link-up");
        }
        Ok(())
    })
}

async fn set_up(handle: &Handle, interface: &str) -> Result<(), Error> {
    let message = LinkUnspec::new_with_name(interface).up().build();
    let set = handle.link().set(message).execute().await;
    set.map_err(refused(format!("cannot switch on the interface `{interface}`")))
}

/// One veth pair, its one end in the bridge, its other in the machine.
async fn lay(
    handle: &Handle,
    existing: &HashMap<String, u32>,
    namespace: &File,
    cable: &Cable,
) -> Result<(), Error> {
    let Cable { bridge, port, interface, mac, mtu, .. } = cable;
    if let Some(leftover) = existing.get(port) {
        // The namespace of a machine that ended a moment ago may still be on its way out.
        match handle.link().del(*leftover).execute().await {
            Err(error) if code(&error) != Some(nix::libc::ENODEV) => {
                return Err(refused(format!("cannot replace the port `{port}`"))(error));
            }
            _ => {}
        }
    }
    let Some(controller) = existing.get(bridge) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no bridge for the interface `{interface}`"),
        )
        .hint("create its network first"));
    };
    let mut end = LinkMessageBuilder::<LinkUnspec>::new()
        .name(interface.clone())
        .append_extra_attribute(LinkAttribute::NetNsFd(namespace.as_fd().as_raw_fd()));
    let mut pair = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth)
        .name(port.clone())
        .controller(*controller)
        .up();
    if let Some(mac) = mac {
        end = end.address(mac.to_vec());
    }
    if let Some(mtu) = mtu {
        end = end.mtu(*mtu);
        pair = pair.mtu(*mtu);
    }
    let pair = pair.set_info_data(InfoData::Veth(InfoVeth::Peer(end.build()))).build();
    let added = handle.link().add(pair).execute().await;
    added.map_err(refused(format!("cannot plug the interface `{interface}` into the bridge `{bridge}`")))
}

async fn interfaces(handle: &Handle) -> Result<HashMap<String, u32>, Error> {
    let links = handle.link().get().execute();
    let named = links.try_filter_map(|link| {
        let index = link.header.index;
        let name = link.attributes.into_iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        });
        future::ready(Ok(name.map(|name| (name, index))))
    });
    named.try_collect().await.map_err(refused("cannot list the network interfaces".to_owned()))
}

/// Runs `work` with a netlink connection to the network namespace that the process is in now.
fn run<T>(work: impl AsyncFnOnce(Handle) -> Result<T, Error>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.map_err(Error::host("cannot start a runtime"))?.block_on(async {
        let (connection, handle, messages) = rtnetlink::new_connection()
            .map_err(Error::host("cannot talk to the kernel's network configuration"))?;
        tokio::spawn(connection);
        tokio::spawn(messages.for_each(|_| future::ready(())));
        work(handle).await
    })
}

/// The system's number for what went wrong.
fn code(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.code.map(|code| code.get().abs()),
        _ => None,
    }
}

fn refused(what: String) -> impl FnOnce(rtnetlink::Error) -> Error {
    move |error| match code(&error) {
        Some(number @ (nix::libc::EOPNOTSUPP | nix::libc::EAFNOSUPPORT)) => {
            Error::new(ErrorKind::Unsupported, what).because(std::io::Error::from_raw_os_error(number)).hint(
                "the kernel needs its `bridge` and `veth` modules: load them with `modprobe bridge veth`",
            )
        }
        Some(number) => Error::new(ErrorKind::Host, what).because(std::io::Error::from_raw_os_error(number)),
        None => Error::new(ErrorKind::Host, what).because(error),
    }
}

#[cfg(test)]
mod tests {
    use super::kernel_name;

    #[test]
    fn kernel_names_are_short_stable_and_distinct() {
        let name = kernel_name("ct", "algebra.lab");
        assert_eq!(name.len(), 12);
        assert_eq!(name, kernel_name("ct", "algebra.lab"));
        assert_ne!(name, kernel_name("ct", "algebra.lab2"));
    }
}
