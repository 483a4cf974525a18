//! What starts after the machines that have a role.

use carthage::prelude::*;
use carthage_tests::Paper;

/// Keeps the time.
#[role]
struct Clock;

/// Answers names.
#[role]
struct Names<const ZONE: u8> {
    #[role]
    clock: Clock,
}

#[machine_model]
struct Server {
    #[role]
    names: Names<1>,
}

#[machine_model(name = "tower")]
struct Tower {
    #[role]
    clock: Clock,
}

/// One of several.
#[machine_model]
#[depends_on(Names<1>)]
struct Worker;

/// Names the field.
#[machine_model]
#[depends_on(Names<2>, name = second)]
struct Guest;

#[machine_model]
struct Second {
    #[role]
    names: Names<2>,
}

/// Does not wait for the time.
#[machine_model]
#[ignore_dependency(Clock)]
struct Early;

#[machine_model(override_dependencies = true)]
struct Alone;

#[enclave]
#[depends_on(Clock, name = towers)]
struct Hall {
    towers: [Tower; 2],
    workers: [Worker; 2],
    server: Server,
    early: Early,
    alone: Alone,
}

/// Depends on what is around it.
#[enclave]
#[depends_on(Clock)]
struct Annex {
    desk: Desk,
    #[member(name = "early-too")]
    early: Early,
    alone_too: AloneToo,
}

#[machine_model]
struct Desk;

#[machine_model(override_dependencies = Annex)]
struct AloneToo;

#[enclave(override_dependencies = Site)]
struct Shed {
    #[member(name = "shed-desk")]
    desk: Desk,
}

#[enclave(domain = "wing")]
struct Wing {
    #[member(when = true, name = "wing-tower")]
    tower: Option<Tower>,
    annex: Annex,
    shed: Shed,
}

#[layout(implementation = Paper)]
#[depends_on(Names<2>)]
struct Site {
    #[member(when = true)]
    second: Option<Second>,
    hall: Hall,
    wing: Wing,
    guest: Guest,
}

/// Taken in, and said to stand for it: it is one all the same.
#[machine_model]
struct More {
    #[role]
    second: Second,
}

#[machine_model]
#[depends_on(Second)]
struct Last {
    #[inject]
    names: Placed<Names<2>>,
}

#[layout(implementation = Paper)]
struct Other {
    #[member(is = Second)]
    more: More,
    last: Last,
}

fn before(path: &str) -> Vec<String> {
    Site::placement(path).starts_after().iter().map(|machine| machine.path().to_owned()).collect()
}

fn main() {
    assert_eq!(before("guest"), ["second"]);
    assert_eq!(before("hall.workers.2"), ["second", "hall.towers.1", "hall.towers.2", "hall.server"]);
    assert_eq!(before("hall.server"), ["second", "hall.towers.1", "hall.towers.2"]);
    assert_eq!(before("hall.early"), ["second"]);
    assert_eq!(before("hall.alone"), [""; 0]);
    assert_eq!(before("wing.annex.desk"), ["second", "wing.tower"]);
    assert_eq!(before("wing.annex.early"), ["second"]);
    assert_eq!(before("wing.annex.alone_too"), ["second"]);
    assert_eq!(before("wing.shed.desk"), [""; 0]);
    let before: Vec<_> = Other::placement("last").starts_after().iter().map(|machine| machine.path()).collect();
    assert_eq!(before, ["more"]);
}
