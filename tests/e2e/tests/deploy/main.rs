//! Deploying, editing, deploying again: what the plan says is what happens, and nothing more.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod blocks;
mod edits;
mod failures;
mod installed;
mod interrupts;
mod invalid;
mod policies;
mod secrets;
mod selections;
mod services;
mod users;
mod values;
mod written;
