//! What implementations can do, in one table: a trait for each capability, which the compiler checks, and a value, which
//! tests and pages read.

use super::implementation::Implementation;

/// What an implementation declares to be able to do; written by [`capabilities!`](crate::capabilities).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare what it can do",
    label = "this implementation has no list of capabilities",
    note = "write `carthage::capabilities!({Self}: Links, DirectoryRoot);` with those it has, or with none"
)]
pub trait Capable {
    /// Itself: a bound on `<T as Capable>::Me` says nothing about a `T` that is no implementation, which is an error already, and
    /// one is enough.
    #[doc(hidden)]
    type Me;
    /// All of it.
    const CAPABILITIES: &'static [Capability];
}

/// Declares what an implementation can do: `capabilities!(Sandbox: Links, DirectoryRoot);`, or with parameters
/// `capabilities!(<H: ContainerHost> Container<H>: Links);`.
///
/// Each name is a trait of [`machine::capability`](crate::machine::capability), which is implemented for the type, and a
/// [`Capability`](crate::machine::capability::Capability) in its list.
///
/// ```
/// use carthage_runtime::machine::capability::{Capability, Capable};
///
/// struct Toy;
/// # impl carthage_runtime::machine::implementation::Implementation for Toy {
/// #     const NAME: &'static str = "Toy";
/// #     async fn open(_: carthage_runtime::machine::engine::Site)
/// #     -> carthage_runtime::Result<std::sync::Arc<dyn carthage_runtime::machine::engine::Engine>, carthage_runtime::Error>
/// #     { unimplemented!() }
/// # }
/// carthage_runtime::capabilities!(Toy: Power, Located);
/// assert_eq!(Toy::CAPABILITIES, [Capability::Power, Capability::Located]);
/// ```
#[macro_export]
macro_rules! capabilities {
    (<$($parameter:ident: $bound:path),+> $implementation:ty: $($capability:ident),* $(,)?) => {
        $crate::capabilities!(@each [$($parameter: $bound),+] [$implementation] $($capability)*);
        impl<$($parameter: $bound),+> $crate::machine::capability::Capable for $implementation {
            type Me = Self;
            const CAPABILITIES: &'static [$crate::machine::capability::Capability] =
                &[$($crate::machine::capability::Capability::$capability),*];
        }
    };
    // The parameters repeat within each capability: they are handed on as one.
    (@each $parameters:tt $implementation:tt $($capability:ident)*) => {
        $($crate::capabilities!(@one $parameters $implementation $capability);)*
    };
    (@one [$($parameter:ident: $bound:path),+] [$implementation:ty] $capability:ident) => {
        impl<$($parameter: $bound),+> $crate::machine::capability::$capability for $implementation {}
    };
    ($implementation:ty: $($capability:ident),* $(,)?) => {
        $(impl $crate::machine::capability::$capability for $implementation {})*
        impl $crate::machine::capability::Capable for $implementation {
            type Me = Self;
            const CAPABILITIES: &'static [$crate::machine::capability::Capability] =
                &[$($crate::machine::capability::Capability::$capability),*];
        }
    };
}

macro_rules! table {
    ($($(#[doc = $about:literal])+ $name:ident $(with $and:ident)?: $lacking:literal, $label:literal, $note:literal;)+) => {
        /// Something that an implementation can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Capability {
            $($(#[doc = $about])+ $name,)+
        }

        impl Capability {
            /// All that there are.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name, as it is declared.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($about),+).trim_ascii(),)+
                }
            }
        }

        $(
            $(#[doc = $about])+
            #[diagnostic::on_unimplemented(message = $lacking, label = $label, note = $note)]
            pub trait $name: Implementation $(+ $and)? {}
        )+
    };
}

table! {
    /// Machines are started and stopped, made and removed from here.
    Power: "machines by `{Self}` cannot be started and stopped from here",
        "this needs an implementation that makes its machines",
        "implementations that do: `Sandbox`, `Container`, `Vm`";
    /// It knows where its machines are; one that does not is told an address (`ip_address = "…"`).
    Located: "machines by `{Self}` are reached, not made: nothing says where this one is",
        "`{Self}` needs to know this machine's address",
        "write `ip_address = \"…\"` in its `#[machine_model(…)]`";
    /// Machines have network interfaces, plugged into the layout's networks (`#[link]`).
    Links: "machines by `{Self}` have no network links",
        "`{Self}` cannot plug a machine into a network",
        "implementations with links: `Sandbox`, `Container`, `Vm`";
    /// Interfaces are called as the model's fields are.
    InterfaceNames: "interfaces of machines by `{Self}` have names of their own",
        "`{Self}` cannot name an interface",
        "implementations that can: `Sandbox`";
    /// The root of a machine can be a directory that the model names (`root = "…"`).
    DirectoryRoot: "machines by `{Self}` cannot use a directory as their root",
        "`root` needs an implementation that takes a directory",
        "implementations that do: `Sandbox`, `Container`";
    /// The root of a machine comes from an image that the model names (`image = "…"`).
    Images: "machines by `{Self}` are not made from images",
        "`image` needs an implementation that makes machines from images",
        "implementations that do: `Container`, `Vm`";
    /// A kernel can be started directly (`kernel = "…"`).
    KernelBoot: "machines by `{Self}` have no kernel of their own",
        "`kernel` needs an implementation that boots one",
        "implementations that do: `Vm`";
    /// Disks beyond the root (`disk_sizes = [10]`).
    Disks: "machines by `{Self}` have no disks",
        "`disk_sizes` needs an implementation with disks",
        "implementations with disks: `Vm`";
    /// BIOS or UEFI (`firmware_type = "uefi"`).
    FirmwareType: "machines by `{Self}` have no firmware to choose",
        "`firmware_type` needs an implementation with firmware",
        "implementations with firmware: `Vm`";
    /// The environment of everything that runs in a machine can be set (`#[env]`).
    Environment: "machines by `{Self}` take no environment from the model",
        "`#[env]` needs an implementation that sets one",
        "implementations that do: `Container`";
    /// Directories of the host can be seen in the machine (`#[mount]`).
    Mounts: "machines by `{Self}` cannot see directories of the host",
        "`#[mount]` needs an implementation that mounts them",
        "implementations that do: `Container`";
    /// Ports of the machine can be reached on the host (`#[expose]`).
    Ports: "machines by `{Self}` cannot be reached through ports of the host",
        "`#[expose]` needs an implementation that publishes ports",
        "implementations that do: `Container`";
    /// Machines are reached by ssh, as the model says (`ssh_login_user = "…"`).
    Login: "machines by `{Self}` are not reached by ssh",
        "this argument needs an implementation that reaches its machines by ssh",
        "implementations that do: `BareMetal`, `Vm`";
    /// Files of a machine's root can be reached while it is stopped, too (`#[customization(container)]`).
    OfflineRoot with FileTree: "files of machines by `{Self}` cannot be reached while they are stopped",
        "a `#[customization(container)]` needs an implementation with an offline root",
        "write `#[customization(filesystem)]`, whose tasks take `&Tree`, for one that is applied once the machine runs; \
         implementations with an offline root: `Sandbox`, `Container`";
    /// Files of a running machine can be reached (`#[customization(filesystem)]`).
    FileTree: "files of machines by `{Self}` cannot be reached",
        "a `#[customization(filesystem)]` needs an implementation with a file tree",
        "write `#[customization]`, whose tasks take `&Host`, for one that runs commands; \
         implementations with a file tree: all of this crate's";
    /// A virtual trusted platform module.
    Tpm: "machines by `{Self}` have no TPM",
        "`tpm` needs an implementation with a TPM",
        "no implementation in this build has a TPM; remove `tpm`, or name another implementation for this machine";
    /// Machines can run virtual machines themselves.
    NestedVirt: "machines by `{Self}` cannot run virtual machines of their own",
        "`nested_virt` needs an implementation with nested virtualisation",
        "no implementation in this build has nested virtualisation; remove `nested_virt`, or name another implementation for this machine";
}
