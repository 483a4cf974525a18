use carthage::prelude::*;

#[machine_model(architecture = "amd64")]
struct Amd;

#[machine_model(firmware_type = "uefl")]
struct Old;

#[machine_model(disk_cache = "write-back")]
struct Cached;

#[machine_model(disk_config = [(size_gb = 10), (readonly), (size_gib = 0), (path = "disk.img", bus = "ide")])]
struct Disks;

#[machine_model(tags = ["@web", "web edge", "a", "a"])]
struct Tagged;

fn main() {}
