use carthage::prelude::*;

#[machine_model(ip_address = "192.0.2.700")]
struct Nowhere;

#[machine_model(ip_address = "192.0.2.7", ssh_login_user = "-oProxyCommand=x")]
struct Nobody;

#[machine_model(ip_address = "192.0.2.7", ssh_host_key = "SHA256:8fbDx3wFOIpHcx1Zb5QYV1YRWtXMoVGrmT6DHYkgRDI")]
struct Fingerprint;

#[machine_model(ip_address = "192.0.2.7", ssh_host_key = "secret")]
struct NoKey;

#[machine_model(ip_address = "192.0.2.7", ssh_jump = "me@gate; rm")]
struct NoGate;

#[machine_model(ip_address = "192.0.2.7", ssh_port = 70000)]
struct NoPort;

#[machine_model(ip_address = "192.0.2.7", ssh_key = "id_ed25519")]
struct SomeKey;

fn main() {}
