//! The model: what a layout is, as constants that the compiler checks and the runtime interprets.

mod check;
mod constraint;
mod hardware;
mod key;
mod login;
mod node;
mod place;
mod reference;
#[cfg(test)]
mod sample;
mod text;
mod value;

pub use constraint::{Constraint, ConstraintKind, NumberConstraint, TextConstraint};
pub use hardware::{Hardware, Mount, Port, Surroundings};
pub use key::{At, Key};
pub use login::{Address, Login, Through};
pub use node::{
    Addressing, Cidr4, Count, Dependency, ImplementationNode, Kind, Link, Member, Node, Part, Range4, Role,
    TaskNode,
};
pub use place::{Placement, Placements, Size, Tables};
pub use reference::Unresolved;
pub use value::{Mask, Mode, Need, Provide};
