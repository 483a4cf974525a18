//! What a layout leaves on the controller: directories, the lock, the store of what exists, and persisted values.
//!
//! One [`Store`] at a time may change a layout's state: opening it takes the layout's [lock]. Whoever only looks reads
//! a [`Snapshot`], also while another process writes, and never creates anything.

mod assignments;
mod carry;
mod commits;
mod copied;
mod database;
pub mod dirs;
mod entries;
#[cfg(test)]
pub(crate) mod faulty;
mod files;
mod journal;
mod kept;
mod key;
mod ledger;
pub mod lock;
mod origin;
mod paths;
pub mod persist;
mod record;
mod snapshot;
pub mod storage;
mod store;
#[cfg(feature = "crash-points")]
mod traced;

pub use crate::crash::crash_point;
pub use dirs::Dirs;
pub use files::Files;
pub use journal::{Change, Entry, Intent, Outcome};
pub(crate) use kept::Kept;
pub use key::HashKey;
pub(crate) use ledger::{Announced, Ledger};
pub use lock::Holder;
pub(crate) use lock::now;
pub use origin::Origin;
pub(crate) use paths::Paths;
pub use persist::Persist;
pub use record::{Assignment, Kind, Record};
pub use snapshot::Snapshot;
pub use store::Store;
