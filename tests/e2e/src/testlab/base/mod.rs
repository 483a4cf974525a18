//! The layout as it is first deployed.

pub mod daemons;
pub mod fetch;
pub mod layout;
pub mod machines;
pub mod site;
pub mod values;
pub mod works;
