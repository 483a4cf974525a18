//! The runtime of Carthage: the model's static description and its checks, injection, setup tasks, machines, deployment,
//! the implementations and the command line. Users depend on the face crate `carthage`, which re-exports this one.

#[cfg(test)]
extern crate self as carthage;

pub mod backend;
pub mod cli;
pub mod customize;
pub mod deploy;
mod error;
pub mod event;
pub mod inject;
pub mod layout;
pub mod machine;
pub mod model;
pub mod network;
pub mod state;
pub mod task;

pub use error::{BoxError, Error, ErrorKind, Result, chain};
