//! Tasks that have to do with other machines: what runs while they do, and what of theirs comes before.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::cell::Cell;

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Report, Selection, Step};
use carthage::layout::Layout;
use carthage::machine::GRACE;
use carthage::prelude::*;
use carthage::state::{Dirs, Entry, Snapshot};
use carthage::task::Last;

thread_local! {
    /// What the page says, as if the source had been edited.
    static TEXT: Cell<&'static str> = const { Cell::new("hello") };
    /// What the check says.
    static VALID: Cell<bool> = const { Cell::new(true) };
}

struct Site {
    text: &'static str,
}

#[customization]
impl Site {
    /// Write the page.
    #[setup_task(hash = self.text)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index", self.text).await
    }

    /// Tell of it.
    #[setup_task(after = index)]
    async fn publish(&self, host: &Host) -> Result<()> {
        host.write("/srv/published", "yes").await
    }
}

/// Has the pages of a site.
#[role]
struct Web {
    #[customize(Site { text: TEXT.get() })]
    site: Site,
}

#[machine_model]
struct Mirror {
    #[role]
    web: Web,
    #[customize(Site { text: "never changes" })]
    other: Site,
}

#[derive(Default)]
struct Fetch;

#[customization]
impl Fetch {
    /// Fetch the page.
    #[setup_task(after = Mirror.web.site.index)]
    async fn fetch(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    /// The same, of whoever is the mirror.
    #[setup_task(after = [fetch, Web.site.publish])]
    async fn unpack(&self, host: &Host) -> Result<()> {
        host.write("/srv/unpacked", "yes").await
    }

    /// Talk to the mirror.
    #[setup_task(depend_on = Mirror)]
    async fn talk(&self, _host: &Host, #[inject] mirror: &Placed<Mirror>) -> Result<()> {
        mirror.machine().run(["true"]).await?;
        Ok(())
    }

    /// Compare with the mirror.
    #[setup_task(depend_on_to_judge = Mirror)]
    async fn compare(&self, _host: &Host) -> Result<()> {
        Ok(())
    }

    #[invalidator(compare)]
    async fn is_the_same(&self, _host: &Host, #[inject] mirror: &Placed<Mirror>) -> Result<bool> {
        mirror.machine().run(["true"]).await?;
        Ok(VALID.get())
    }
}

#[machine_model]
struct Worker {
    #[customize]
    fetch: Fetch,
}

#[layout(name = "tasks", implementation = Simulated)]
struct Tasks {
    /// Is planned and deployed before it all the same.
    worker: Worker,
    mirror: Mirror,
}

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open<L: Layout>(&self, access: Access) -> (Deployment, Placed<L>) {
        let options = Options { state_dir: Some(self.0.path().to_owned()), ..Options::default() };
        Deployment::open::<L>(access, options).await.unwrap()
    }

    async fn plan(&self) -> Vec<String> {
        let (deployment, _) = self.open::<Tasks>(Access::Look).await;
        said(&deployment.plan(&Selection::all()).await.unwrap().steps)
    }

    async fn deploy(&self, selection: &Selection) -> Vec<String> {
        let (deployment, _) = self.open::<Tasks>(Access::Change).await;
        complete(deployment.deploy(selection).await.unwrap())
    }
}

#[track_caller]
fn complete(report: Report) -> Vec<String> {
    assert!(report.is_complete(), "{report:?}");
    said(&report.done)
}

fn said(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| format!("{} {}: {}", step.action.word(), step.thing, step.why)).collect()
}

fn only(pattern: &str) -> Selection {
    Selection { include: vec![pattern.parse().unwrap()], ..Selection::all() }
}

#[tokio::test]
async fn a_task_runs_when_one_of_another_machine_does() {
    let lab = Lab::new();
    let first = lab.plan().await;
    assert!(first.contains(&"run task:worker/fetch.fetch: never ran".to_owned()), "{first:?}");
    let (at, after) = ("create machine:mirror: ", "create machine:worker: ");
    let position = |begin: &str| first.iter().position(|step| step.starts_with(begin)).unwrap();
    assert!(position(at) < position(after), "{first:?}");
    assert_eq!(lab.deploy(&Selection::all()).await.len(), first.len());
    assert!(lab.plan().await.is_empty());
    TEXT.set("another");
    let changed = [
        "run task:mirror/web.site.index: its inputs changed",
        "run task:mirror/web.site.publish: `index` runs before it",
        "run task:worker/fetch.fetch: `task:mirror/web.site.index` runs before it",
        "run task:worker/fetch.unpack: `fetch` runs before it",
        "ask task:worker/fetch.compare: cannot be told yet: `is_the_same` is asked after `machine:mirror`",
    ];
    assert_eq!(lab.plan().await, changed);
    assert_eq!(lab.deploy(&Selection::all()).await, changed[..4]);
    assert!(lab.plan().await.is_empty());
}

#[tokio::test]
async fn what_ran_later_counts_in_the_next_run() {
    let lab = Lab::new();
    lab.deploy(&Selection::all()).await;
    TEXT.set("another");
    assert_eq!(lab.deploy(&only("machine:mirror")).await.len(), 2);
    let later = [
        "run task:worker/fetch.fetch: `task:mirror/web.site.index` ran later, in run 2",
        "run task:worker/fetch.unpack: `fetch` runs before it",
    ];
    assert_eq!(lab.plan().await, later);
    assert_eq!(lab.deploy(&only("machine:worker")).await, later);
    assert!(lab.plan().await.is_empty());
    // Also the role of a machine is one that is named, and what comes before by both is told once.
    let (deployment, _) = lab.open::<Tasks>(Access::Change).await;
    complete(deployment.run(&only("mirror/web.site.publish")).await.unwrap());
    drop(deployment);
    assert_eq!(
        lab.plan().await,
        ["run task:worker/fetch.unpack: `task:mirror/web.site.publish` ran later, in run 4"]
    );
}

#[tokio::test]
async fn what_a_task_depends_on_runs_while_it_does() {
    let lab = Lab::new();
    lab.deploy(&Selection::all()).await;
    let (deployment, tasks) = lab.open::<Tasks>(Access::Change).await;
    let (mirror, worker) = (tasks.mirror.machine(), tasks.worker.machine());
    mirror.stop(GRACE).await.unwrap();
    worker.stop(GRACE).await.unwrap();
    // A command in a machine that does not run would be an error.
    complete(deployment.run(&only("worker/fetch.talk")).await.unwrap());
    for machine in [mirror, worker] {
        assert_eq!(machine.is_running().await.unwrap(), Some(false), "{machine:?} is let go");
    }
    worker.start().await.unwrap();
    drop((deployment, tasks));
    let look = "cannot be told yet: `is_the_same` is asked after `machine:mirror`";
    let plan = lab.plan().await;
    assert_eq!(
        plan,
        ["start machine:mirror: it is not running", &format!("ask task:worker/fetch.compare: {look}")]
    );
    assert_eq!(lab.deploy(&Selection::all()).await, plan[..1]);
    VALID.set(false);
    let invalid = ["run task:worker/fetch.compare: no longer valid: `is_the_same` said no"];
    assert_eq!(lab.plan().await, invalid);
    assert_eq!(lab.deploy(&Selection::all()).await, invalid);
}

#[derive(Default)]
struct Choosy;

#[customization(filesystem)]
impl Choosy {
    /// After those that are meant, and however many there are.
    #[setup_task(after = (Mirror.web.site.index, name = second), depend_on = [Group, (Mirror, name = first)])]
    async fn choose(&self, tree: &Tree) -> Result<()> {
        tree.write("/chosen", "yes").await
    }
}

#[machine_model]
struct Chooser {
    #[customize]
    choosy: Choosy,
}

#[machine_model]
struct Helper;

#[enclave]
struct Group {
    helpers: [Helper; 2],
}

#[layout(name = "several", implementation = Simulated)]
struct Several {
    first: Mirror,
    #[member(name = "mirror-b")]
    second: Mirror,
    chooser: Chooser,
    group: Group,
}

#[tokio::test]
async fn they_are_named_as_in_depends_on() {
    let lab = Lab::new();
    let (deployment, several) = lab.open::<Several>(Access::Change).await;
    let after: Vec<_> = several.chooser.placement().starts_after().iter().map(|other| other.path()).collect();
    assert_eq!(after, ["first", "second", "group.helpers.1", "group.helpers.2"]);
    complete(deployment.deploy(&Selection::all()).await.unwrap());
    drop((deployment, several));
    for (task, follows) in [("mirror/web.site.index", false), ("mirror-b/web.site.index", true)] {
        let (deployment, _) = lab.open::<Several>(Access::Change).await;
        complete(deployment.run(&only(task)).await.unwrap());
        let plan = said(&deployment.plan(&only("machine:chooser")).await.unwrap().steps);
        drop(deployment);
        let chosen = plan.iter().any(|step| step.contains(&format!("`task:{task}` ran later")));
        assert_eq!(chosen, follows, "{plan:?}");
    }
}

#[tokio::test]
async fn a_task_is_looked_at_and_forced_by_hand() {
    let lab = Lab::new();
    let (deployment, tasks) = lab.open::<Tasks>(Access::Change).await;
    let publish = tasks.mirror.task(task!(Mirror.web.site.publish));
    assert_eq!(publish.name(), "mirror/web.site.publish");
    assert!(publish.last_run().is_none() && publish.force().await.is_err(), "there is no machine yet");
    complete(deployment.deploy(&Selection::all()).await.unwrap());
    let first = publish.last_run().unwrap();
    assert!(first.run == 1 && first.time().elapsed().unwrap().as_secs() < 600, "{first}");
    assert_eq!(deployment.task("task:mirror/web.site.publish").unwrap().last_run(), Some(first.clone()));
    // In the very run in which all was deployed; it is later all the same.
    tasks.mirror.machine().stop(GRACE).await.unwrap();
    publish.force().await.unwrap();
    assert_eq!(tasks.mirror.machine().is_running().await.unwrap(), Some(false), "it is let go");
    let second = publish.last_run().unwrap();
    assert!(second.run == 1 && second.step > first.step, "{second:?}");
    drop((deployment, tasks, publish));
    let mirror = "start machine:mirror: it is not running";
    let later = "run task:worker/fetch.unpack: `task:mirror/web.site.publish` ran later, in run 1";
    let plan = lab.plan().await;
    assert!(plan.iter().any(|step| step == mirror) && plan.iter().any(|step| step == later), "{plan:?}");
    // Who only looks may read, and force nothing.
    let (deployment, tasks) = lab.open::<Tasks>(Access::Look).await;
    let fetch = tasks.worker.task(task!(Worker.fetch.fetch));
    assert!(fetch.last_run().is_some() && fetch.force().await.is_err());
    assert_eq!(fetch.last_run().unwrap().run, 1);
    let error = deployment.task("worker/fetch.fech").unwrap_err();
    assert_eq!(error.next_step(), Some("did you mean `worker/fetch.fetch`?"));
    assert!(deployment.task("nowhere/fetch.fetch").is_err() && deployment.task("worker").is_err());
}

#[tokio::test]
async fn a_whole_customization_is_looked_at_by_hand() {
    let lab = Lab::new();
    let (deployment, tasks) = lab.open::<Tasks>(Access::Change).await;
    let (web, fetch) =
        (tasks.mirror.tasks(tasks!(Mirror.web.site)), tasks.worker.tasks(tasks!(Worker.fetch)));
    assert_eq!((&*web.name(), &*fetch.name()), ("mirror/web.site", "worker/fetch"));
    assert_eq!(web.last_run().await.unwrap(), None, "there is no machine yet");
    complete(deployment.deploy(&Selection::all()).await.unwrap());
    let publish = tasks.mirror.task(task!(Mirror.web.site.publish));
    assert_eq!(web.last_run().await.unwrap(), publish.last_run(), "the one that ran last");
    assert!(fetch.last_run().await.unwrap().is_some());
    // Something has to run: by its check, by its inputs, or because of another one.
    VALID.set(false);
    assert_eq!(fetch.last_run().await.unwrap(), None);
    VALID.set(true);
    publish.force().await.unwrap();
    assert_eq!(fetch.last_run().await.unwrap(), None, "`unpack` comes after what ran later");
    assert_eq!(web.last_run().await.unwrap(), publish.last_run());
    drop((deployment, tasks, publish, web, fetch));
    TEXT.set("edited");
    let (deployment, tasks) = lab.open::<Tasks>(Access::Look).await;
    assert_eq!(tasks.mirror.tasks(tasks!(Mirror.web.site)).last_run().await.unwrap(), None);
    let other = tasks.mirror.tasks(tasks!(Mirror.other));
    assert!(other.last_run().await.unwrap().is_some());
    // What only a running machine can tell cannot be told, and nothing is started for it.
    drop((deployment, other, tasks));
    let (deployment, tasks) = lab.open::<Tasks>(Access::Change).await;
    complete(deployment.deploy(&Selection::all()).await.unwrap());
    let fetch = tasks.worker.tasks(tasks!(Worker.fetch));
    assert!(fetch.last_run().await.unwrap().is_some());
    tasks.worker.machine().stop(GRACE).await.unwrap();
    assert_eq!(fetch.last_run().await.unwrap(), None);
    assert_eq!(tasks.worker.machine().is_running().await.unwrap(), Some(false));
}

/// Is not waited for until it takes commands.
#[machine_model(ssh_online = false)]
struct Screen {
    #[customize(Site { text: "hello" })]
    site: Site,
}

#[layout(name = "screens", implementation = Simulated)]
struct Screens {
    screen: Screen,
}

/// One that runs may not take commands yet: who runs a task waits for that.
#[tokio::test]
async fn a_task_by_hand_waits_until_its_machine_takes_commands() {
    let lab = Lab::new();
    let (deployment, layout) = lab.open::<Screens>(Access::Change).await;
    complete(deployment.deploy(&Selection::all()).await.unwrap());
    drop((deployment, layout));
    for way in ["run", "force", "apply"] {
        let (deployment, layout) = lab.open::<Screens>(Access::Change).await;
        match way {
            "run" => drop(complete(deployment.run(&only("screen/site.index")).await.unwrap())),
            "force" => layout.screen.task(task!(Screen.site.index)).force().await.unwrap(),
            _ => layout.screen.apply("extra", &Site { text: "extra" }).await.unwrap(),
        }
        drop((deployment, layout));
        let journal = Snapshot::journal(&Dirs::find("screens", Some(lab.0.path())).unwrap(), 0).unwrap();
        let last = journal.iter().map(|entry| entry.run).max();
        let waits = |entry: &&Entry| Some(entry.run) == last && entry.action == "start";
        assert_eq!(journal.iter().filter(waits).count(), 1, "{way}: {journal:?}");
    }
}

/// One that fails is told, and is looked at as what it is.
#[tokio::test]
async fn a_forced_task_that_fails_is_an_error() {
    let lab = Lab::new();
    let (deployment, layout) = lab.open::<Broken>(Access::Change).await;
    assert!(!deployment.deploy(&Selection::all()).await.unwrap().is_complete());
    let breaks = layout.host.task(task!(Fragile.breaks.always));
    let error = breaks.force().await.unwrap_err();
    assert!(carthage::chain(&*error).contains("as the test wants it"), "{error:?}");
    assert!(matches!(breaks.last(), carthage::task::Last::Failed(1, _)) && breaks.last_run().is_none());
}

#[derive(Default)]
struct Breaks;

#[customization]
impl Breaks {
    #[setup_task]
    async fn always(&self, _host: &Host) -> Result<()> {
        Err("as the test wants it".into())
    }
}

#[machine_model]
struct Fragile {
    #[customize]
    breaks: Breaks,
}

#[layout(name = "broken", implementation = Simulated)]
struct Broken {
    host: Fragile,
}

thread_local! {
    /// Whether there is something to join.
    static CLUSTER: Cell<bool> = const { Cell::new(false) };
    /// How often it was tried, and told of.
    static TRIED: Cell<[u32; 2]> = const { Cell::new([0; 2]) };
}

#[derive(Default)]
struct Join;

#[customization]
impl Join {
    /// Join.
    #[setup_task(retries = 1, hash = TEXT.get())]
    async fn join(&self, _: &Host) -> Result<()> {
        TRIED.set([TRIED.get()[0] + 1, TRIED.get()[1]]);
        match TEXT.get() {
            "broken" => Err("it is broken".into()),
            _ if CLUSTER.get() => Ok(()),
            _ => Err(SkipTask::because("there is no cluster yet").into()),
        }
    }

    /// Tell that it has.
    #[setup_task(after = join)]
    async fn tell(&self, _: &Host) -> Result<()> {
        TRIED.set([TRIED.get()[0], TRIED.get()[1] + 1]);
        Ok(())
    }
}

#[machine_model]
struct Member {
    #[customize]
    join: Join,
}

#[layout(name = "skips", implementation = Simulated)]
struct Skips {
    member: Member,
}

/// A task that says it has nothing to do has neither run nor failed: scenario `skip_task`.
#[tokio::test]
async fn a_task_can_say_that_it_has_nothing_to_do() {
    let state = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    let deploy = async || {
        let (deployment, lab) = Deployment::open::<Skips>(Access::Change, options()).await.unwrap();
        let report = deployment.deploy(&Selection::all()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let ran = lab.member.task(task!(Member.join.join)).last_run().map(|stamp| stamp.run);
        (report.done.into_iter().map(|step| step.thing).collect::<Vec<_>>(), ran)
    };
    let (join, tell) = ("task:member/join.join".to_owned(), "task:member/join.tell".to_owned());
    assert_eq!(deploy().await, (vec!["machine:member".to_owned(), tell.clone()], None));
    assert_eq!(TRIED.get(), [1, 1], "it is not tried again");
    assert_eq!(deploy().await, (vec![], None));
    assert_eq!(TRIED.get(), [2, 1], "it is asked again, and nobody runs because of it");
    CLUSTER.set(true);
    assert_eq!(deploy().await, (vec![join.clone(), tell.clone()], Some(3)));
    assert_eq!(deploy().await, (vec![], Some(3)));
    assert_eq!(TRIED.get(), [3, 2]);
    // What it left behind when it ran still holds.
    CLUSTER.set(false);
    TEXT.set("another");
    assert_eq!(deploy().await, (vec![], Some(3)));
    assert_eq!(TRIED.get(), [4, 2]);
    TEXT.set("hello");
    assert_eq!(deploy().await, (vec![], Some(3)));
    assert_eq!(TRIED.get(), [4, 2], "its inputs are those with which it ran");
    // Nor is it forgotten that it failed.
    TEXT.set("broken");
    let (deployment, lab) = Deployment::open::<Skips>(Access::Change, options()).await.unwrap();
    assert!(!deployment.deploy(&Selection::all()).await.unwrap().is_complete());
    TEXT.set("hello");
    drop((deployment, lab));
    assert_eq!(deploy().await, (vec![], None));
    let (_, lab) = Deployment::open::<Skips>(Access::Look, options()).await.unwrap();
    assert!(matches!(lab.member.task(task!(Member.join.join)).last(), Last::Failed(7, _)));
}
