use carthage::prelude::*;

#[constraint]
struct Several(&'static str, u8);

#[constraint]
struct Float(f32);

#[constraint]
enum Part {
    Primary,
    Replica(u8),
}

#[constraint]
struct Of<const N: u8>(u8);

#[constraint]
fn site() {}

#[constraint(text)]
struct Site(&'static str);

fn main() {}
