//! Machines: one interface over every implementation.

pub mod engine;
pub mod implementation;
