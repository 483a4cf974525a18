//! Machines for a layout of the suite, where the implementation has no links and needs to be told nothing.

use carthage::prelude::*;

use crate::{Marks, RootMarks};

/// The machine that most is about.
#[machine_model]
pub struct One {
    /// What is done to it.
    #[customize]
    pub marks: Marks,
}

/// The same, where the implementation has [`OfflineRoot`](carthage::machine::capability::Capability::OfflineRoot).
#[machine_model(name = "one")]
pub struct Rooted {
    /// What is done to it.
    #[customize]
    pub marks: Marks,
    /// What is done to its root before that.
    #[customize]
    pub root: RootMarks,
}

/// Another.
#[machine_model]
pub struct Other;

/// A third.
#[machine_model]
pub struct Stranger;
