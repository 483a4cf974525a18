//! The model: what a layout is, as constants that the compiler checks and the runtime interprets.

mod key;
mod node;

pub use key::{At, Key};
pub use node::{
    Addressing, Cidr4, Count, Dependency, Hardware, ImplementationNode, Kind, Link, Member, Mode, Need, Node,
    Part, Provide, Range4, Role, TaskNode,
};

mod shim;
pub use shim::{Placement, Placements};
