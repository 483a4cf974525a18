//! An enclave that other crates place in their layouts: it brings its own network, and needs a value from whoever places it.

use carthage::prelude::*;

/// Who may look at the dashboards.
#[injectable]
pub struct Viewers(pub Vec<String>);

/// The wire between the collector and what it watches.
#[network(v4 = "10.99.0.0/24", pool = "10.99.0.10-10.99.0.20")]
pub struct Watch;

/// Keeps the measurements.
#[machine_model(memory_mb = 128)]
pub struct Collector {
    /// Where measurements come in.
    #[link(address = "10.99.0.2")]
    pub eth0: Link<Watch>,
    /// Who may look.
    #[inject]
    pub viewers: Arc<Viewers>,
}

/// A machine that is watched.
#[machine_model]
#[depends_on(Collector)]
pub struct Probe {
    /// Where measurements go out.
    #[link]
    pub eth0: Link<Watch>,
}

/// Collector and probes, as many as are wanted.
#[enclave(domain = "monitoring")]
pub struct Monitoring<const PROBES: usize> {
    /// The wire.
    pub watch: Watch,
    /// The collector.
    pub collector: Collector,
    /// The probes.
    pub probes: [Probe; PROBES],
}
