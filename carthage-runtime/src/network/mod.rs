//! Networks: links between machines, and who gets which address.

mod address;
mod link;
#[expect(clippy::module_inception, reason = "a network is what this is about")]
mod network;

pub use address::mac_address;
pub(crate) use address::{Asked, Given, assign};
pub use link::Link;
pub(crate) use network::Network;
