//! An enclave with parameters and an implementation of its own; commas at the end.

use carthage::prelude::*;

#[machine_model]
struct Router;

#[machine_model]
#[depends_on(Router, name = router,)]
struct Desk<R> {
    #[customize(Page { text: "page".to_owned() },)]
    page: Page,
    #[inject(name = router)]
    router: Placed<R>,
}

struct Page {
    text: String,
}

#[customization]
impl Page {
    /// Write it.
    #[setup_task(hash = &self.text,)]
    async fn write(&self, host: &Host) -> Result<()> {
        host.write("/srv/page", &self.text).await
    }
}

#[enclave(implementation = Sandbox,)]
struct Office<R = Router> {
    router: R,
    desks: [Desk<R>; 2],
    #[member(name = "spare",)]
    spare: Router,
}

#[layout]
struct Company {
    office: Office,
}

fn main() {
    _ = Company::placement("office.router");
}
