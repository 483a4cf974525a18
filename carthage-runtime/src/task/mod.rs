//! Setup tasks: what makes one run, and the stamps that tell that it ran.

mod completed;
pub mod decide;
mod hash;
mod sheet;
mod stamp;
mod stamps;

pub use completed::{Completed, SaysCompleted};
pub(crate) use completed::{after_1970, writable};
pub use decide::{Decision, Reason, decide};
pub use hash::{Digest, InputHash, TaskHash, TaskHasher, digest};
pub use stamp::{Last, Stamp};
pub use stamps::Stamps;
