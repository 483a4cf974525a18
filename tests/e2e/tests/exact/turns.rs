//! What is done in a turn: a command, what it is about, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carthage::deploy::{Abort, Options, Pattern, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::machine::engine::{Fault, Rehearsal};

use super::story::Story;
use super::world::World;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Deploy,
    Destroy,
    Start,
    Stop,
    /// Tasks are forced.
    Run,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// When all is done.
    Well,
    /// Things go wrong.
    Struck(&'static str),
    /// With the step of this number, somebody presses Ctrl-C.
    Interrupted(u64),
    /// Twice.
    GivenUp(u64),
    /// It is dropped where it stands.
    Dropped(u64),
}

/// What may go wrong.
const FAULTS: [&str; 15] = [
    "*=fail%5",
    "*=lose%5",
    "write:*=fail%15",
    "write:*=half%10",
    "start:*=half%30",
    "start:*=hang#2",
    "create:*=lose%30",
    "create:*=half%30",
    "stop:*=lose%40",
    "remove:*=half%40",
    "run:*=fail%20",
    "read:*=fail%10",
    "update:*=fail%50",
    "find:*=fail%15",
    "start:*=alter%40",
];

/// A turn.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) command: Command,
    pub(crate) selection: Selection,
    pub(crate) ends: Ends,
    /// Things go wrong when it is planned, too.
    pub(crate) plan_is_struck: bool,
    pub(crate) seed: u64,
}

impl Turn {
    /// The next, after the source and the world have changed.
    pub(crate) fn next(story: &mut Story, world: &World, is_first: bool) -> Self {
        let mut turn = Self {
            command: Command::Deploy,
            selection: Selection { prune: story.chance.u8(..3) > 0, ..Selection::all() },
            ends: Ends::Well,
            plan_is_struck: false,
            seed: story.chance.u64(..),
        };
        let names = names(story, world);
        match story.chance.u8(..24) {
            _ if is_first => {}
            0..=5 => turn.selects(story, &names),
            6 => turn.command = Command::Destroy,
            7 => {
                turn.command = Command::Destroy;
                turn.selects(story, &names);
            }
            8 | 9 => {
                turn.command = Command::Destroy;
                turn.selection.orphans = true;
            }
            10 => {
                turn.command = story.chance.choice([Command::Start, Command::Stop]).unwrap();
                turn.selects(story, &names);
            }
            11 => {
                turn.command = Command::Run;
                let tasks = ["gateway/work.first", "*/*.first", "*/base.*", "*/render", "m?/*.said"];
                turn.selection.include = vec![pattern(story.chance.choice(tasks).unwrap())];
            }
            _ => {}
        }
        if turn.command != Command::Deploy {
            (turn.selection.prune, turn.selection.only) = (false, false);
        }
        let at = story.chance.u64(1..12);
        turn.ends = match story.chance.u8(..24) {
            0..=5 => Ends::Struck(story.chance.choice(FAULTS).unwrap()),
            6 => Ends::Interrupted(at),
            7 => Ends::GivenUp(at),
            8 => Ends::Dropped(at),
            _ => Ends::Well,
        };
        turn.plan_is_struck = matches!(turn.ends, Ends::Struck(_)) && story.chance.u8(..3) == 0;
        turn
    }

    fn selects(&mut self, story: &mut Story, names: &[String]) {
        let mut some = |least: usize| -> Vec<Pattern> {
            let number = story.chance.usize(least..3);
            (0..number).filter_map(|_| story.chance.choice(names)).map(|name| pattern(name)).collect()
        };
        (self.selection.include, self.selection.exclude) = match self.seed % 3 {
            0 => (some(1), some(0)),
            1 => (some(1), Vec::new()),
            _ => (Vec::new(), some(1)),
        };
        self.selection.only = self.seed.is_multiple_of(5);
    }

    /// Whether it is about everything.
    pub(crate) fn is_whole(&self) -> bool {
        self.selection.is_all() && !self.selection.only && !self.selection.orphans
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.ends == Ends::Well
    }

    /// How it is called in the table.
    pub(crate) fn name(&self) -> String {
        let what = match (self.command, self.is_whole()) {
            (Command::Deploy, true) if self.selection.prune => "deploy --prune",
            (Command::Deploy, true) => "deploy",
            (Command::Deploy, false) if self.selection.only => "deploy --only",
            (Command::Deploy, false) => "deploy some",
            (Command::Destroy, true) => "destroy",
            (Command::Destroy, false) if self.selection.orphans => "destroy --orphans",
            (Command::Destroy, false) => "destroy some",
            (Command::Start, _) => "start",
            (Command::Stop, _) => "stop",
            (Command::Run, _) => "run",
        };
        let ends = match self.ends {
            Ends::Well => "",
            Ends::Struck(_) if self.plan_is_struck => ", struck from the plan on",
            Ends::Struck(_) => ", struck",
            Ends::Interrupted(_) => ", interrupted",
            Ends::GivenUp(_) => ", given up",
            Ends::Dropped(_) => ", dropped",
        };
        format!("{what}{ends}")
    }

    /// The options of who only looks.
    pub(crate) fn looks(&self, world: &World) -> Options {
        self.options(world, self.plan_is_struck)
    }

    /// The options of who does it.
    pub(crate) fn does(&self, world: &World) -> Options {
        self.options(world, true)
    }

    fn options(&self, world: &World, is_struck: bool) -> Options {
        let fault = match self.ends {
            Ends::Struck(fault) if is_struck => Some(fault.parse::<Fault>().unwrap()),
            _ => None,
        };
        let rehearsal = Rehearsal { seed: self.seed, faults: fault.into_iter().collect(), takes_time: false };
        Options {
            state_dir: Some(world.base().to_owned()),
            rehearsal: rehearsal.into(),
            parallel: if self.seed.is_multiple_of(4) { 1 } else { 8 },
            ..Options::default()
        }
    }
}

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

/// What can be selected: what is in the layout, what is in the world, and patterns for some of it.
fn names(story: &Story, world: &World) -> Vec<String> {
    let fixed = ["gateway", "network:all.back", "network:all.front", "machine:*", "network:*", "@some", "m*"];
    let mut names: Vec<_> = fixed.iter().map(ToString::to_string).collect();
    names.extend(story.machines());
    names.extend(world.now().machines.into_keys().map(|name| format!("machine:{name}")));
    names
}

/// Does something when the step of a number begins.
struct At {
    left: AtomicU64,
    does: Box<dyn Fn() + Send + Sync>,
}

impl Sink for At {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Begun { .. }) && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            (self.does)();
        }
    }
}

/// Has these options end a run as the turn does; answers what becomes ready when it is to be dropped.
pub(crate) fn ended(ends: Ends, options: &mut Options) -> Arc<tokio::sync::Notify> {
    let dropped = Arc::new(tokio::sync::Notify::new());
    let (stop, abort, drop): (_, Abort, _) = (options.stop.clone(), options.abort.clone(), dropped.clone());
    let (at, does): (_, Box<dyn Fn() + Send + Sync>) = match ends {
        Ends::Well | Ends::Struck(_) => return dropped,
        Ends::Interrupted(at) => (at, Box::new(move || stop.cancel())),
        Ends::GivenUp(at) => (at, Box::new(move || (stop.cancel(), abort.give_up()).1)),
        Ends::Dropped(at) => (at, Box::new(move || drop.notify_one())),
    };
    options.events = Events::new(At { left: AtomicU64::new(at), does });
    dropped
}
