//! The model: what a layout is, as constants that the compiler checks and the runtime interprets.

mod check;
mod hardware;
mod key;
mod login;
mod node;
mod options;
mod place;
mod reference;
#[cfg(test)]
pub(crate) mod sample;
mod text;

pub use hardware::{Disk, Hardware, Mount, Port, Surroundings};
pub use key::{At, Key};
pub use login::{Address, Login, Through};
pub use node::{
    Addressing, Cidr4, Count, Dependency, ImplementationNode, Kind, Link, LinkRef, Member, Mode, Need, Node,
    Part, Provide, Range4, Role, TaskNode,
};
pub use options::{OptionNode, Policy};
pub use place::{Placement, Placements, Size, Tables};
pub use reference::Unresolved;
