//! Machines that share the links of others: in every element of an array its own, and as another model says it.

use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Router)]
struct Watcher;

/// It says itself what it starts after; whose links it shares, the model that it takes in says.
#[machine_model]
#[depends_on(Clock)]
struct Recorder {
    #[role]
    watcher: Watcher,
}

/// It has links of its own, whatever it takes in.
#[machine_model]
struct Apart {
    #[role]
    watcher: Watcher,
    #[link]
    eth0: Link<Lab>,
}

#[machine_model]
struct Clock;

#[enclave(domain = "pod")]
struct Pod {
    router: Router,
    watchers: [Watcher; 2],
    recorder: Recorder,
}

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    clock: Clock,
    pods: [Pod; 2],
    apart: Apart,
}

fn main() {
    let shares = |path: &str| Site::placement(path).shares_links().map(|other| other.path().to_owned());
    for pod in ["pods.1", "pods.2"] {
        for machine in ["watchers.1", "watchers.2", "recorder"] {
            assert_eq!(shares(&format!("{pod}.{machine}")), Some(format!("{pod}.router")));
        }
    }
    assert_eq!(shares("pods.1.router"), None);
    assert_eq!(shares("apart"), None);
    let after = Site::placement("pods.2.recorder").starts_after();
    let after: Vec<_> = after.iter().map(|machine| machine.path()).collect();
    assert_eq!(after, ["clock", "pods.2.router"]);
}
