use carthage::prelude::*;

#[injectable]
struct Motd(String);

#[injectable]
struct Greeting(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Greeting("hello".to_owned()))]
    greeting: Arc<Greeting>,
    #[provide(Motd(format!("{} {visitor}", greeting.0)))]
    motd: Arc<Motd>,
}

fn main() {}
