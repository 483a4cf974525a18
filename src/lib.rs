//! Infrastructure as code, as typed Rust: if it compiles, it is consistent.

pub use carthage_runtime::*;
