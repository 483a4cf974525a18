//! Disks: volumes of a directory that belongs to the layout.
//!
//! libvirt makes them, because it alone can write where the machines' processes can read. A machine's root is a layer over the
//! model's image, which takes milliseconds and stays as it is; the machine exists when its domain is defined, which is after its
//! disks: what is found without a domain was left by a run that was killed, and is made anew.

use virt::connect::Connect;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::hypervisor::{failed, found, gone};
use super::image;
use super::names::Names;
use super::xml::{Backing, Medium, Pool, Volume};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::MachineSpec;

const GIB: u64 = 1 << 30;

/// Where the disks of a layout lie.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    names: Names,
    /// A path on the hypervisor's host.
    path: String,
}

impl Storage {
    pub(super) fn new(names: Names, path: String) -> Self {
        Self { names, path }
    }

    /// The name of the pool.
    pub(super) fn pool(&self) -> String {
        self.names.pool()
    }

    fn find(&self, connect: &Connect) -> Result<Option<StoragePool>, Error> {
        let uuid = self.names.pool_uuid();
        found(StoragePool::lookup_by_uuid_string(connect, uuid.as_str()))
            .map_err(failed(format!("cannot look for the directory of the disks, `{}`", self.path)))
    }

    /// The pool, made if there is none. To be called by one at a time.
    pub(super) fn make(&self, connect: &Connect) -> Result<StoragePool, Error> {
        let what = || format!("cannot make the directory of the disks, `{}`", self.path);
        let pool = match self.find(connect)? {
            Some(pool) => pool,
            None => {
                let uuid = self.names.pool_uuid().to_string();
                let pool = Pool { name: self.names.pool(), uuid, path: self.path.clone() };
                StoragePool::define_xml(connect, &pool.xml()?, 0).map_err(failed(what()))?
            }
        };
        if !pool.is_active().map_err(failed(what()))? {
            pool.build(sys::VIR_STORAGE_POOL_BUILD_NEW).map_err(failed(what()))?;
            pool.create(sys::VIR_STORAGE_POOL_CREATE_NORMAL).map_err(failed(what()))?;
        }
        Ok(pool)
    }

    /// Makes the disks of a machine, in place of what a run that was killed has left.
    pub(super) fn make_disks(&self, connect: &Connect, spec: &MachineSpec) -> Result<(), Error> {
        let pool = self.make(connect)?;
        remove_from(&pool, &spec.name)?;
        if let Some(image) = &spec.image {
            let (backing, capacity) = image::look(image)?;
            make(&pool, &spec.name, 0, capacity, Some(backing))?;
        }
        fit(&pool, spec)
    }

    /// Makes the further disks of a stopped machine as the model wants them; none loses anything.
    pub(super) fn fit_disks(&self, connect: &Connect, spec: &MachineSpec) -> Result<(), Error> {
        if spec.disk_sizes.is_empty() {
            return Ok(());
        }
        fit(&self.make(connect)?, spec)
    }

    /// Removes the disks of a machine.
    pub(super) fn remove_disks(&self, connect: &Connect, machine: &str) -> Result<(), Error> {
        match self.find(connect)? {
            Some(pool) if is_active(&pool)? => remove_from(&pool, machine),
            // A directory that libvirt does not serve is not read by it either.
            Some(_) => remove_from(&self.make(connect)?, machine),
            None => Ok(()),
        }
    }

    /// Removes all disks with their directory.
    pub(super) fn clear(&self, connect: &Connect) -> Result<(), Error> {
        if self.find(connect)?.is_none() {
            return Ok(());
        }
        let pool = self.make(connect)?;
        for volume in volumes(&pool)? {
            delete(&volume)?;
        }
        self.remove(&pool)
    }

    /// Removes the directory when there is nothing in it.
    pub(super) fn tidy(&self, connect: &Connect) -> Result<(), Error> {
        match self.find(connect)? {
            Some(pool) if is_active(&pool)? && volumes(&pool)?.is_empty() => self.remove(&pool),
            _ => Ok(()),
        }
    }

    fn remove(&self, pool: &StoragePool) -> Result<(), Error> {
        let what = || format!("cannot remove the directory of the disks, `{}`", self.path);
        gone(pool.destroy()).map_err(failed(what()))?;
        gone(pool.delete(sys::VIR_STORAGE_POOL_DELETE_NORMAL)).map_err(failed(what()))?;
        gone(pool.undefine()).map_err(failed(what()))
    }
}

fn is_active(pool: &StoragePool) -> Result<bool, Error> {
    pool.is_active().map_err(failed("cannot look at the directory of the disks"))
}

fn volumes(pool: &StoragePool) -> Result<Vec<StorageVol>, Error> {
    let list = || {
        // Another run of ours, or somebody by hand, may have changed what is in the directory.
        pool.refresh(0)?;
        pool.list_all_volumes(0)
    };
    list().map_err(failed("cannot list the disks"))
}

fn remove_from(pool: &StoragePool, machine: &str) -> Result<(), Error> {
    for volume in volumes(pool)? {
        let name = volume.get_name().map_err(failed("cannot list the disks"))?;
        if Names::disk_number(machine, &name).is_some() {
            delete(&volume)?;
        }
    }
    Ok(())
}

fn delete(volume: &StorageVol) -> Result<(), Error> {
    let name = volume.get_name().unwrap_or_default();
    gone(volume.delete(sys::VIR_STORAGE_VOL_DELETE_NORMAL))
        .map_err(failed(format!("cannot remove the disk `{name}`")))
}

fn make(
    pool: &StoragePool,
    machine: &str,
    number: usize,
    capacity: u64,
    backing: Option<Backing>,
) -> Result<(), Error> {
    let volume = Volume { name: Names::disk(machine, number), medium: Medium::Qcow2, capacity, backing };
    StorageVol::create_xml(pool, &volume.xml()?, 0)
        .map(drop)
        .map_err(failed(format!("cannot make disk {number} of `{machine}`")))
}

/// Makes the missing ones of the further disks, and enlarges those that are too small.
fn fit(pool: &StoragePool, spec: &MachineSpec) -> Result<(), Error> {
    let machine = &spec.name;
    for (at, gib) in spec.disk_sizes.iter().enumerate() {
        let number = at + 1;
        let wanted = gib.saturating_mul(GIB);
        let looked = || format!("cannot look at disk {number} of `{machine}`");
        let there = found(StorageVol::lookup_by_name(pool, &Names::disk(machine, number)));
        let Some(there) = there.map_err(failed(looked()))? else {
            make(pool, machine, number, wanted, None)?;
            continue;
        };
        let capacity = there.get_info().map_err(failed(looked()))?.capacity;
        if capacity > wanted {
            let what = format!("disk {number} of `{machine}` cannot become smaller");
            return Err(Error::new(ErrorKind::Unsupported, what)
                .because(format!("it has {} GiB, and {gib} are wanted", capacity / GIB))
                .hint(format!(
                    "leave `disk_sizes` as it was; or have the machine made anew without its disks: `destroy machine:{machine}`"
                )));
        }
        if capacity < wanted {
            there
                .resize(wanted, 0)
                .map_err(failed(format!("cannot enlarge disk {number} of `{machine}`")))?;
        }
    }
    Ok(())
}
