//! Models with parameters, one in another, several times in one layout.

use carthage::prelude::*;
use carthage_tests::Paper;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.1-10.1.0.9")]
struct Lan;

#[machine_model]
struct Node<const PORT: u16> {
    #[link]
    eth0: Link<Lan>,
    #[customize(Listen { port: PORT })]
    listen: Listen,
}

struct Listen {
    port: u16,
}

#[customization]
impl Listen {
    #[setup_task(hash = self.port)]
    async fn listen(&self, host: &Host) -> Result<()> {
        host.spawn(["nc", "-lk", "-p", &self.port.to_string()]).await
    }
}

#[enclave]
struct Pair<A, B> {
    lan: Lan,
    #[member(name = "first")]
    a: A,
    #[member(name = "second")]
    b: B,
}

#[layout(implementation = Paper)]
struct Site {
    one: One,
    two: Two,
}

#[enclave(domain = "one")]
struct One {
    pair: Pair<Node<80>, Node<81>>,
}

#[enclave(domain = "two")]
struct Two {
    pair: Pair<Node<80>, Node<80>>,
}

fn main() {
    assert_eq!(const { Site::placement("two.pair.b") }.fqdn(), "second.two");
}
