//! Expressions that await something, and that may fail.

use carthage::prelude::*;
use carthage_tests::Paper;

#[injectable]
struct Seed(u64);

#[injectable]
struct Next(u64);

async fn slowly(seed: u64) -> Result<Page> {
    Ok(Page { seed })
}

struct Page {
    seed: u64,
}

#[customization]
impl Page {
    #[setup_task(hash = self.seed)]
    async fn write(&self, host: &Host) -> Result<()> {
        host.write("/page", self.seed.to_string()).await
    }
}

#[machine_model]
struct Web {
    #[inject]
    seed: Arc<Seed>,
    #[customize(Page { seed: first.seed + 1 })]
    second: Page,
    #[customize(slowly(seed.0).await?)]
    first: Page,
    #[provide(Next(seed.0 + 1))]
    next: Arc<Next>,
}

#[injectable]
struct Later(u64);

/// Nobody sees in the expression that it awaits.
macro_rules! soon {
    ($made:expr) => {
        $made.await?
    };
}

#[layout(implementation = Paper)]
struct Top {
    #[provide(Seed(slowly(1).await?.seed))]
    seed: Arc<Seed>,
    #[provide(Later(soon!(slowly(2)).seed))]
    later: Arc<Later>,
    web: Web,
}

fn main() {}
