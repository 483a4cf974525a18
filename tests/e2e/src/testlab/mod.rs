//! The layout under test, in several versions of its source.
//!
//! Texts, ports and counts are read from the environment, as if the source had been edited there; where a version differs in
//! its source, it has a file of its own and shares the others.

#![expect(
    clippy::duplicate_mod,
    reason = "versions of one source share the files in which they do not differ"
)]

pub mod base;
pub mod blocks;
pub mod by_hand;
pub mod canary;
pub mod checked;
pub mod comments;
pub mod desks;
pub mod fewer;
pub mod gated;
pub mod generated;
pub mod installed;
pub mod matrix;
pub mod more;
pub mod policies;
pub mod renamed;
pub mod tokens;
pub mod turned;
pub mod users;
pub mod written;

/// A value of the layout that a test can edit.
pub fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
