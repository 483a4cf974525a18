use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", gateway = "10.38.0.1")]
struct Uplink;

#[network(v4 = "10.37.5.0/24", pool = "10.37.5.5-10.37.5.25")]
struct Lab;

#[network(v4 = "10.37.0.0/16")]
struct Campus;

#[machine_model(console_needed, disk_sizes = [10], disk_config = [(size_gib = 10)])]
struct Mirror {
    #[link(mac = "52:54:00:12:34:56")]
    eth0: Link<Lab>,
}

#[machine_model(tag = ["edge"])]
struct Router {
    #[link(mac = "52:54:00:12:34:56")]
    inside: Link<Lab>,
    #[link(address = "10.37.0.1")]
    outside: Link<Campus>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    uplink: Uplink,
    lab: Lab,
    campus: Campus,
    mirror: Mirror,
    router: Router,
}

fn main() {}
