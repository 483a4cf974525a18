//! A task has another name.

#[path = "../base/daemons.rs"]
pub mod daemons;
#[path = "../base/fetch.rs"]
pub mod fetch;
#[path = "../base/layout.rs"]
pub mod layout;
#[path = "../base/machines.rs"]
pub mod machines;
pub mod site;
#[path = "../base/values.rs"]
pub mod values;
#[path = "../base/works.rs"]
pub mod works;
