//! The model: what a layout is, as constants that the compiler checks and the runtime interprets.

mod addressing;
mod check;
mod constraint;
mod described;
mod hardware;
mod key;
mod late;
mod login;
mod member;
mod node;
mod options;
mod place;
mod profile;
mod reference;
#[cfg(test)]
pub(crate) mod sample;
mod shared;
mod start;
mod taken;
mod task;
mod text;
mod value;
mod warning;

pub use addressing::{Addressing, Cidr4, Range4};
pub use constraint::{Constraint, ConstraintKind, NumberConstraint, TextConstraint};
pub use described::{Described, Stands};
pub use hardware::{Disk, Hardware, Mount, Port, Surroundings};
pub use key::{At, Key};
pub use late::{Late, Piece, octet};
pub use login::{Address, Login, Through};
pub use member::{Count, Member};
pub use node::{ImplementationNode, Kind, Link, LinkRef, Node, Part, Role, TaskNode};
pub use options::{OptionNode, Policy};
pub(crate) use place::Outcome;
pub use place::{Placement, Placements, Size, Tables, Texts};
pub use profile::Profile;
pub use reference::Unresolved;
pub use shared::Shared;
pub(crate) use start::After;
pub use start::{Dependency, Ignored, Override, Starts, Until};
pub use taken::{Called, Taken, TakenIn};
pub use value::{Mask, Mode, Need, Provide};
pub use warning::Warning;
