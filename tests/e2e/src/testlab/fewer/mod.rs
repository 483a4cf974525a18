//! One worker less.

#[path = "../base/daemons.rs"]
pub mod daemons;
#[path = "../base/fetch.rs"]
pub mod fetch;
pub mod layout;
#[path = "../base/machines.rs"]
pub mod machines;
#[path = "../base/site.rs"]
pub mod site;
#[path = "../base/values.rs"]
pub mod values;
#[path = "../base/works.rs"]
pub mod works;
