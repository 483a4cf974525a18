use carthage::prelude::*;

#[injectable]
struct Key(u16);

#[injectable]
struct Lock(u16);

#[role]
struct Door {
    #[provide(Key(lock.0))]
    key: Arc<Key>,
    #[provide(Lock(key.0))]
    lock: Arc<Lock>,
}

#[machine_model]
struct House {
    #[role]
    door: Door,
    #[inject]
    key: Arc<Key>,
}

#[layout(implementation = Sandbox)]
struct Site {
    house: House,
}

fn main() {}
