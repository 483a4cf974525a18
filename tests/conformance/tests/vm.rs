//! The conformance suite, on virtual machines.

use std::process::ExitCode;

use async_trait::async_trait;
use carthage::backend::Vm;
use carthage::prelude::*;
use carthage_conformance::linked::{Side, Wire};
use carthage_conformance::{Marks, Subject, Usurper, Victim};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::network::Network;
use virt::storage_pool::StoragePool;

/// Where the tests' libvirt is; `cargo xtask test` starts it.
const VARIABLE: &str = "CARTHAGE_TEST_LIBVIRT";

/// The machine that most is about.
#[machine_model(
    memory_mb = 192,
    image = "$CARTHAGE_TEST_VM_IMAGE",
    kernel = "$CARTHAGE_TEST_VM_KERNEL",
    initrd = "$CARTHAGE_TEST_VM_INITRD",
    kernel_args = "console=ttyS0 quiet mitigations=off",
    disk_sizes = [1]
)]
struct One {
    /// An address from the pool.
    #[link]
    eth0: Link<Wire>,
    /// What is done to it.
    #[customize]
    marks: Marks,
}

/// Its neighbour.
#[machine_model(
    memory_mb = 128,
    image = "$CARTHAGE_TEST_VM_IMAGE",
    kernel = "$CARTHAGE_TEST_VM_KERNEL",
    initrd = "$CARTHAGE_TEST_VM_INITRD",
    kernel_args = "console=ttyS0 quiet mitigations=off"
)]
struct Other {
    /// An address and a hardware address of its own.
    #[link(address = "10.71.0.2", mac = "02:00:5e:10:00:02")]
    eth0: Link<Wire>,
}

/// Apart.
#[machine_model(
    memory_mb = 128,
    image = "$CARTHAGE_TEST_VM_IMAGE",
    kernel = "$CARTHAGE_TEST_VM_KERNEL",
    initrd = "$CARTHAGE_TEST_VM_INITRD",
    kernel_args = "console=ttyS0 quiet mitigations=off"
)]
struct Stranger {
    /// Another network.
    #[link]
    lan: Link<Side>,
}

/// In virtual machines.
#[layout(name = "life", domain = "life.test", implementation = Vm)]
struct InVm {
    wire: Wire,
    side: Side,
    one: One,
    other: Other,
    stranger: Stranger,
}

impl Subject for InVm {
    type Implementation = Vm;

    // They take seconds to come up.
    const AT_ONCE: usize = 1;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    fn unfit() -> Option<String> {
        // The layout's hypervisor is the one that libvirt's own variable names.
        let (given, used) = (std::env::var_os(VARIABLE), std::env::var_os("LIBVIRT_DEFAULT_URI"));
        let started = given.is_some() && given == used;
        (!started).then(|| "no libvirt was started for the tests; `cargo xtask test` starts one".to_owned())
    }

    async fn kill(victim: Victim) -> Result<()> {
        off(move |connect| Ok(domain(connect, &victim)?.destroy()?)).await
    }

    async fn remove(victim: Victim) -> Result<()> {
        off(move |connect| {
            let domain = domain(connect, &victim)?;
            if domain.is_active()? {
                domain.destroy()?;
            }
            Ok(domain.undefine()?)
        })
        .await
    }

    async fn usurp(victim: Victim) -> Result<Option<Box<dyn Usurper>>> {
        let name = off(move |connect| {
            let domain = domain(connect, &victim)?;
            let name = domain.get_name()?;
            if domain.is_active()? {
                domain.destroy()?;
            }
            domain.undefine()?;
            let stranger = format!(
                "<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory>\
                 <os><type arch='x86_64'>hvm</type></os></domain>"
            );
            Domain::define_xml(connect, &stranger)?;
            Ok(name)
        })
        .await?;
        Ok(Some(Box::new(TakenName(name))))
    }

    async fn alter(victim: Victim) -> Result<Option<()>> {
        off(move |connect| {
            let (domain, networks) = (domain(connect, &victim)?, connect.list_all_networks(0)?);
            let described = domain.get_xml_desc(0)?;
            let value = |mark: &str| {
                let (_, rest) = described.split_once(mark).ok_or("it has no such interface")?;
                Ok::<_, carthage::BoxError>(rest.split('\'').next().unwrap_or_default().to_owned())
            };
            let (mac, network) = (value("<mac address='")?, value("<source network='")?);
            let mut others = networks.iter().filter_map(|network| network.get_name().ok());
            let other = others.find(|name| *name != network && name.starts_with("carthage-"));
            let other = other.ok_or("there is no other network")?;
            let nic = format!(
                "<interface type='network'><mac address='{mac}'/><source network='{other}'/><model type='virtio'/></interface>"
            );
            domain.update_device_flags(&nic, virt::sys::VIR_DOMAIN_DEVICE_MODIFY_LIVE)?;
            Ok(Some(()))
        })
        .await
    }

    async fn left(victims: Vec<Victim>) -> Result<Vec<String>> {
        off(move |connect| {
            let of_ours = |name: &str| name.starts_with("carthage-");
            let mut left = Vec::new();
            for domain in connect.list_all_domains(0)? {
                left.extend(
                    Some(domain.get_name()?)
                        .filter(|name| of_ours(name))
                        .map(|name| format!("domain {name}")),
                );
            }
            for network in connect.list_all_networks(0)? {
                left.extend(
                    Some(Network::get_name(&network)?)
                        .filter(|name| of_ours(name))
                        .map(|name| format!("network {name}")),
                );
            }
            for pool in connect.list_all_storage_pools(0)? {
                left.extend(
                    Some(StoragePool::get_name(&pool)?)
                        .filter(|name| of_ours(name))
                        .map(|name| format!("pool {name}")),
                );
            }
            left.retain(|_| !victims.is_empty());
            Ok(left)
        })
        .await
    }
}

/// A domain of somebody else's with the name that one of ours would have.
struct TakenName(String);

#[async_trait]
impl Usurper for TakenName {
    async fn is_untouched(&self) -> Result<bool> {
        let name = self.0.clone();
        off(move |connect| {
            let domain = Domain::lookup_by_name(connect, &name)?;
            Ok(domain.get_max_memory()? == 16 * 1024 && !domain.is_active()?)
        })
        .await
    }

    async fn remove(self: Box<Self>) -> Result<()> {
        off(move |connect| Ok(Domain::lookup_by_name(connect, &self.0)?.undefine()?)).await
    }
}

/// The domain of a machine, known by what is in its description.
fn domain(connect: &Connect, victim: &Victim) -> Result<Domain> {
    for domain in connect.list_all_domains(0)? {
        if domain.get_xml_desc(0)?.contains(&format!("identity=\"{}\"", victim.identity))
            || domain.get_xml_desc(0)?.contains(&format!("identity='{}'", victim.identity))
        {
            return Ok(domain);
        }
    }
    Err(format!("libvirt has no machine `{}`", victim.machine).into())
}

/// Does something with libvirt, away from the threads of the runtime.
async fn off<T: Send + 'static>(work: impl FnOnce(&Connect) -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(move || {
        let uri = std::env::var(VARIABLE)?;
        let mut connect = Connect::open(Some(&uri))?;
        let done = work(&connect);
        connect.close()?;
        done
    })
    .await?
}

fn main() -> ExitCode {
    carthage_conformance::main::<InVm>()
}
