use carthage::prelude::*;

#[injectable]
struct Peers;

#[injectable]
impl Peers {
    async fn new(#[inject] algebra: Placed<Algebra>) -> Result<Self> {
        drop(algebra);
        Ok(Self)
    }
}

#[machine_model]
struct Mirror {
    #[provide]
    peers: Arc<Peers>,
}

#[machine_model]
struct Worker {
    #[inject]
    all: Placed<Industrial>,
}

#[enclave]
struct Algebra {
    mirror: Mirror,
    workers: [Worker; 3],
}

#[layout(implementation = Sandbox)]
struct Industrial {
    algebra: Algebra,
}

fn main() {}
