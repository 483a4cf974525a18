//! A layout gives access to its parts by their types and names.

use std::net::IpAddr;

use carthage::layout::Layout;
use carthage::model::{Kind, Placement};
use carthage::{Machine, Placed};
use carthage_tests::{Industrial, Mirror, Worker};

/// Constants of placements, known when the layout is compiled.
const MIRROR: Placement = Industrial::placement("algebra.mirror");
const SECOND_WORKER: Placement = Industrial::placement("algebra.workers.2");
const PROBE: Placement = Industrial::placement("monitoring.probes.1");

#[test]
fn placements_are_constants() {
    assert_eq!((MIRROR.fqdn(), MIRROR.name(), MIRROR.kind()), ("mirror.algebra", "mirror", Kind::Machine));
    assert_eq!((SECOND_WORKER.fqdn(), SECOND_WORKER.stamp_dir()), ("worker-2.algebra", "algebra/workers/2"));
    assert_eq!(PROBE.fqdn(), "probe-1.monitoring");
    assert_eq!(Industrial::NAME, "industrial");
    assert_eq!(MIRROR.node().about, "Serves packages to the lab.");
}

/// By name, from wherever one stands: in full, or as it is called in a domain around. What is inside of scopes beside is found
/// from above.
#[test]
fn named_parts_are_visible_from_the_scopes_around() {
    let top = Industrial::PLACEMENTS.layout();
    assert_eq!(top.named("mirror.algebra"), Some(MIRROR));
    assert_eq!(PROBE.named("mirror.algebra"), Some(MIRROR));
    assert_eq!(MIRROR.named("worker-2"), Some(SECOND_WORKER));
    assert_eq!(PROBE.named("worker-2"), None);
    assert_eq!(top.resolve(SECOND_WORKER.key(), None).map(|found| found.len()), Ok(3));
}

/// What a user writes who has a layout in hand. That it compiles is what is tested; instances come from a deployment.
#[expect(dead_code, reason = "compiled, not called")]
fn parts(industrial: &Industrial) {
    let _: &Machine = industrial.algebra.mirror.machine();
    let _: &Placed<Worker> = &industrial.algebra.workers[2];
    let _: Option<IpAddr> = industrial.algebra.mirror.eth0.address();
    let _: &Mirror = &industrial.algebra.mirror;
    let _: &[Placed<library_enclave::Probe>; 2] = &industrial.monitoring.probes;
    let _: &str = industrial.monitoring.probes[1].name();
    let _: &[String] = &industrial.monitoring.collector.viewers.0;
}
