use carthage::prelude::*;

struct Gpu {
    memory_gib: u32,
}

#[machine_model]
#[options(Gpu { memory_gib: 4 })]
struct Renderer;

#[layout(implementation = Sandbox)]
struct Studio {
    renderer: Renderer,
}

fn main() {}
