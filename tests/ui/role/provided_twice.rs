use carthage::prelude::*;

#[injectable]
struct Port(u16);

#[role]
struct Web {
    #[provide(Port(80))]
    port: Arc<Port>,
}

#[role]
struct Mail {
    #[provide(Port(25))]
    port: Arc<Port>,
}

#[machine_model]
struct Server {
    #[role]
    web: Web,
    #[role]
    mail: Mail,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
