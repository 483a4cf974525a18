use carthage::prelude::*;

#[machine_model]
#[depends_on(Backup)]
struct Web;

#[machine_model]
#[depends_on(Web)]
struct Database;

#[machine_model]
struct Backup {
    #[inject]
    database: Placed<Database>,
}

#[layout(implementation = Sandbox)]
struct Site {
    web: Web,
    database: Database,
    backup: Backup,
}

fn main() {}
