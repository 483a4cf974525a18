use carthage::prelude::*;

/// Keeps the time.
#[role]
struct Clock;

/// Nobody has it.
#[role]
struct Bell;

#[machine_model]
struct Tower {
    #[role]
    clock: Clock,
}

#[machine_model]
struct Phone {
    #[role]
    clock: Clock,
}

#[machine_model]
#[depends_on(Clock)]
struct Worker;

#[machine_model]
#[depends_on(Clock, name = phone)]
struct Other {
    #[inject]
    bell: Placed<Bell>,
}

#[enclave]
#[depends_on(Clock)]
struct Hall {
    tower: Tower,
    phones: [Phone; 2],
    worker: Worker,
}

#[machine_model]
#[ignore_dependency(Bell)]
struct Early;

#[layout(implementation = Sandbox)]
#[depends_on(Clock)]
#[depends_on(Bell)]
struct Site {
    hall: Hall,
    #[member(name = "other")]
    other: Other,
    early: Early,
    #[member(name = "spare")]
    spare: Tower,
}

#[layout(implementation = Sandbox)]
struct Round {
    tower: Sundial,
}

/// It has what it waits for itself.
#[machine_model]
#[depends_on(Clock)]
struct Sundial {
    #[role]
    clock: Clock,
}

fn main() {}
