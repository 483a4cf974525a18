//! The attribute macros of Carthage.
