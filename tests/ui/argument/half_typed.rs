use carthage::prelude::*;

#[injectable]
struct Token(String);

#[constraint]
struct Site(&'static str);

#[network(v4)]
struct Lan;

#[machine_model(memory_)]
struct Mirror {
    #[link(addr =)]
    eth0: Link<Lan>,
    #[inject(Site)]
    token: Arc<Token>,
    #[inject(default = Token(String::new()), default = Token(String::new()))]
    other: Arc<Token>,
}

#[machine_model(memory_m 256,)]
#[depends_on(Mirror, comm, wait_limit_seconds = 5)]
struct Worker;

#[enclave(implement)]
struct Algebra {
    #[member(lis = ["red", "blue"])]
    workers: Fleet<Worker>,
    #[member(is = ["red"])]
    mirror: Mirror,
}

#[layout(implementation = Sandbox,)]
#[profile(small, implementation = Sandbox, implementation = Sandbox)]
struct Industrial {
    algebra: Algebra,
    lan: Lan,
    #[provide(persist = true, Token(String::new()))]
    token: Arc<Token>,
    #[provide(from)]
    other: Arc<Token>,
    #[provide(each, each, Site = "red", Token(String::new()))]
    red: Arc<Token>,
}

fn main() {}
