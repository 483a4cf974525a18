use carthage::prelude::*;

#[role]
struct Web;

#[machine_model]
struct Server {
    #[role]
    web: Arc<Web>,
    #[role]
    more: [Web; 2],
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
