//! The pages of the repository, so that `cargo test --doc` compiles their code.

// A page shows a template of it.
use askama as _;

macro_rules! pages {
    ($($(#[$when:meta])* $name:ident $file:literal)*) => {$(
        $(#[$when])*
        #[doc = include_str!($file)]
        struct $name;
    )*};
}

pages! {
    Readme "../README.md"
    FirstLayout "../docs/guide/first-layout.md"
    Language "../docs/guide/language.md"
    Members "../docs/guide/members.md"
    Roles "../docs/guide/roles.md"
    Images "../docs/guide/images.md"
    Starting "../docs/guide/starting.md"
    Tasks "../docs/guide/tasks.md"
    Blocks "../docs/guide/blocks.md"
    Values "../docs/guide/values.md"
    Networks "../docs/guide/networks.md"
    Sandbox "../docs/guide/sandbox.md"
    #[cfg(feature = "libvirt")]
    VirtualMachines "../docs/guide/vm.md"
    #[cfg(feature = "ssh")]
    Ssh "../docs/guide/ssh.md"
    ByHand "../docs/guide/by-hand.md"
    AddingAnImplementation "../docs/guide/adding-an-implementation.md"
    CompilerErrors "../docs/guide/errors.md"
    Rehearsing "../docs/guide/rehearsing.md"
    Operating "../docs/guide/operating.md"
    CommandLine "../docs/cli.md"
}

#[cfg(feature = "container")]
pages! {
    Containers "../docs/guide/container.md"
}
