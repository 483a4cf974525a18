//! The layout.

use carthage::backend::Sandbox;
use carthage::prelude::*;

use super::machines::{Back, Front, Server, Vault, Worker};
use super::values::{Password, Token};

/// The layout under test.
#[layout(name = "testlab", implementation = Sandbox)]
pub struct Testlab {
    /// Made once.
    #[provide(persist, Token::generate()?)]
    pub token: Arc<Token>,
    /// Not kept.
    #[provide(Password::from_environment())]
    pub password: Arc<Password>,
    /// The machines.
    pub site: Grounds,
}

/// A network that nothing is plugged into but what was added with it.
#[network(v4 = "10.63.0.0/24", pool = "10.63.0.5-10.63.0.9")]
pub struct Side;

/// On both.
#[machine_model]
pub struct Bridge {
    /// The network of the others.
    #[link]
    pub eth0: Link<Front>,
    /// The new one.
    #[link]
    pub eth1: Link<Side>,
}

/// What is in it.
#[enclave(domain = "test")]
pub struct Grounds {
    /// A network.
    pub front: Front,
    /// Another.
    pub back: Back,
    /// The new network.
    pub side: Side,
    /// The new machine: before the workers, so that it would get their addresses if they had not got them already.
    pub bridge: Bridge,
    /// Serves.
    pub server: Server,
    /// Fetch.
    pub workers: [Worker; 2],
    /// Apart.
    pub vault: Vault,
}
