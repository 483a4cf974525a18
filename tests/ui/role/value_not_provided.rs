use carthage::prelude::*;

#[injectable]
struct Token(u8);

#[role]
struct Joined {
    #[inject]
    token: Arc<Token>,
}

#[role]
struct Worker {
    #[role]
    joined: Joined,
}

#[machine_model]
struct Server {
    #[role]
    worker: Worker,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
