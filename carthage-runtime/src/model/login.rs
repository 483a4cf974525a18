//! How a machine is reached by ssh, as constants.

use super::addressing::Range4;
use super::key::Key;
use crate::machine::engine::Privilege;

/// How a machine is reached by ssh; what is absent is left to the implementation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Login {
    /// Where it is.
    pub address: Option<Address>,
    /// The TCP port.
    pub port: Option<u16>,
    /// Whom to log in as.
    pub user: Option<&'static str>,
    /// The path of a private key of the user's own.
    pub key: Option<&'static str>,
    /// The key that it must show: `ssh-ed25519 AAAA…`.
    pub host_key: Option<&'static str>,
    /// Whether the key that it shows first is taken for its own.
    pub learn_host_key: bool,
    /// What the connection goes through.
    pub jump: Option<Through>,
    /// The machine in whose network namespace the connection begins.
    pub origin: Option<Key>,
    /// Whether it is waited until it takes commands when it is started.
    pub online: Option<bool>,
    /// Seconds that it may take to answer.
    pub online_timeout: Option<u32>,
    /// How often it is tried to reach it.
    pub online_retries: Option<u32>,
    /// How who logs in becomes who runs commands.
    pub privilege: Option<Privilege>,
}

/// Where a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// One address, or in an array of machines one for each.
    Range(Range4),
    /// A name, or an address of another kind.
    Name(&'static str),
}

/// What a connection goes through.
#[derive(Clone, Copy, Debug)]
pub enum Through {
    /// A machine of the layout.
    Machine(Key),
    /// A host: `user@host:port`.
    Host(&'static str),
}

impl Login {
    /// As the implementation does it.
    pub const ANY: Self = Self {
        address: None,
        port: None,
        user: None,
        key: None,
        host_key: None,
        learn_host_key: false,
        jump: None,
        origin: None,
        online: None,
        online_timeout: None,
        online_retries: None,
        privilege: None,
    };

    /// At this address.
    #[must_use]
    pub const fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// At this TCP port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// As this user.
    #[must_use]
    pub const fn user(mut self, user: &'static str) -> Self {
        self.user = Some(user);
        self
    }

    /// With this private key.
    #[must_use]
    pub const fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// Where this host key is shown.
    #[must_use]
    pub const fn host_key(mut self, host_key: &'static str) -> Self {
        self.host_key = Some(host_key);
        self
    }

    /// Through this.
    #[must_use]
    pub const fn jump(mut self, jump: Through) -> Self {
        self.jump = Some(jump);
        self
    }

    /// From inside this machine's network.
    #[must_use]
    pub const fn origin(mut self, origin: Key) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Waited for when it is started, until it takes commands, or not.
    #[must_use]
    pub const fn online(mut self, online: bool) -> Self {
        self.online = Some(online);
        self
    }

    /// Within so many seconds.
    #[must_use]
    pub const fn online_timeout(mut self, online_timeout: u32) -> Self {
        self.online_timeout = Some(online_timeout);
        self
    }

    /// With so many attempts.
    #[must_use]
    pub const fn online_retries(mut self, online_retries: u32) -> Self {
        self.online_retries = Some(online_retries);
        self
    }

    /// With this to become another user.
    #[must_use]
    pub const fn privilege(mut self, privilege: Privilege) -> Self {
        self.privilege = Some(privilege);
        self
    }

    /// Whichever host key is shown first.
    #[must_use]
    pub const fn learn_host_key(mut self) -> Self {
        self.learn_host_key = true;
        self
    }
}
