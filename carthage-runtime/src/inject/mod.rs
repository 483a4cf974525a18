//! Injection: values by key, from the nearest scope that provides them.

mod scope;
mod secret;
mod slot;
mod waits;

pub use scope::{Injectable, Scope};
pub use secret::Secret;
pub use slot::{Making, Slot, Value};
