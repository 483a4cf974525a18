use carthage::prelude::*;

#[machine_model]
struct Gateway;

#[machine_model]
#[depends_on(Gateway, command = ["true"], wait_limit_seconds = 0)]
#[depends_on(Gateway, command = ["true"], wait_limit_seconds = 100_000)]
#[depends_on(Gateway, wait_limit_seconds = 60)]
#[depends_on(Gateway, command = [])]
#[depends_on(Gateway, command = "ping -c1 10.1.0.2")]
#[depends_on(Gateway, command = ["true"], wait_limit = 60)]
#[depends_on(command = ["true"], wait_limit_seconds = 60)]
struct Web;

#[machine_model]
#[depends_on(Gateway, command = ["sleep", 5])]
struct Other;

fn main() {}
