use carthage::prelude::*;

#[injectable]
struct Session(u32);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(close, Session(1))]
    session: Arc<Session>,
}

fn main() {}
