//! The names that a machine can reach.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A line of a machine's `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostEntry {
    /// The address.
    pub address: IpAddr,
    /// The names, the fully qualified one first.
    pub names: Vec<String>,
}

/// The names that a machine can reach, put together when somebody asks for them: each of many machines can reach all others.
#[derive(Clone)]
pub struct Hosts(Arc<dyn Fn() -> Vec<HostEntry> + Send + Sync>);

impl Hosts {
    /// Those that `list` answers.
    pub(crate) fn when_asked(list: impl Fn() -> Vec<HostEntry> + Send + Sync + 'static) -> Self {
        Self(Arc::new(list))
    }

    /// All of them.
    #[must_use]
    pub fn list(&self) -> Vec<HostEntry> {
        (self.0)()
    }
}

impl From<Vec<HostEntry>> for Hosts {
    fn from(list: Vec<HostEntry>) -> Self {
        Self::when_asked(move || list.clone())
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hosts")
    }
}
