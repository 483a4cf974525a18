use carthage::prelude::*;

#[network(v4 = "10.{K+1}.0.0/24")]
struct Lan<const K: u8>;

#[enclave(domain = "group{")]
struct Group<const K: u8> {}

fn main() {}
