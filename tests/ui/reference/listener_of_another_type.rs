use carthage::event::{Event, Sink};
use carthage::inject::Scope;

/// What is told has a type: one who takes something else is told so here, not when it happens.
struct Shown;

impl Sink for Shown {
    fn event(&self, _: &str) {}
}

fn main() {
    let scope = Scope::root("site");
    let _listening = scope.listen(|happening: &Event| drop(happening.clone()));
}
