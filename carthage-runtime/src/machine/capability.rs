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
        #[diagnostic::do_not_recommend]
        impl<$($parameter: $bound),+> $crate::machine::capability::$capability for $implementation {}
    };
    ($implementation:ty: $($capability:ident),* $(,)?) => {
        // Messages name the implementations that can; they need not show where that is said.
        $(#[diagnostic::do_not_recommend] impl $crate::machine::capability::$capability for $implementation {})*
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
    /// Machines can have the links of another machine in place of their own (`shares_links = Router`).
    SharedLinks: "machines by `{Self}` cannot share another machine's links",
        "`shares_links` needs an implementation that puts two machines into one network namespace",
        "implementations that do: `Sandbox`, `Container`";
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
    /// Disks said in full (`disk_config = [(size_gib = 10)]`).
    DiskConfig: "disks of machines by `{Self}` cannot be said in full",
        "`disk_config` needs an implementation that takes it",
        "no implementation of this crate does; write `disk_sizes = [10]` for disks of some GiB";
    /// How the host keeps what is written to disks can be said (`disk_cache = "none"`).
    DiskCache: "machines by `{Self}` have no disk cache to choose",
        "`disk_cache` needs an implementation that sets one",
        "no implementation of this crate does; remove `disk_cache`";
    /// The kind of processor can be chosen (`architecture = "aarch64"`).
    Architecture: "machines by `{Self}` have the host's kind of processor",
        "`architecture` needs an implementation that can choose",
        "no implementation of this crate does; remove `architecture`";
    /// Machines have a screen that people can look at (`console_needed`).
    Console: "machines by `{Self}` have no screen",
        "`console_needed` needs an implementation with one",
        "no implementation of this crate has one; remove `console_needed`: commands and `shell` need none";
    /// Machines are told by cloud-init who they are (`cloud_init`).
    CloudInit: "machines by `{Self}` are not told by cloud-init who they are",
        "`cloud_init` needs an implementation that serves it",
        "no implementation of this crate does; remove `cloud_init`, and write `#[customization]`s instead";
    /// Memory and processors are limited (`memory_mb`, `cpus`).
    Limits: "memory and processors of machines by `{Self}` are not ours to limit",
        "`memory_mb` and `cpus` need an implementation that limits them",
        "implementations that do: `Sandbox`, `Container`, `Vm`";
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
    /// It can be said how often a machine is tried to be reached (`ssh_online_retries = 10`).
    OnlineRetries: "machines by `{Self}` are tried to be reached until their time is over",
        "`ssh_online_retries` needs an implementation that counts",
        "no implementation of this crate does; write `ssh_online_timeout = 60`, in seconds";
    /// Who logs in can become another user (`privilege = "sudo"`).
    Privileges: "who logs in to machines by `{Self}` cannot become another user",
        "`privilege` needs an implementation that can do that",
        "no implementation of this crate does; log in as root, or as who is to run commands";
    /// Machines can be left as they are (`readonly`).
    Readonly: "machines by `{Self}` cannot be only looked at",
        "`readonly` needs an implementation that leaves a machine as it is",
        "no implementation of this crate does; leave the machine out of what you deploy: `--exclude`";
    /// Networks have a gateway (`gateway = "10.37.0.1"`).
    Gateways: "networks by `{Self}` have no gateway",
        "`gateway` needs an implementation that sets one",
        "no implementation of this crate does; remove `gateway`, and set the route in a task";
    /// Networks have a DHCP server (`dhcp = "10.37.0.100-10.37.0.199"`).
    Dhcp: "networks by `{Self}` have no DHCP server",
        "`dhcp` needs an implementation that runs one",
        "no implementation of this crate does; write `pool = \"…-…\"`, from which links get their addresses";
    /// Networks can be VLANs (`vlan = 5`).
    Vlans: "networks by `{Self}` are no VLANs",
        "`vlan` needs an implementation with VLANs",
        "no implementation of this crate has them; remove `vlan`: networks are apart from each other without it";
    /// Networks can be bridges that the host has already (`bridge = "br0"`).
    Bridges: "networks by `{Self}` are none of the host's bridges",
        "`bridge` needs an implementation that plugs machines into a bridge of the host",
        "implementations that do: `Vm`; remove `bridge`: the network is then one of the implementation's own";
    /// Links can take the frames of several VLANs with their tags (`vlans = [5, 6]`).
    VlanTrunk with Links: "links of machines by `{Self}` take no VLAN tags",
        "`vlans` needs an implementation with VLAN trunks",
        "no implementation of this crate has them; write a `#[link]` for each network";
    /// Links can be cables from one machine to another (`peer = link!(Switch.port1)`).
    Peers with Links: "links of machines by `{Self}` are plugged into networks, not into each other",
        "`peer` needs an implementation with cables",
        "no implementation of this crate has them; remove `peer`: both links are on the network";
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
        "`hardware_tpm` needs an implementation with a TPM",
        "no implementation of this crate has a TPM; remove `hardware_tpm`, or name another implementation for this machine";
    /// Machines can run virtual machines themselves.
    NestedVirt: "machines by `{Self}` cannot run virtual machines of their own",
        "`nested_virt` needs an implementation with nested virtualisation",
        "no implementation of this crate has nested virtualisation; remove `nested_virt`, or name another implementation for this machine";
}
