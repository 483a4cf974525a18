use carthage::prelude::*;

struct Page(u8);

#[customization]
impl Page {}

async fn after(page: &Page) -> Page {
    Page(page.0)
}

#[machine_model]
struct Web {
    #[customize(Page(1))]
    first: Page,
    #[customize(after(&first).await)]
    second: Page,
}

fn main() {}
