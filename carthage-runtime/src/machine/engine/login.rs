//! How a machine is reached by ssh, as plain data.

use std::path::PathBuf;
use std::time::Duration;

use super::hardware::Privilege;

/// How a machine is reached by ssh.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LoginSpec {
    /// An address, or a name that this host (or the jump host) can resolve; absent where the implementation knows it.
    pub address: Option<String>,
    /// The TCP port; 22 if absent.
    pub port: Option<u16>,
    /// Whom to log in as; root if absent.
    pub user: Option<String>,
    /// The file of a private key of the user's own; the layout's key if absent.
    pub key: Option<PathBuf>,
    /// Which key the host must show.
    pub host_key: HostKey,
    /// What the connection goes through.
    pub jump: Jump,
    /// The machine of this layout in whose network namespace the connection begins.
    pub origin: Option<String>,
    /// Whether it is waited until the machine takes commands when it is started; it is if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// How long the machine may take to answer; the implementation's default if absent.
    pub online_timeout: Option<Duration>,
    /// How often it is tried to reach the machine; until its time is over if absent.
    pub online_retries: Option<u32>,
    /// How who logs in becomes who runs commands.
    pub privilege: Option<Privilege>,
}

/// Which key a host must show.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostKey {
    /// None is known: connecting is an error that says how to pin one.
    #[default]
    Unknown,
    /// This one: `ssh-ed25519 AAAA…`, without a comment.
    Pinned(String),
    /// Whichever it shows first; the same from then on.
    Learn,
}

/// What a connection goes through.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jump {
    /// Nothing.
    #[default]
    None,
    /// Another machine of the layout, by its fully qualified name.
    Machine(String),
    /// A host: `user@host:port`, as `ssh -J` takes it. Its key is verified by the user's own list of known hosts.
    Host(String),
}
