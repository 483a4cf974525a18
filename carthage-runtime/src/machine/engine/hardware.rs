//! What a machine is made of beyond memory and processors, and how it is treated, as plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};

/// A disk beyond the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct DiskSpec {
    /// GiB; that of the file if absent.
    pub size_gib: Option<u64>,
    /// A file or device of the host that it is; a new one of its size if absent.
    pub path: Option<PathBuf>,
    /// Whether it is a medium in a drive.
    pub cdrom: bool,
    /// What it is attached to; the implementation's choice if absent.
    pub bus: Option<DiskBus>,
    /// How the host keeps what is written; [`MachineSpec::disk_cache`](super::MachineSpec::disk_cache) if absent.
    pub cache: Option<DiskCache>,
    /// Whether the machine cannot write to it.
    pub readonly: bool,
    /// What only some implementation understands.
    pub options: OptionSpecs,
}

/// What a disk is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskBus {
    /// A virtual device that knows that it is one.
    Virtio,
    /// SCSI.
    Scsi,
    /// SATA.
    Sata,
}

/// How the host keeps what a machine writes to a disk, as QEMU calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskCache {
    /// The machine's writes go to the disk, its flushes too.
    None,
    /// In memory, until the machine flushes.
    Writeback,
    /// In memory for reads; every write goes to the disk.
    Writethrough,
    /// Not at all, and every write goes to the disk.
    Directsync,
    /// In memory, whatever the machine asks for.
    Unsafe,
}

/// What a machine's processor understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Architecture {
    /// 64-bit PCs.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64")]
    Aarch64,
}

/// How who logs in becomes who runs commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    /// By `sudo`, without a password.
    Sudo,
}

/// What to do with a thing that would be taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Removal {
    /// It goes.
    #[default]
    Delete,
    /// It stays, and that is said as a warning.
    Warn,
    /// It stays.
    Retain,
}

/// What becomes of a thing without anybody naming it: [`Policy`](crate::model::Policy), with what the scopes around say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct PolicySpec {
    /// When it is destroyed.
    pub destroy: Removal,
    /// When it is no longer in the layout.
    pub orphan: Removal,
    /// Whether it is deployed although nothing names it.
    pub auto_deploy: bool,
}

impl Default for PolicySpec {
    fn default() -> Self {
        Self { destroy: Removal::Delete, orphan: Removal::Delete, auto_deploy: true }
    }
}

/// Options that an implementation has made up for itself: `#[options(Gpu { memory_gib: 4 })]`. It takes them by
/// [`Takes`](crate::machine::implementation::Takes), and reads them by [`OptionSpecs::get`].
///
/// ```
/// use carthage_runtime::machine::engine::MachineOptions;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Gpu { memory_gib: u32 }
///
/// impl MachineOptions for Gpu { const NAME: &'static str = "gpu"; }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of options for machines",
    label = "expected a type with `MachineOptions`",
    note = "write `impl MachineOptions for {Self} {{ const NAME: &'static str = \"…\"; }}`"
)]
pub trait MachineOptions: Serialize + DeserializeOwned {
    /// What they are called in records; unique among the options of an implementation.
    const NAME: &'static str;

    #[doc(hidden)]
    fn write(&self) -> Result<serde_json::Value, Error> {
        serde_json::to_value(self).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("the options `{}` cannot be kept", Self::NAME))
                .because(error)
        })
    }
}

/// The options of implementations, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OptionSpecs(pub(crate) BTreeMap<String, serde_json::Value>);

impl OptionSpecs {
    /// The options of this type, if the model gives any.
    ///
    /// # Errors
    /// When they were written by another version of the type.
    pub fn get<T: MachineOptions>(&self) -> Result<Option<T>, Error> {
        let Some(value) = self.0.get(T::NAME) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("the options `{}` cannot be read", T::NAME)).because(error)
        })
    }
}
