//! Building blocks: what a host is to have, as data that a setup task returns.
//!
//! A block says what it is about (a `Probe`), what of that differs (`Build::compare`) and with which `Op`s that is changed. Looking
//! and changing are one constant script each (`script`), or plain operations on files where nothing can be run (`files`).

mod apply;
mod checkout;
mod command;
mod content;
mod diff;
mod file;
mod files;
mod key;
mod line;
mod link;
mod package;
mod script;
mod seen;
mod service;
mod template;
#[cfg(test)]
mod tests;
mod user;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub(crate) use apply::{Batch, Looked, apply, look};
pub use checkout::GitCheckout;
pub use command::{Command, Unguarded};
pub use content::Content;
pub use file::{Directory, File};
pub use key::AuthorizedKey;
pub use line::Line;
pub use link::Symlink;
pub use package::Package;
pub use service::Service;
pub use template::Template;
pub use user::User;

use crate::machine::{Host, Machine};
use crate::step::Change;
use script::{Op, Probe};
pub(crate) use seen::Seen;

/// What a setup task returns that says what is to be, in place of doing it.
///
/// `H` is what the task's customization works on: [`Host`], a machine that runs, or [`Root`](crate::Root) or [`Tree`](crate::Tree), which have
/// files only.
///
/// ```
/// use carthage::block::{Directory, File, Package};
/// use carthage::prelude::*;
///
/// /// Says hello to whoever logs in.
/// #[derive(Default)]
/// pub struct Welcome;
///
/// #[customization]
/// impl Welcome {
///     /// What is said.
///     #[setup_task]
///     fn motd(&self) -> Blocks {
///         Blocks::new()
///             .with(Package::named("figlet"))
///             .with(Directory::at("/etc/update-motd.d").mode(0o755))
///             .with(File::at("/etc/motd").content("hello\n").mode(0o644).owner("root"))
///     }
/// }
/// ```
pub struct Blocks<H = Host> {
    blocks: Vec<Block>,
    works_on: PhantomData<fn() -> H>,
}

impl<H> Blocks<H> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { blocks: Vec::new(), works_on: PhantomData }
    }

    /// With one more, which comes after those before.
    #[must_use]
    pub fn with(mut self, block: impl AppliesTo<H>) -> Self {
        self.push(block);
        self
    }

    /// With all of a list.
    #[must_use]
    pub fn with_all<B: AppliesTo<H>>(mut self, blocks: impl IntoIterator<Item = B>) -> Self {
        self.blocks.extend(blocks.into_iter().map(Into::into));
        self
    }

    /// Adds one.
    pub fn push(&mut self, block: impl AppliesTo<H>) {
        self.blocks.push(block.into());
    }

    pub(crate) fn into_list(self) -> Vec<Block> {
        self.blocks
    }
}

impl<H> Default for Blocks<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Blocks<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.blocks).finish()
    }
}

/// A building block that works on an `H`.
pub trait AppliesTo<H>: Into<Block> {}

/// What commands can be run in: more than files.
#[diagnostic::on_unimplemented(
    message = "this building block does not work on a `{Self}`, which has files and runs nothing",
    label = "not on a `{Self}`",
    note = "a `Root` or a `Tree` takes `File`, `Directory` and `Line`; all others need a machine that runs, which is what a \
            `#[customization]` without a kind works on"
)]
pub trait RunsCommands {}

// With one of them only, the compiler would take any list of blocks to be for it, and say something else.
impl RunsCommands for Host {}
impl RunsCommands for Machine {}

/// Any building block.
#[doc(hidden)]
#[derive(Clone)]
pub struct Block(Arc<dyn Build>);

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name())
    }
}

/// What a building block does.
trait Build: Send + Sync + 'static {
    /// What users call it: `/etc/motd`, `package curl`.
    fn name(&self) -> String;

    /// What it is, where more is to be said of it: `/etc/motd (12 bytes)`.
    fn described(&self) -> String {
        self.name()
    }

    /// What it does where nothing is yet: `creates`.
    fn verb(&self) -> &'static str {
        "creates"
    }

    /// Why it cannot be meant so.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// What must be known to compare it.
    fn probe(&self) -> Probe;

    /// What differs, as far as is seen. What it would change counts as changed for those after it.
    fn compare(&self, seen: &mut Seen) -> Outcome;

    /// Whether nobody knows all that it changes.
    fn is_opaque(&self) -> bool {
        false
    }

    /// What those share that change nothing of each other, although nobody knows all that they change.
    fn alike(&self) -> Option<&'static str> {
        None
    }

    /// Whether it is told by a program whether it is as it is to be, who may answer otherwise once anything has changed.
    fn is_guarded(&self) -> bool {
        false
    }
}

/// What is to be done about a block.
#[derive(Debug)]
enum Outcome {
    /// It is as it is to be.
    Same,
    /// It is not: what changes, and by what.
    Differs(Change, Vec<Op>),
    /// It is not, and cannot be changed.
    Blocked(String),
}

impl Outcome {
    fn differs(what: impl Into<String>, op: Op) -> Self {
        Self::Differs(Change::new(what), vec![op])
    }
}

macro_rules! applies_to {
    ($($host:path: $($block:ty),*;)*) => {$($(
        impl From<$block> for Block {
            fn from(block: $block) -> Self {
                Self(Arc::new(block))
            }
        }
        impl<H: $host> AppliesTo<H> for $block {}
    )*)*};
}

applies_to! {
    Sized: File, Directory, Line;
    RunsCommands: Symlink, Package, Service, User, AuthorizedKey, GitCheckout, Command;
}

/// Why a path cannot be used.
fn absolute(path: &std::path::Path) -> Result<(), String> {
    let has_nul = path.as_os_str().as_encoded_bytes().contains(&0);
    let leads_up = path.components().any(|part| part == std::path::Component::ParentDir);
    match () {
        () if !path.is_absolute() => Err(format!("the path `{}` is not absolute", path.display())),
        () if has_nul || leads_up => Err(format!("the path `{}` holds `..` or a NUL byte", path.display())),
        () if path.file_name().is_none() => Err(format!("`{}` is the root itself", path.display())),
        () => Ok(()),
    }
}

/// Why this is no name of a package, a service, a user or a group.
fn plain_name(what: &str, name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._+-@:/=".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!("`{name}` is no name of a {what}"))
}
