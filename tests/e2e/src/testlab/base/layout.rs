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

/// What is in it.
#[enclave(domain = "test")]
pub struct Grounds {
    /// A network.
    pub front: Front,
    /// Another.
    pub back: Back,
    /// Serves.
    pub server: Server,
    /// Fetch.
    pub workers: [Worker; 2],
    /// Apart.
    pub vault: Vault,
}
