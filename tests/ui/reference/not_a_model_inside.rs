use carthage::prelude::*;

/// `#[machine_model]` is missing.
struct Mirror;

struct Probe;

struct Worker;

struct Desk;

struct Web;

struct Debian;

struct Router;

#[role]
struct Served {
    #[role]
    web: Web,
}

#[machine_model]
struct Server {
    #[role]
    served: Served,
    #[image]
    root: Debian,
}

#[enclave]
struct Algebra {
    mirror: Mirror,
    #[member(when = true)]
    probe: Option<Probe>,
    workers: [Worker; 3],
    #[member(list = ["red", "blue"])]
    desks: Fleet<Desk>,
    server: Server,
}

#[enclave(implementation = Sandbox)]
struct Office<R> {
    router: R,
    algebra: Algebra,
}

#[layout]
struct Industrial {
    office: Office<Router>,
}

fn main() {}
