//! The plan is the truth: over random layouts, worlds and changes to both, what a deployment did is what its plan said.
//!
//! A seed decides about a story. In each turn the source is edited, somebody changes the world from outside, and then a command is run,
//! which may go wrong or be interrupted. Four things hold:
//!
//! 1. what was done is what the plan said just before, step for step, but for tasks that it marked as unknown; whatever was touched in
//!    the world has a step;
//! 2. right after a deployment that ended well, there is nothing to do;
//! 3. after a whole one, the world is that of a fresh deployment of the same layout;
//! 4. a plan changes nothing: no byte of the state, or of the world.
//!
//! `CARTHAGE_EXACT_STORIES=5000` tells more stories, and `CARTHAGE_EXACT_STORY=17` tells that one alone.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was tried, for people, and what is tried again"
)]

mod models;
mod oracle;
mod site;
mod story;
mod tally;
mod turns;
mod versions;
mod works;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use site::Site;
use tally::Tally;

/// How many stories there are if nobody says it, of how many turns each.
const STORIES: u64 = 250;
const TURNS: usize = 8;

#[test]
fn what_is_done_is_what_the_plan_said() {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let tally = Tally::default();
    if let Some(seed) = number("CARTHAGE_EXACT_STORY") {
        let mut site = Site::new(seed, &tally);
        site.is_told = true;
        site.lives(TURNS);
        return tally.show();
    }
    let stories = number("CARTHAGE_EXACT_STORIES").unwrap_or(STORIES);
    let next = AtomicU64::new(0);
    let one_after_the_other = || {
        let seeds = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        seeds.take_while(|seed| *seed < stories).for_each(|seed| Site::new(seed, &tally).lives(TURNS));
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(one_after_the_other);
        }
    });
    tally.show();
    if stories >= STORIES {
        has_tried_everything(&tally);
    }
}

/// Stories in which nothing happens would prove nothing.
fn has_tried_everything(tally: &Tally) {
    assert!(tally.all("turns") >= 2000);
    let calm = ["deploy", "deploy --prune", "deploy --only", "deploy some"];
    tally.has("turns", 20, &calm);
    tally.has("turns", 5, &["destroy", "destroy some", "destroy --orphans", "start", "stop", "run"]);
    let ends = ["struck", "struck from the plan on", "interrupted", "given up", "dropped"];
    ends.iter().for_each(|ends| tally.has("turns", 10, &[&format!("deploy --prune, {ends}")]));
    tally.has("turns that were refused", 5, &["deploy --only"]);
    tally.has(
        "comparisons",
        100,
        &["of a report with its plan", "of a world with a fresh one", "nothing to do"],
    );
    let steps = [
        "create machine",
        "create network",
        "recreate machine",
        "start machine",
        "restart machine",
        "update machine",
        "update network",
        "move machine",
        "move network",
        "run task",
        "ask task",
        "destroy machine",
        "destroy network",
    ];
    tally.has("steps", 10, &steps);
    tally.has("steps", 3, &["destroy service", "destroy model"]);
    tally.has("edits", 50, &["a member more", "a member of another kind", "a member less", "another text"]);
    tally.has("edits", 50, &["another version", "other needs", "a machine that is moved, more or less"]);
}
