use carthage::prelude::*;

#[network(v4 = "10.37.0.5/24")]
struct HostBits;

#[network(v4 = "10.37.0.0")]
struct NoPrefix;

#[network(v4 = "10.37.0.0/33")]
struct LongPrefix;

#[network(v4 = "10.37.0.256/24")]
struct NoAddress;

fn main() {}
