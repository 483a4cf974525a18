//! Whether machines can run on the processor itself: found out by booting a tiny guest, once per host.
//!
//! That `/dev/kvm` can be opened says little: where the host is itself a virtual machine, a guest may start and never get anywhere.
//! So a boot sector (`probe.S`) is given a disk and a machine, gets to 64 bits, computes for a while and switches the machine
//! off. What came of it is remembered in the user's cache directory, for this host and hypervisor.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use virt::connect::Connect;
use virt::domain::Domain as Handle;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;
use virt::sys;

use super::hypervisor::{failed, found, gone};
use super::names::Names;
use super::random_id;
use super::storage::Storage;
use super::xml::{self, Disk, Domain, Mark, Medium, Virtualisation, Volume};
use crate::error::Error;
use crate::user_cache;

/// The guest.
const PROBE: &[u8] = include_bytes!("probe.bin");
/// The name that its domain has for us: no machine's, for that has no space.
const NAME: &str = "kvm probe";
/// How long it may take; it needs less than a second.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// KVM boots guests.
    Works,
    /// It does not, for this reason.
    Fails(String),
}

impl Verdict {
    pub(super) fn virtualisation(&self) -> Virtualisation {
        match self {
            Self::Works => Virtualisation::Kvm,
            Self::Fails(_) => Virtualisation::Emulation,
        }
    }
}

/// Where it is remembered, in the cache directory of this user.
#[derive(Clone, Debug)]
pub(super) struct Memory(Option<PathBuf>);

impl Memory {
    /// In `$XDG_CACHE_HOME`, else in `~/.cache`.
    pub(super) fn of_user() -> Self {
        Self(user_cache::directory().map(|cache| cache.join("kvm")))
    }

    fn file(&self, host: &str) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(format!("{host}.json")))
    }

    /// What is remembered of a host. What cannot be read is found out again.
    fn recall(&self, host: &str) -> Option<Verdict> {
        serde_json::from_slice(&fs::read(self.file(host)?).ok()?).ok()
    }

    fn keep(&self, host: &str, verdict: &Verdict) -> Result<(), Error> {
        let Some(file) = self.file(host) else { return Ok(()) };
        let directory = file.parent().unwrap_or(Path::new("/"));
        let write = || {
            user_cache::make(directory)?;
            let mut new = tempfile::NamedTempFile::new_in(directory)?;
            new.write_all(&serde_json::to_vec(verdict)?)?;
            new.persist(&file).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(Error::host::<io::Error>(format!("cannot write `{}`", file.display())))
    }
}

/// What names this host with this hypervisor, and whether that offers KVM at all.
fn host(connect: &Connect) -> Result<(String, bool), Error> {
    let what = "the hypervisor does not say what it can do";
    let capabilities = connect.get_capabilities().map_err(failed(what))?;
    let offers = xml::attributes(&capabilities, "domain");
    let offers_kvm = offers.iter().any(|domain| domain.get("type").is_some_and(|kind| kind == "kvm"));
    let version = connect.get_hyp_version().map_err(failed(what))?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let name = connect.get_hostname().map_err(failed(what))?;
    let words = [name.as_str(), kernel.trim(), &version.to_string()].join("\n");
    Ok((blake3::hash(words.as_bytes()).to_hex()[..32].to_owned(), offers_kvm))
}

/// What is known without trying; `None` if it was not tried yet.
pub(super) fn known(connect: &Connect, memory: &Memory) -> Result<Option<Verdict>, Error> {
    let (host, offers) = host(connect)?;
    Ok(match offers {
        true => memory.recall(&host),
        false => Some(Verdict::Fails("the hypervisor offers none".to_owned())),
    })
}

/// What is known, or found out now. To be called by one at a time.
pub(super) fn verdict(
    connect: &Connect,
    memory: &Memory,
    names: &Names,
    storage: &Storage,
) -> Result<Verdict, Error> {
    if let Some(verdict) = known(connect, memory)? {
        return Ok(verdict);
    }
    let verdict = probe(connect, names, storage, Virtualisation::Kvm)?;
    tracing::info!(?verdict, "tried KVM");
    memory.keep(&host(connect)?.0, &verdict)?;
    Ok(verdict)
}

/// Boots the guest, and removes all of it.
fn probe(connect: &Connect, names: &Names, storage: &Storage, by: Virtualisation) -> Result<Verdict, Error> {
    let pool = storage.make(connect)?;
    let uuid = names.machine_uuid(NAME).to_string();
    // What a run that was killed has left.
    if let Some(left) = lookup(connect, &uuid)? {
        remove(&left)?;
    }
    let what = || "cannot try whether KVM works";
    let name = format!("kvm-probe-{}", random_id()?);
    let volume = Volume { name: name.clone(), medium: Medium::Raw, capacity: 1 << 20, backing: None };
    let volume = StorageVol::create_xml(&pool, &volume.xml()?, 0).map_err(failed(what()))?;
    let verdict = write(connect, &volume).map_err(failed(what())).and_then(|()| {
        let domain = Domain {
            name: names.machine(NAME),
            uuid,
            title: "whether KVM works".to_owned(),
            mark: Mark {
                layout: String::new(),
                site: names.site().to_owned(),
                machine: NAME.to_owned(),
                identity: name.clone(),
            },
            virtualisation: by,
            memory_mb: 64,
            cpus: 1,
            firmware: None,
            boot: None,
            strings: Vec::new(),
            disks: vec![Disk { pool: storage.pool(), volume: name, medium: Medium::Raw }],
            nics: Vec::new(),
            console: None,
        };
        let handle = Handle::define_xml(connect, &domain.xml()?).map_err(failed(what()))?;
        let verdict = watch(&handle);
        remove(&handle)?;
        verdict.map_err(failed(what()))
    });
    let removed = gone(volume.delete(sys::VIR_STORAGE_VOL_DELETE_NORMAL)).map_err(failed(what()));
    let verdict = verdict?;
    removed.map(|()| verdict)
}

fn write(connect: &Connect, volume: &StorageVol) -> Result<(), virt::error::Error> {
    let stream = Stream::new(connect, 0)?;
    volume.upload(&stream, 0, PROBE.len() as u64, 0)?;
    let mut rest = PROBE;
    while !rest.is_empty() {
        let sent = stream.send(rest)?;
        rest = rest.get(sent..).unwrap_or_default();
    }
    stream.finish()
}

/// Starts the guest and sees what becomes of it.
fn watch(handle: &Handle) -> Result<Verdict, virt::error::Error> {
    if let Err(error) = handle.create() {
        return Ok(Verdict::Fails(error.message().lines().last().unwrap_or_default().to_owned()));
    }
    let deadline = Instant::now() + LIMIT;
    let fails = |why: &str| Ok(Verdict::Fails(why.to_owned()));
    while Instant::now() < deadline {
        match handle.get_state()? {
            (sys::VIR_DOMAIN_SHUTOFF, reason)
                if u32::try_from(reason) == Ok(sys::VIR_DOMAIN_SHUTOFF_SHUTDOWN) =>
            {
                return Ok(Verdict::Works);
            }
            (sys::VIR_DOMAIN_SHUTOFF | sys::VIR_DOMAIN_CRASHED, _) => return fails("a guest on it crashed"),
            (sys::VIR_DOMAIN_PAUSED, _) => return fails("a guest on it was paused by the hypervisor"),
            _ => std::thread::sleep(PAUSE),
        }
    }
    fails("a guest on it did not get anywhere")
}

fn lookup(connect: &Connect, uuid: &str) -> Result<Option<Handle>, Error> {
    found(Handle::lookup_by_uuid_string(connect, uuid)).map_err(failed("cannot look for a machine"))
}

fn remove(handle: &Handle) -> Result<(), Error> {
    let what = "cannot remove the machine that KVM was tried with";
    if handle.is_active().map_err(failed(what))? {
        // It may end by itself meanwhile; whether it is gone is what `undefine` tells.
        let _ = handle.destroy();
    }
    gone(handle.undefine()).map_err(failed(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_is_a_boot_sector() {
        assert_eq!((PROBE.len(), &PROBE[510..]), (512, &[0x55, 0xaa][..]));
    }

    #[test]
    fn what_came_of_it_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory(Some(dir.path().join("carthage/kvm")));
        assert_eq!(memory.recall("h"), None);
        let fails = Verdict::Fails("a guest on it crashed".into());
        memory.keep("h", &fails).unwrap();
        assert_eq!(memory.recall("h"), Some(fails));
        memory.keep("h", &Verdict::Works).unwrap();
        assert_eq!(memory.recall("h").unwrap().virtualisation(), Virtualisation::Kvm);
        fs::write(memory.file("h").unwrap(), "nonsense").unwrap();
        assert_eq!(memory.recall("h"), None);
        Memory(None).keep("h", &Verdict::Works).unwrap();
    }
}
