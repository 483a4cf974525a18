//! A training range: three sites from one template, joined by a backbone, and a desk for each trainee in `trainees.txt`.
//!
//! ```console
//! $ cargo run -p range -- check
//! $ cargo run -p range -- list
//! $ cargo run -p range -- deploy --yes
//! $ cargo run -p range -- exec ann -- ping -c 1 10.81.2.2
//! $ cargo run -p range -- plan --profile full
//! $ cargo run -p range -- destroy --yes
//! ```
//!
//! The machines need `ip` of the host (Debian: `iproute2`).

mod trainees;

use carthage::prelude::*;
use range_site::{Routes, Site, Sites, Uplink};
pub use trainees::Trainees;

/// Joins the sites.
#[network(v4 = "10.80.0.0/24", pool = "10.80.0.100-10.80.0.250")]
pub struct Backbone;

/// Where a trainee sits: outside of all sites.
#[machine_model(memory_mb = 64)]
pub struct Seat {
    /// To all routers.
    #[link]
    pub eth0: Link<Backbone>,
    /// By the routers of the sites.
    #[customize(Routes::to_all())]
    pub routes: Routes,
}

/// The range.
#[layout(name = "range", implementation = Sandbox)]
#[profile(small)]
#[profile(full)]
pub struct Range {
    /// Who takes part.
    #[provide]
    pub trainees: Arc<Trainees>,
    /// All sites.
    #[provide(Sites(vec![1, 2, 3]))]
    pub sites: Arc<Sites>,
    /// What the sites call their uplink.
    #[member(is = Uplink)]
    pub backbone: Backbone,
    /// Headquarters.
    pub head: Site<1>,
    /// Where things are made.
    pub plant: Site<2>,
    /// Where things are kept.
    pub depot: Site<3>,
    /// One for each trainee.
    #[member(list = trainees.names())]
    pub seats: Fleet<Seat>,
}

carthage::main!(Range);
