//! Injection: values by key, from the nearest scope that provides them.

mod close;
mod filter;
mod happening;
mod scope;
mod secret;
mod slot;
#[cfg(test)]
mod tests;
mod waits;

pub use close::Close;
pub use happening::{Happening, Listening, What};
pub use scope::{Injectable, MakingEach, Scope};
pub use secret::Secret;
pub use slot::{Closing, Making, Slot, Value};
pub use waits::Wait;
