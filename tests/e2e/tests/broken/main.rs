//! Broken worlds: each a clear error that loses nothing, or a correct continuation.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod disk;
mod exec;
mod killed;
mod state;
