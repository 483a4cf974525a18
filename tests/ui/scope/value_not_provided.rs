use carthage::prelude::*;

#[injectable]
struct JoinToken(String);

#[derive(Default)]
struct JoinCluster;

#[customization]
impl JoinCluster {
    #[setup_task]
    async fn join(&self, host: &Host, #[inject] token: &JoinToken) -> Result<()> {
        host.write("/token", &token.0).await
    }
}

#[machine_model]
struct Worker {
    #[customize]
    join: JoinCluster,
}

#[enclave(domain = "algebra")]
struct Algebra {
    workers: [Worker; 3],
}

#[layout(implementation = Sandbox)]
struct Industrial {
    algebra: Algebra,
}

fn main() {}
