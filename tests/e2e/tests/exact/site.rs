//! Where a story takes place: each turn is planned, done, and looked at.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use carthage::deploy::{Access, Plan, Report, SavedPlan, Selection};

use super::oracle;
use super::story::{self, Story};
use super::tally::Tally;
use super::turns::{Command, Ends, Turn, ended};
use super::versions;
use super::world::World;

/// A story, its world, and what there is to count.
pub(crate) struct Site<'a> {
    seed: u64,
    story: Story,
    world: World,
    tally: &'a Tally,
    /// Whether all of it is told, for people.
    pub(crate) is_told: bool,
}

/// What was said instead of a report.
type Refused = String;

impl<'a> Site<'a> {
    pub(crate) fn new(seed: u64, tally: &'a Tally) -> Self {
        Self { seed, story: Story::new(seed), world: World::new(), tally, is_told: false }
    }

    /// So many turns, which are told for people where that is wanted.
    ///
    /// # Panics
    /// Where something does not hold; it is told how that story is told again.
    pub(crate) fn lives(mut self, turns: usize) {
        for number in 0..turns {
            let turn = self.begins(number == 0);
            let took = catch_unwind(AssertUnwindSafe(|| self.takes(&turn)));
            took.unwrap_or_else(|panic| {
                eprintln!(
                    "in turn {number} of story {}: CARTHAGE_EXACT_STORY={} tells it again",
                    self.seed, self.seed
                );
                eprintln!("{}: {turn:#?}\n{:#?}", turn.name(), self.story);
                resume_unwind(panic)
            });
        }
    }

    /// The source and the world change, or not.
    fn begins(&mut self, is_first: bool) -> Turn {
        if is_first || self.story.chance.u8(..5) > 0 {
            let edits = if is_first { self.story.chance.usize(3..7) } else { self.story.chance.usize(..4) };
            for edit in self.story.is_edited(edits) {
                self.tally.count("edits", edit);
            }
            if !is_first {
                for _ in 0..self.story.chance.usize(..3) {
                    let what = self.world.is_struck(&mut self.story.chance);
                    if self.is_told {
                        println!("{what}");
                    }
                    self.tally.count("happenings", what);
                }
            }
        }
        story::tell(&self.story);
        Turn::next(&mut self.story, &self.world, is_first)
    }

    fn takes(&self, turn: &Turn) {
        self.tally.count("turns", turn.name());
        match turn.command {
            Command::Deploy | Command::Destroy => self.is_planned(turn),
            Command::Start | Command::Stop | Command::Run => {
                // There is no plan for these; what is planned after them must hold.
                let done = self.does(turn, None);
                if self.is_told {
                    println!("{}\n{}", turn.name(), oracle::told(&Plan::default(), &done));
                }
            }
        }
    }

    /// Plans it, does it, and looks whether that is the same.
    fn is_planned(&self, turn: &Turn) {
        let before = self.world.everything();
        let planned = self.looks(turn);
        let after = self.world.everything();
        let changed: Vec<_> =
            before.iter().filter(|(path, bytes)| after.get(*path) != Some(*bytes)).collect();
        let made: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
        assert!(changed.is_empty() && made.is_empty(), "planning changed {changed:?} and made {made:?}");
        let history = self.world.history();
        let (plan, saved) = match planned {
            Ok(planned) => planned,
            Err(why) => {
                let done = self.does(turn, None);
                let touched = self.world.touched_since(&history);
                assert!(touched.is_empty(), "{touched:?} after the plan was refused: {why}");
                if turn.is_calm() {
                    assert_eq!(done.err().as_ref(), Some(&why), "what is refused is refused by both");
                }
                return self.tally.count("turns that were refused", turn.name());
            }
        };
        // Where nothing goes wrong, keeping to the plan keeps nobody from anything.
        let keeps = turn.is_calm() && turn.command == Command::Deploy && turn.seed.is_multiple_of(3);
        let done = self.does(turn, keeps.then_some(&saved));
        let touched = self.world.touched_since(&history);
        for step in &plan.steps {
            let kind = step.thing.split(':').next().unwrap_or_default();
            self.tally.count("steps", format!("{} {kind}", step.action.word()));
        }
        if self.is_told {
            println!("{}, {:?}\n{}", turn.name(), self.story, oracle::told(&plan, &done));
        }
        let compared = catch_unwind(AssertUnwindSafe(|| self.compares(turn, &plan, &done, &touched)));
        compared.unwrap_or_else(|panic| {
            eprintln!("{}", oracle::told(&plan, &done));
            resume_unwind(panic)
        });
    }

    fn compares(
        &self,
        turn: &Turn,
        plan: &Plan,
        done: &Result<Option<Report>, Refused>,
        touched: &std::collections::BTreeSet<String>,
    ) {
        oracle::touches_only_what_was_planned(plan, touched);
        let report = match done {
            Ok(Some(report)) => report,
            Ok(None) => return,
            Err(why) => {
                assert!(!turn.is_calm() && touched.is_empty(), "what was planned was refused: {why}");
                return;
            }
        };
        if !turn.is_calm() {
            return oracle::is_part_of_the_plan(plan, report, turn.plan_is_struck);
        }
        oracle::is_as_planned(plan, report);
        self.tally.count("comparisons", "of a report with its plan");
        match turn.command {
            Command::Deploy => self.is_settled(turn),
            _ if turn.is_whole() && plan.notes.is_empty() => {
                let left: Vec<_> = self.world.everything().into_keys().collect();
                assert!(left.is_empty(), "after all was destroyed, files are left: {left:?}");
                self.tally.count("comparisons", "nothing is left");
            }
            _ => {}
        }
    }

    /// After a deployment that ended well there is nothing to do; after a whole one the world is as a fresh one.
    fn is_settled(&self, turn: &Turn) {
        let plan = match self.looks(turn) {
            Ok((plan, _)) => plan,
            // What was named is gone, because it was no longer in the layout.
            Err(why) => {
                assert!(turn.selection.prune && why.contains("names nothing in this layout"), "{why}");
                return;
            }
        };
        // A task that looks at a machine that is not selected, and does not run, cannot be told.
        let may_ask = |thing: &str| !turn.is_whole() && thing.starts_with("task:");
        let left: Vec<_> = plan
            .steps
            .iter()
            .filter(|step| !(may_ask(&step.thing) && step.action == carthage::deploy::Action::Ask))
            .collect();
        assert!(left.is_empty(), "there is still something to do: {left:#?}");
        self.tally.count("comparisons", "nothing to do");
        // A fresh deployment takes as long as all the rest.
        if turn.is_whole() && turn.selection.prune && turn.seed.is_multiple_of(2) {
            let fresh = World::new();
            let calm = Turn { ends: Ends::Well, ..turn.clone() };
            let report = block_on(async {
                let deployment =
                    versions::open(self.story.version(), Access::Change, calm.does(&fresh)).await?;
                deployment.deploy(&Selection::all()).await
            });
            assert!(report.unwrap().is_complete());
            oracle::is_as_fresh(&self.world, &fresh, &oracle::stays(&plan), &self.story);
            self.tally.count("comparisons", "of a world with a fresh one");
        }
    }

    /// The plan of a turn.
    fn looks(&self, turn: &Turn) -> Result<(Plan, SavedPlan), Refused> {
        block_on(async {
            let options = turn.looks(&self.world);
            let deployment =
                versions::open(self.story.version(), Access::Look, options).await.map_err(said)?;
            let plan = match turn.command {
                Command::Destroy => deployment.plan_destroy(&turn.selection).await,
                _ => deployment.plan(&turn.selection).await,
            };
            let plan = plan.map_err(said)?;
            let saved = deployment.saved(&turn.selection, &plan).map_err(said)?;
            Ok((plan, saved))
        })
    }

    /// Does what a turn says; there is no report if it was dropped.
    fn does(&self, turn: &Turn, keeps_to: Option<&SavedPlan>) -> Result<Option<Report>, Refused> {
        let mut options = turn.does(&self.world);
        let dropped = ended(turn.ends, &mut options);
        let selection = &turn.selection;
        block_on(async {
            let deployment =
                versions::open(self.story.version(), Access::Change, options).await.map_err(said)?;
            if let Some(saved) = keeps_to {
                let now = deployment.plan(selection).await.map_err(said)?;
                deployment.keep_to(saved, &now).map_err(said)?;
            }
            let work = async {
                match turn.command {
                    Command::Deploy => deployment.deploy(selection).await,
                    Command::Destroy => deployment.destroy(selection).await,
                    Command::Start => deployment.start(selection).await,
                    Command::Stop => deployment.stop(selection).await,
                    Command::Run => deployment.run(selection).await,
                }
            };
            tokio::select! {
                biased;
                () = dropped.notified() => Ok(None),
                report = work => report.map(Some).map_err(said),
            }
        })
    }
}

/// Runs it to its end, with all that it has left behind in other threads: what was dropped may still write.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

/// An error with its causes.
fn said(error: carthage::Error) -> Refused {
    let first: &(dyn std::error::Error + 'static) = &error;
    let all = std::iter::successors(Some(first), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
