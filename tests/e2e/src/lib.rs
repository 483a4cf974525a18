//! End-to-end tests: a layout of real machines, the program that deploys it, and what a test needs to look at both.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

pub mod lab;
pub mod paper;
pub mod paper_world;
pub mod power;
pub mod program;
pub mod testlab;

pub use carthage_conformance::{footprint, host, wait};
pub use lab::Lab;
pub use program::{Ended, Programs};
