//! What happens inside a machine: its root, its first process, and what that does on request.

mod boot;
mod capabilities;
mod command;
mod compose;
mod descendants;
mod etc;
mod exec;
mod file;
mod init;
mod mounts;
mod root;
mod service;
mod session;
mod users;

pub(super) use boot::{Ground, boot};
pub(super) use compose::OWN;
