//! What the repository keeps to, beyond what the compiler and clippy see.
//!
//! Each rule is a function that lists what breaks it, and is shown here to find what it is for.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "these are tests, in several files")]

mod directions;
mod manifests;
mod pages;
mod references;
mod sources;
mod text;

/// Panics with everything that breaks a rule.
#[track_caller]
fn holds(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}
