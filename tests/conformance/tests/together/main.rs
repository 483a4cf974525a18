//! Tasks that return building blocks are looked at in one round trip, and changed in one more; and each is a task of its own all the same.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod behind;
#[path = "../toy/engine.rs"]
mod engine;
#[path = "../toy/processes.rs"]
mod processes;
mod transport;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Mutex;

use carthage::Error;
use carthage::block::{Command, Directory, File, Line};
use carthage::deploy::{Access, Deployment, Options, Reason, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::machine::engine::{Engine, Site};
use carthage::machine::implementation::Implementation;
use carthage::prelude::*;
use carthage::task::Last;

/// Machines out of directories and processes of this host.
#[derive(Debug)]
struct Toy;

impl Implementation for Toy {
    const NAME: &'static str = "Toy";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::ToyEngine::new(&site)))
    }
}

carthage::capabilities!(Toy: Power, Located, FileTree);

thread_local! {
    /// Where the files are that the tasks want.
    static PLACE: RefCell<PathBuf> = RefCell::default();
    /// What stands in some of them.
    static TEXT: Cell<&'static str> = const { Cell::new("one") };
}

fn file(name: &str) -> PathBuf {
    PLACE.with_borrow(|place| place.join(name))
}

fn holds(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_default()
}

#[derive(Default)]
struct Files;

#[customization]
impl Files {
    #[setup_task]
    fn first(&self) -> Blocks {
        Blocks::new()
            .with(Directory::at(file("dir")).mode(0o750))
            .with(File::at(file("dir/text")).content(TEXT.get()))
            .with(Line::in_file(file("lines")).line(TEXT.get()).in_place_of("one"))
    }

    /// Goes on in a file of the first.
    #[setup_task]
    fn second(&self) -> Blocks {
        Blocks::new().with(Line::in_file(file("lines")).line("second"))
    }

    #[setup_task(after = first)]
    fn third(&self) -> Blocks {
        Blocks::new().with(File::at(file("third")).content(TEXT.get()))
    }

    /// Nobody can say beforehand what it does.
    #[setup_task]
    async fn note(&self, host: &Host) -> Result<()> {
        host.run(["touch".into(), file("noted").into_os_string()]).await?;
        Ok(())
    }

    #[setup_task]
    fn last(&self) -> Blocks {
        Blocks::new().with(File::at(file("last")).content("last"))
    }
}

#[machine_model]
struct Server {
    #[customize]
    files: Files,
}

#[layout(name = "together", implementation = Toy)]
struct Together {
    server: Server,
}

/// The second of these fails, whatever it is given.
#[derive(Default)]
struct Breaks;

#[customization]
impl Breaks {
    #[setup_task]
    fn one(&self) -> Blocks {
        Blocks::new().with(File::at(file("one")).content("1"))
    }

    #[setup_task]
    fn two(&self) -> Blocks {
        let fails = Command::new(["sh", "-c", "echo out of luck >&2; exit 3"]).creates("/nowhere");
        Blocks::new().with(File::at(file("two")).content("2")).with(fails)
    }

    #[setup_task]
    fn three(&self) -> Blocks {
        Blocks::new().with(File::at(file("three")).content("3"))
    }

    #[setup_task(after = two)]
    fn four(&self) -> Blocks {
        Blocks::new().with(File::at(file("four")).content("4"))
    }
}

#[machine_model]
struct Fragile {
    #[customize]
    breaks: Breaks,
}

#[layout(name = "breaks", implementation = Toy)]
struct Broken {
    fragile: Fragile,
}

/// What happened, in words.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Sink for Told {
    fn event(&self, event: &Event) {
        let (what, thing) = match event {
            Event::Begun { thing, .. } => ("begun", thing),
            Event::Done { thing, .. } => ("done", thing),
            Event::Failed { thing, .. } => ("failed", thing),
            Event::Skipped { thing, .. } => ("skipped", thing),
            Event::Output { thing, line, .. } => (line.as_str(), thing),
            _ => return,
        };
        if let Some((_, task)) = thing.strip_prefix("task:").and_then(|thing| thing.rsplit_once('.')) {
            self.0.lock().unwrap().push(format!("{what} {task}"));
        }
    }
}

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let place = base.path().join("files");
        std::fs::create_dir(&place).unwrap();
        PLACE.set(place);
        Self(base)
    }

    async fn open<L: carthage::layout::Layout>(&self) -> (Deployment, Placed<L>, Told) {
        let told = Told::default();
        let options = Options {
            state_dir: Some(self.0.path().join("state")),
            events: Events::new(told.clone()),
            ..Options::default()
        };
        let (deployment, layout) = Deployment::open::<L>(Access::Change, options).await.unwrap();
        (deployment, layout, told)
    }
}

/// How often something was run in the machine, apart from what else its implementation does there.
async fn trips<T>(machine: &Machine, work: impl Future<Output = T>) -> (usize, T) {
    machine.run(["true"]).await.unwrap();
    let runs = transport::started().pop().unwrap();
    let answer = work.await;
    (transport::started().iter().filter(|script| **script == runs).count(), answer)
}

/// The tasks that ran.
fn done(report: &Report) -> Vec<&str> {
    let tasks = report.done.iter().filter_map(|step| step.thing.strip_prefix("task:"));
    tasks.filter_map(|task| task.rsplit_once('.')).map(|(_, task)| task).collect()
}

#[tokio::test]
async fn one_round_trip_looks_and_one_changes() {
    let lab = Lab::new();
    let (deployment, layout, _) = lab.open::<Together>().await;
    let all = &Selection::all();
    let machine = layout.server.machine();
    machine.create().await.unwrap();
    machine.start().await.unwrap();
    // Two, the one that is imperative, and two for the one behind it.
    let (trips_made, report) = trips(machine, deployment.deploy(all)).await;
    let report = report.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(trips_made, 5);
    assert_eq!(
        (holds("dir/text"), holds("lines"), holds("third")),
        ("one".into(), "one\nsecond\n".into(), "one".into())
    );
    drop(deployment);

    let (deployment, layout, _) = lab.open::<Together>().await;
    let (trips_made, report) = trips(layout.server.machine(), deployment.deploy(all)).await;
    assert!(report.unwrap().done.is_empty());
    assert_eq!(trips_made, 1, "nothing differs");
    drop(deployment);

    // What is changed is known of all that is behind it, also behind what need not run.
    TEXT.set("one more");
    std::fs::remove_file(file("last")).unwrap();
    let (deployment, layout, told) = lab.open::<Together>().await;
    let plan = deployment.plan(all).await.unwrap();
    let (trips_made, report) = trips(layout.server.machine(), deployment.deploy(all)).await;
    let report = report.unwrap();
    assert_eq!(done(&report), ["first", "third", "last"]);
    assert_eq!(trips_made, 3, "one looks, and each of two behind each other changes");
    let said = |steps: &[carthage::deploy::Step]| -> Vec<_> {
        steps.iter().map(|step| (step.thing.clone(), step.why.clone())).collect()
    };
    assert_eq!(said(&plan.steps), said(&report.done));
    assert_eq!((holds("lines"), holds("third")), ("one more\nsecond\n".into(), "one more".into()));
    let told = told.0.lock().unwrap().clone();
    assert_eq!(told, ["begun first", "begun third", "done first", "done third", "begun last", "done last"]);
    assert!(layout.server.task(task!(Server.files.second)).last_run().unwrap().run == 1, "it did not run");
    let (first, third) = (task!(Server.files.first), task!(Server.files.third));
    let step = |task| layout.server.task(task).last_run().unwrap().step;
    assert!(step(first) < step(third));
    assert_eq!(deployment.destroy(all).await.unwrap().failed.len(), 0);
}

#[tokio::test]
async fn one_that_fails_is_alone_with_that() {
    let lab = Lab::new();
    let (deployment, layout, told) = lab.open::<Broken>().await;
    let machine = layout.fragile.machine();
    machine.create().await.unwrap();
    machine.start().await.unwrap();
    let (trips_made, report) = trips(machine, deployment.deploy(&Selection::all())).await;
    let report = report.unwrap();
    assert_eq!(
        trips_made, 6,
        "a guard is asked behind what it may be about, and what is behind the one that fails is begun again"
    );
    assert_eq!(done(&report), ["one", "three"]);
    let failure = &report.failed[0];
    assert!(
        failure.thing.ends_with("breaks.two") && failure.causes.join(" ").contains("out of luck"),
        "{failure:?}"
    );
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.skipped[0].why.to_string(), "`two` did not succeed");
    assert_eq!(
        (holds("one"), holds("two"), holds("three"), holds("four")),
        ("1".into(), "2".into(), "3".into(), "".into())
    );
    assert_eq!(
        *told.0.lock().unwrap(),
        [
            "begun one",
            "begun two",
            "done one",
            "out of luck two",
            "failed two",
            "begun three",
            "done three",
            "skipped four"
        ]
    );
    let last = |task| layout.fragile.task(task).last();
    assert!(matches!(last(task!(Fragile.breaks.one)), Last::Ran(_)));
    assert!(matches!(last(task!(Fragile.breaks.two)), Last::Failed(1, _)));
    assert!(matches!(last(task!(Fragile.breaks.three)), Last::Ran(_)));
    assert!(matches!(last(task!(Fragile.breaks.four)), Last::Never));
    drop(deployment);
    // The next run carries on, and forcing one is about that one.
    let (deployment, layout, _) = lab.open::<Broken>().await;
    let plan = deployment.plan(&Selection::all()).await.unwrap();
    let steps: Vec<_> = plan.steps.iter().map(|step| (&*step.thing, &step.why)).collect();
    assert_eq!(
        steps,
        [
            ("task:fragile/breaks.two", &Reason::Failed { run: 1 }),
            ("task:fragile/breaks.four", &Reason::NeverRan)
        ]
    );
    std::fs::remove_file(file("one")).unwrap();
    std::fs::remove_file(file("three")).unwrap();
    layout.fragile.task(task!(Fragile.breaks.three)).force().await.unwrap();
    assert_eq!((holds("one"), holds("three"), holds("four")), ("".into(), "3".into(), "".into()));
    assert_eq!(deployment.destroy(&Selection::all()).await.unwrap().failed.len(), 0);
}
