//! Machines for a layout of the suite, where the implementation has no links and needs to be told nothing.

use carthage::prelude::*;

use crate::Marks;

/// The machine that most is about.
#[machine_model]
pub struct One {
    /// What is done to it.
    #[customize]
    pub marks: Marks,
}

/// Another.
#[machine_model]
pub struct Other;

/// A third.
#[machine_model]
pub struct Stranger;
