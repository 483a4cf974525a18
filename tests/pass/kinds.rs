//! Customizations of each kind, on what can do them.
#![deny(warnings)]

use carthage::prelude::*;

/// Files below a directory, with or without a machine.
#[derive(Default)]
pub struct Files<const N: usize>;

#[customization(filesystem)]
impl<const N: usize> Files<N> {
    /// Write one.
    #[setup_task(hash = N)]
    async fn one(&self, tree: &Tree) -> Result<()> {
        shared(tree).await
    }

    #[invalidator(one)]
    async fn still_there(&self, tree: &Tree) -> Result<bool> {
        tree.exists("/srv/file").await
    }
}

/// What is in the root before anything runs.
#[derive(Default)]
pub struct Base;

#[customization(container)]
impl Base {
    /// Write it.
    #[setup_task]
    async fn base(&self, root: &Root, #[inject] word: &Word) -> Result<()> {
        root.write_with_mode("/etc/word", 0o600, &word.0).await?;
        shared(root).await
    }
}

/// What runs.
#[derive(Default)]
pub struct Service;

#[customization(machine)]
impl Service {
    /// Run it.
    #[setup_task]
    async fn run(&self, host: &Host) -> Result<()> {
        shared(host).await?;
        host.spawn(["sleep", "1"]).await
    }
}

/// What takes a tree takes all three.
async fn shared(tree: &Tree) -> Result<()> {
    tree.write("/srv/file", tree.name()).await
}

/// Something said.
#[injectable]
pub struct Word(String);

/// With all kinds.
#[machine_model]
pub struct All<const N: usize> {
    #[customize]
    pub service: Service,
    #[customize]
    pub files: Files<N>,
    #[customize]
    pub base: Base,
    #[cfg(test)]
    #[customize]
    pub absent: Base,
    #[cfg(not(test))]
    #[customize]
    pub present: Base,
}

/// With an implementation of its own.
#[machine_model(implementation = Sandbox)]
pub struct Own {
    #[customize]
    pub base: Base,
    #[cfg(not(test))]
    #[customize]
    pub files: Files<1>,
}

/// With one, and generic.
#[machine_model(implementation = Sandbox)]
pub struct OwnOf<const N: usize> {
    #[customize]
    pub base: Base,
    #[customize]
    pub files: Files<N>,
    #[cfg(not(test))]
    #[customize]
    pub present: Base,
}

/// All of them.
#[layout(implementation = Sandbox)]
pub struct Kinds {
    #[provide(Word("hello".to_owned()))]
    pub word: Arc<Word>,
    pub all: All<2>,
    pub own: Own,
    pub own_of: OwnOf<3>,
}

fn main() {
    assert_eq!(const { Kinds::placement("all") }.fqdn(), "all");
}
