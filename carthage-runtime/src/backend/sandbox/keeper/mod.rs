//! The keeper: one small process per layout, which holds what its machines share.
//!
//! That is the network namespace with the bridges and, for an ordinary user, the user namespace of which all machines'
//! namespaces are. It starts the machines, is the parent of their first processes and reaps them. Two rules follow, on
//! which the rest is built:
//!
//! * **The keeper is the truth about what runs.** No process id, start time or boot id is kept anywhere: what no keeper
//!   answers for does not run, after a crash and after a reboot of the host alike.
//! * **No machine outlives its keeper**: the kernel kills the first processes when it dies, and they take the rest along.
//!
//! It ends when it has neither networks nor machines, and nobody is connected.

mod client;
mod cover;
mod launch;
mod namespaces;
mod serve;
mod spawn;
mod tree;

pub(super) use client::{Client, closed, connect_below};
pub(super) use launch::main;
pub(super) use namespaces::{Privilege, probe, subordinate};
pub(super) use tree::remove_tree;
