//! Machines as domains of libvirt's: described, found, started, stopped, removed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use virt::connect::Connect;
use virt::domain::Domain as Handle;
use virt::sys;

use super::hypervisor::{failed, found, gone};
use super::names::{Names, mac};
use super::xml::{self, Boot, Disk, Domain, Mark, Medium, Nic, Virtualisation};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Alteration, Aspect, Effect, Identity, MachineSpec, Presence};

/// MiB of memory of a machine whose model does not say.
const MEMORY_MB: u64 = 1024;

/// How often libvirt is asked whether a machine has ended: it tells nobody through this library.
const PAUSE: Duration = Duration::from_millis(100);

/// What a machine is described by besides its model.
#[derive(Clone, Debug)]
pub(super) struct Means {
    pub(super) layout: String,
    pub(super) pool: String,
    pub(super) virtualisation: Virtualisation,
    pub(super) console: PathBuf,
    /// What its firmware tells its system.
    pub(super) strings: Vec<String>,
}

/// How libvirt is told of a machine.
pub(super) fn describe(names: &Names, spec: &MachineSpec, means: &Means, identity: &Identity) -> Domain {
    let disk = |number| Disk {
        pool: means.pool.clone(),
        volume: Names::disk(&spec.name, number),
        medium: Medium::Qcow2,
    };
    // Without an image, the further disks are all there are.
    let first = usize::from(spec.image.is_none());
    Domain {
        name: names.machine(&spec.name),
        uuid: names.machine_uuid(&spec.name).to_string(),
        title: format!("{} of the layout {}", spec.name, means.layout),
        mark: Mark {
            layout: means.layout.clone(),
            site: names.site().to_owned(),
            machine: spec.name.clone(),
            identity: identity.0.clone(),
        },
        virtualisation: means.virtualisation,
        memory_mb: spec.memory_mb.unwrap_or(MEMORY_MB),
        cpus: spec.cpus.unwrap_or(1),
        firmware: spec.firmware,
        boot: spec.boot.as_ref().map(|boot| Boot {
            kernel: boot.kernel.clone(),
            initrd: boot.initrd.clone(),
            arguments: boot.arguments.clone(),
        }),
        strings: means.strings.clone(),
        disks: (first..=spec.disk_sizes.len()).map(disk).collect(),
        nics: spec
            .links
            .iter()
            .map(|link| Nic { network: names.network(&link.network), mac: link.mac.map(mac), mtu: link.mtu })
            .collect(),
        console: Some(means.console.clone()),
    }
}

/// A machine of ours that exists.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) handle: Handle,
    /// The fully qualified name.
    pub(super) name: String,
    pub(super) identity: Identity,
    /// Its interfaces: the network's name in libvirt, and the hardware address.
    pub(super) nics: Vec<(String, String)>,
}

impl Machine {
    /// The machine that this domain is, if it is one of this site.
    fn of(names: &Names, handle: Handle) -> Result<Option<Self>, Error> {
        let what = "cannot look at a machine of libvirt's";
        let Some(described) = found(handle.get_xml_desc(0)).map_err(failed(what))? else { return Ok(None) };
        let mut marks = xml::attributes(&described, "machine");
        let Some(mut mark) =
            marks.pop().filter(|mark| mark.get("site").map(String::as_str) == Some(names.site()))
        else {
            return Ok(None);
        };
        let (Some(name), Some(identity)) = (mark.remove("machine"), mark.remove("identity")) else {
            return Ok(None);
        };
        let networks =
            xml::attributes(&described, "source").into_iter().filter_map(|mut at| at.remove("network"));
        let macs = xml::attributes(&described, "mac").into_iter().filter_map(|mut at| at.remove("address"));
        let nics = networks.zip(macs).collect();
        Ok(Some(Self { handle, name, identity: Identity(identity), nics }))
    }

    /// The machine of this name. An error when its number is a stranger's.
    pub(super) fn find(connect: &Connect, names: &Names, name: &str) -> Result<Option<Self>, Error> {
        let what = || format!("cannot look for the machine `{name}`");
        let handle = Handle::lookup_by_uuid_string(connect, names.machine_uuid(name).as_str());
        let Some(handle) = found(handle).map_err(failed(what()))? else { return Ok(None) };
        match Self::of(names, handle)? {
            Some(machine) if machine.name == name => Ok(Some(machine)),
            _ => {
                let uuid = names.machine_uuid(name);
                Err(Error::new(ErrorKind::Host, what())
                    .because(format!(
                        "libvirt has a machine with the number {uuid} that is not this layout's"
                    ))
                    .hint(format!("look at it with `virsh dumpxml {uuid}`")))
            }
        }
    }

    /// Every machine of this site.
    pub(super) fn all(connect: &Connect, names: &Names) -> Result<Vec<Self>, Error> {
        let handles = connect.list_all_domains(0).map_err(failed("cannot list the machines of libvirt"))?;
        let machines = handles.into_iter().map(|handle| Self::of(names, handle));
        machines.filter_map(Result::transpose).collect()
    }

    fn state(&self) -> Result<(sys::virDomainState, i32), Error> {
        self.handle.get_state().map_err(failed(format!("cannot tell whether `{}` runs", self.name)))
    }

    /// Whether its processors are at work, or could be.
    pub(super) fn is_active(&self) -> Result<bool, Error> {
        let active = self.handle.is_active();
        Ok(found(active)
            .map_err(failed(format!("cannot tell whether `{}` runs", self.name)))?
            .unwrap_or(false))
    }

    pub(super) fn presence(&self) -> Result<Presence, Error> {
        let identity = self.identity.clone();
        let (state, reason) = self.state()?;
        let paused = |why: &str| Presence::Unknown(identity.clone(), why.to_owned());
        Ok(match state {
            sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED => Presence::Running(identity),
            sys::VIR_DOMAIN_SHUTOFF | sys::VIR_DOMAIN_CRASHED => Presence::Stopped(identity),
            sys::VIR_DOMAIN_SHUTDOWN => paused("it is just shutting down"),
            sys::VIR_DOMAIN_PMSUSPENDED => paused("it sleeps"),
            sys::VIR_DOMAIN_PAUSED => match u32::try_from(reason) {
                Ok(sys::VIR_DOMAIN_PAUSED_IOERROR) => {
                    paused("it is paused, because its disk cannot be written: is the host's disk full?")
                }
                Ok(sys::VIR_DOMAIN_PAUSED_USER) => paused("somebody has paused it"),
                _ => paused("it is paused"),
            },
            _ => paused("libvirt does not know its state"),
        })
    }

    /// How it is not as its model says, while it runs.
    pub(super) fn alterations(&self, names: &Names, spec: &MachineSpec) -> Result<Vec<Alteration>, Error> {
        let what = format!("cannot look at `{}`", self.name);
        let Some(info) = found(self.handle.get_info()).map_err(failed(what))? else { return Ok(Vec::new()) };
        let mut altered = Vec::new();
        let mut differs = |aspect, what: String| {
            altered.push(Alteration { aspect, mends: Effect::Restart, what });
        };
        let (memory, wanted) = (info.memory >> 10, spec.memory_mb.unwrap_or(MEMORY_MB));
        if memory != wanted {
            differs(Aspect::Memory, format!("its memory is {memory} MiB and not {wanted} MiB"));
        }
        let (cpus, wanted) = (info.nr_virt_cpu, spec.cpus.unwrap_or(1));
        if cpus != wanted {
            differs(Aspect::Cpus, format!("it has {cpus} processors and not {wanted}"));
        }
        for link in &spec.links {
            let (network, address) = (names.network(&link.network), link.mac.map(mac));
            let is_it = |(has, at): &(String, String)| {
                *has == network && address.as_ref().is_none_or(|address| at.eq_ignore_ascii_case(address))
            };
            if !self.nics.iter().any(is_it) {
                let (interface, network) = (&link.interface, &link.network);
                differs(Aspect::Links, format!("its link `{interface}` is not plugged into `{network}`"));
            }
        }
        Ok(altered)
    }

    /// Asks it to end, waits, and then ends it.
    pub(super) fn stop(&self, grace: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + grace;
        let (state, _) = self.state()?;
        let may_listen = matches!(state, sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED);
        if may_listen && !grace.is_zero() && self.handle.shutdown().is_ok() {
            while Instant::now() < deadline {
                if !self.is_active()? {
                    return Ok(());
                }
                std::thread::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now())));
            }
        }
        match self.handle.destroy() {
            Ok(()) => Ok(()),
            // It may have ended by itself meanwhile, which is an error to libvirt.
            Err(_) if !self.is_active()? => Ok(()),
            Err(error) => Err(failed(format!("cannot stop `{}`", self.name))(error)),
        }
    }

    /// Makes libvirt forget it, with what it keeps of it; no disks.
    pub(super) fn undefine(&self) -> Result<(), Error> {
        let flags = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | sys::VIR_DOMAIN_UNDEFINE_NVRAM;
        gone(self.handle.undefine_flags(flags)).map_err(failed(format!("cannot remove `{}`", self.name)))
    }

    /// Starts it; an error when it does not even begin.
    pub(super) fn start(&self) -> Result<(), Error> {
        match self.handle.create() {
            Ok(_) => Ok(()),
            Err(_) if self.is_active()? => Ok(()),
            Err(error) => {
                let hint = error.message().contains("ermission denied").then_some(
                    "libvirt's machines run as a user of their own, who must be able to read the image, the kernel and all \
                     directories above them: put them into `/var/lib/libvirt/images`",
                );
                let error = failed(format!("cannot start `{}`", self.name))(error);
                Err(match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                })
            }
        }
    }

    /// Plugs its interfaces on a network in again, after that was made anew.
    pub(super) fn plug(&self, nics: &[Nic]) -> Result<(), Error> {
        for nic in nics {
            self.handle
                .update_device_flags(&nic.xml()?, sys::VIR_DOMAIN_DEVICE_MODIFY_LIVE)
                .map_err(failed(format!("cannot plug `{}` into the network `{}`", self.name, nic.network)))?;
        }
        Ok(())
    }
}

/// Makes libvirt know a machine, or know it as it is described now. A stranger of the same name is an error.
pub(super) fn define(connect: &Connect, domain: &Domain) -> Result<(), Error> {
    let machine = &domain.mark.machine;
    let failure = || format!("cannot make the machine `{machine}`");
    let name = &domain.name;
    if let Some(other) = found(Handle::lookup_by_name(connect, name)).map_err(failed(failure()))? {
        let uuid = other.get_uuid_string().map_err(failed(failure()))?;
        if uuid != domain.uuid {
            return Err(Error::new(ErrorKind::Host, failure())
                .because(format!("libvirt has a machine `{name}` that is not this layout's"))
                .hint(format!(
                    "look at it with `virsh dumpxml {name}`; remove it, or give it another name"
                )));
        }
    }
    Handle::define_xml(connect, &domain.xml()?).map(drop).map_err(failed(failure()))
}
