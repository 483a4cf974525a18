//! What a layout leaves on the controller: directories, the lock, the store of what exists, and persisted values.
//!
//! One [`Store`] at a time may change a layout's state: opening it takes the layout's [lock]. Whoever only looks reads
//! a [`Snapshot`], also while another process writes, and never creates anything.

mod crash;
mod database;
pub mod dirs;
mod journal;
mod key;
pub mod lock;
pub mod persist;
mod record;
mod snapshot;
mod store;

pub use crash::crash_point;
pub use dirs::Dirs;
pub use journal::{Change, Entry, Intent, Outcome};
pub use key::HashKey;
pub use lock::Holder;
pub use persist::Persist;
pub use record::{Assignment, Kind, Record};
pub use snapshot::Snapshot;
pub use store::Store;
