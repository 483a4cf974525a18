//! A site of a training range: a network with a router, a mail server, a file server and desktops.
//!
//! It is a template: `Site<1>`, `Site<2>` … each have addresses, a domain and types of their own. The network that leads to the
//! other sites is the layout's, which says `#[member(is = Uplink)]`.

mod routes;

use carthage::prelude::*;
pub use routes::{Forwarding, Routes, Sites};

/// What leads to the other sites.
#[network(abstract)]
pub struct Uplink;

/// Everybody in a site.
#[network(v4 = "10.81.{K}.0/24", pool = "10.81.{K}.10-10.81.{K}.250")]
pub struct Lan<const K: u8>;

/// Leads from a site to the others.
#[machine_model(memory_mb = 64)]
pub struct Router<const K: u8> {
    /// To the site.
    #[link(address = "10.81.{K}.1")]
    pub lan: Link<Lan<K>>,
    /// To the others.
    #[link(address = "10.80.0.{K}")]
    pub wan: Link<Uplink>,
    /// Passes on what is not for itself.
    #[customize]
    pub forwarding: Forwarding,
    /// Where the others are.
    #[customize(Routes::to_others(K))]
    pub routes: Routes,
}

/// Reaches the other sites.
#[role]
pub struct Outward<const K: u8> {
    /// By the site's router.
    #[customize(Routes::by_router(K))]
    pub routes: Routes,
}

/// Takes mail for everybody, from everywhere.
#[machine_model(memory_mb = 64)]
pub struct Mail<const K: u8> {
    /// To the site.
    #[link(address = "10.81.{K}.2")]
    pub lan: Link<Lan<K>>,
    /// Mail comes from everywhere.
    #[role]
    pub outward: Outward<K>,
}

/// Keeps the files of its site, and answers nobody else: it knows no way out.
#[machine_model(memory_mb = 64)]
pub struct Files<const K: u8> {
    /// To the site.
    #[link(address = "10.81.{K}.3")]
    pub lan: Link<Lan<K>>,
}

/// Where somebody works.
#[machine_model(memory_mb = 64)]
pub struct Desk<const K: u8> {
    /// To the site.
    #[link]
    pub lan: Link<Lan<K>>,
    /// To mail that is elsewhere.
    #[role]
    pub outward: Outward<K>,
}

/// A site.
#[enclave(domain = "site{K}")]
pub struct Site<const K: u8> {
    /// The wire.
    pub lan: Lan<K>,
    /// The way out.
    pub router: Router<K>,
    /// Reached from everywhere.
    pub mail: Mail<K>,
    /// Reached from the site.
    pub files: Files<K>,
    /// The desktops.
    #[member(only = full)]
    pub desks: Option<[Desk<K>; 20]>,
}
