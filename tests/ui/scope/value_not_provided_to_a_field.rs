use carthage::prelude::*;

#[injectable]
struct JoinToken(String);

#[machine_model]
struct Mirror {
    #[inject]
    token: Arc<JoinToken>,
    #[inject]
    perhaps: Option<Arc<JoinToken>>,
}

#[injectable]
struct Certificate(String);

#[injectable]
impl Certificate {
    async fn new(#[inject] token: &JoinToken) -> Result<Self> {
        Ok(Self(token.0.clone()))
    }
}

/// Provides it to itself only: the mirror is elsewhere.
#[enclave] #[allow(deprecated)]
struct Geometry {
    #[provide(JoinToken(String::new()))]
    token: Arc<JoinToken>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    #[provide]
    certificate: Arc<Certificate>,
    mirror: Mirror,
    geometry: Geometry,
}

fn main() {}
