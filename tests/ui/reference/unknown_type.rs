use carthage::prelude::*;

#[network]
struct Lab;

#[machine_model]
#[depends_on(Miror)]
struct Worker {
    #[link]
    eth0: Link<Labb>,
    #[inject]
    token: Arc<Token>,
}

#[enclave]
struct Algebra {
    lab: Lab,
    workers: [Wroker; 3],
}

fn main() {}
