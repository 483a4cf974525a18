//! What a machine's model says of its disks, of options of its implementation's own, and of its policy, as an implementation
//! gets it.

use std::path::PathBuf;

use super::resolve::expanded;
use crate::error::Error;
use crate::machine::engine::{DiskSpec, OptionSpecs, PolicySpec};
use crate::model::{Disk, OptionNode, Placement};

/// The disks of `disk_config`.
pub(super) fn disks(machine: Placement) -> Result<Vec<DiskSpec>, Error> {
    let disk = |disk: &Disk| {
        Ok(DiskSpec {
            size_gib: disk.size_gib,
            path: disk.path.map(|path| expanded(machine, path).map(PathBuf::from)).transpose()?,
            cdrom: disk.cdrom,
            bus: disk.bus,
            cache: disk.cache,
            readonly: disk.readonly,
            options: options(disk.options)?,
        })
    };
    machine.node().hardware.disk_config.iter().map(disk).collect()
}

/// Options of an implementation's own.
pub(super) fn options(nodes: &[OptionNode]) -> Result<OptionSpecs, Error> {
    let value = |node: &OptionNode| Ok((node.name.to_owned(), (node.value)()?));
    nodes.iter().map(value).collect::<Result<_, Error>>().map(OptionSpecs)
}

/// What becomes of it without anybody naming it.
pub(super) fn policy(placement: Placement) -> PolicySpec {
    let (policy, otherwise) = (placement.policy(), PolicySpec::default());
    PolicySpec {
        destroy: policy.destroy.unwrap_or(otherwise.destroy),
        orphan: policy.orphan.unwrap_or(otherwise.orphan),
        auto_deploy: policy.auto_deploy.unwrap_or(otherwise.auto_deploy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::{MachineOptions, Removal};
    use crate::model::Placements;
    use crate::model::Policy;
    use crate::model::sample::{enclave, layout, machine, member};

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Gpu {
        memory_gib: u32,
    }

    impl MachineOptions for Gpu {
        const NAME: &'static str = "gpu";
    }

    #[test]
    fn options_are_read_as_they_were_written() {
        let node = OptionNode::new(Gpu::NAME, || Gpu { memory_gib: 4 }.write());
        let specs = options(&[node]).unwrap();
        assert_eq!(specs.get::<Gpu>().unwrap(), Some(Gpu { memory_gib: 4 }));
        assert_eq!(options(&[]).unwrap().get::<Gpu>().unwrap(), None);
        let other = options(&[OptionNode::new(Gpu::NAME, || Ok("many".into()))]).unwrap();
        assert!(other.get::<Gpu>().is_err());
    }

    #[test]
    fn the_nearest_answer_counts() {
        let mirror = machine("Mirror", 10, Vec::new()).policy(Policy::INHERITED.destroy(Removal::Warn));
        let around = Policy::INHERITED.destroy(Removal::Retain).auto_deploy(false);
        let algebra = enclave("Algebra", 30, vec![member("mirror", 31, mirror)]).policy(around);
        let all = Placements::leak(layout(vec![member("algebra", 40, algebra)]));
        let policy = policy(all.find("algebra.mirror").unwrap());
        assert_eq!((policy.destroy, policy.orphan), (Removal::Warn, Removal::Delete));
        assert!(!policy.auto_deploy);
    }
}
