//! What is asked is waited for as long as the user wants, and no longer; what fails is tried again as often as the user wants.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::cell::Cell;
use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::machine::engine::Rehearsal;
use carthage::machine::start::Needed;
use carthage::prelude::*;
use tokio::time::Instant;

thread_local! {
    /// What does not come to an end.
    static HANGS: Cell<&'static str> = const { Cell::new("") };
}

/// Comes to its end, unless it hangs.
async fn comes_to(what: &'static str) {
    if HANGS.get() == what {
        pending::<()>().await;
    }
}

#[derive(Default)]
struct Steps;

#[customization]
impl Steps {
    #[setup_task]
    async fn first(&self, _host: &Host) -> Result<()> {
        comes_to("first").await;
        Ok(())
    }

    #[check_completed(first)]
    async fn is_first(&self, host: &Host) -> Result<bool> {
        comes_to("is_first").await;
        host.exists("/never").await
    }

    #[setup_task]
    async fn second(&self, _host: &Host) -> Result<()> {
        Ok(())
    }

    #[invalidator(second)]
    async fn is_second(&self, _host: &Host) -> Result<bool> {
        comes_to("is_second").await;
        Ok(true)
    }
}

#[network(v4 = "10.9.0.0/24", pool = "10.9.0.5-10.9.0.25")]
struct Lan;

#[machine_model(dynamic_dependencies = Self::needs)]
struct Web {
    #[link]
    eth0: Link<Lan>,
    #[customize]
    steps: Steps,
}

impl Web {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        comes_to("needs").await;
        Ok(Vec::new())
    }
}

/// Says whether there is a machine.
#[injectable]
struct Told(bool);

#[layout(name = "limits", implementation = Simulated)]
struct Site {
    #[provide({ comes_to("told").await; Told(true) })]
    told: Arc<Told>,
    lan: Lan,
    #[member(when = told.0)]
    web: Option<Web>,
}

/// How a run is done: what goes wrong, what is changed of the options.
async fn open(base: &Path, faults: &[&str], change: impl FnOnce(&mut Options)) -> Result<Deployment> {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let rehearsal = Arc::new(Rehearsal { faults, ..Rehearsal::default() });
    let mut options = Options { state_dir: Some(base.to_owned()), rehearsal, ..Options::default() };
    change(&mut options);
    Ok(Deployment::open::<Site>(Access::Change, options).await?.0)
}

fn limited(limits: &'static [&str]) -> impl FnOnce(&mut Options) {
    |options| limits.iter().for_each(|limit| options.limits.set(limit.parse().unwrap()))
}

async fn deploys(base: &Path, faults: &[&str], change: impl FnOnce(&mut Options)) -> Report {
    open(base, faults, change).await.unwrap().deploy(&Selection::all()).await.unwrap()
}

/// What is waited for.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<String>>>);

impl Sink for Waits {
    fn event(&self, event: &Event) {
        let text = match event {
            Event::Waiting { thing, what, waited } => format!("{thing}: {what}, {} s", waited.as_secs()),
            Event::Waited { thing, what } => format!("{thing}: {what}, no more"),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

/// What failed, why, and what to do then.
fn failed(report: &Report) -> Vec<String> {
    let one = |failure: &carthage::deploy::Failure| {
        format!("{}: {}; {}", failure.thing, failure.causes.join(": "), failure.hint.as_deref().unwrap_or(""))
    };
    report.failed.iter().map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_answer_is_one_clear_error() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    assert!(deploys(base, &[], limited(&[])).await.is_complete());
    for (hangs, task) in [("is_first", "first"), ("is_second", "second")] {
        HANGS.set(hangs);
        for (limits, seconds, words, longer) in
            [(&[][..], 600, "10m", "20m"), (&["check=30s"][..], 30, "30s", "1m")]
        {
            let begun = Instant::now();
            let late = format!("`{hangs}`, the check of `web/steps.{task}`, did not answer within {words}");
            let next = format!("see what it waits for; if it needs longer: `--limit check={longer}`");
            let deployment = open(base, &[], limited(limits)).await.unwrap();
            let plan = deployment.plan(&Selection::all()).await.unwrap();
            let asked =
                plan.steps.iter().find(|step| step.thing == format!("task:web/steps.{task}")).unwrap();
            assert_eq!(asked.why.to_string(), format!("cannot be told: {late}; {next}"));
            assert_eq!(begun.elapsed().as_secs(), seconds);
            let report = deployment.deploy(&Selection::all()).await.unwrap();
            assert_eq!(failed(&report), [format!("task:web/steps.{task}: {late}; {next}")]);
            assert_eq!(begun.elapsed().as_secs(), 2 * seconds);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_has_a_name() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    let told = async |faults: &[&str], hangs, looks: bool| {
        HANGS.set(hangs);
        let waits = Waits::default();
        let change = |options: &mut Options| {
            options.events = Events::new(waits.clone());
            ["check=30s", "look=5s"].iter().for_each(|limit| options.limits.set(limit.parse().unwrap()));
        };
        let opened = open(base, faults, change).await;
        match (opened, looks) {
            (Err(_), _) => {}
            (Ok(deployment), true) => drop(deployment.plan(&Selection::all()).await.unwrap()),
            (Ok(deployment), false) => drop(deployment.deploy(&Selection::all()).await.unwrap()),
        }
        std::mem::take(&mut *waits.0.lock().unwrap())
    };
    // What answers at once is not told.
    assert_eq!(told(&[], "", false).await, [""; 0]);
    let three = |what: &str| ["1 s", "10 s", "no more"].map(|then| format!("{what}, {then}"));
    for looks in [true, false] {
        assert_eq!(
            told(&[], "is_second", looks).await,
            three("task:web/steps.second: what `is_second` says")
        );
        assert_eq!(told(&[], "needs", looks).await, three("machine:web: what it needs"));
        let looked = told(&["find:web=hang#1"], "", looks).await;
        let expected =
            ["1 s", "no more"].map(|then| format!("machine:web: whether it is there, and runs, {then}"));
        assert_eq!(looked, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_has_its_own_limit() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    let took = async |faults: &[&str], limits| {
        let begun = Instant::now();
        let report = deploys(base, faults, limited(limits)).await;
        let [failed] = &failed(&report)[..] else { panic!("{report:?}") };
        (failed.clone(), begun.elapsed())
    };
    for (fault, limit, seconds, thing) in [
        ("find:lan=hang", "look=3s", 3, "cannot look at `lan`"),
        ("create:lan=hang", "make=4s", 4, "cannot make `lan`"),
        ("create:web=hang", "make=4s", 4, "cannot make `web`"),
        ("start:web=hang", "start=5s", 5, "cannot start `web`"),
        ("introduce:web=hang", "change=6s", 6, "cannot tell its neighbours to `web`"),
    ] {
        let limits: &'static [&str] = Vec::leak(vec![limit]);
        let (failed, time) = took(&[fault], limits).await;
        let (name, words) = limit.split_once('=').unwrap();
        assert!(failed.contains(&format!("{thing}: it was not done after {words}")), "{failed}");
        assert!(failed.contains(&format!("`--limit {name}=")), "{failed}");
        assert_eq!(time.as_secs(), seconds, "{fault}");
    }
    // A body without a limit of its own has that of all, which is a day if nobody gives another.
    HANGS.set("first");
    for (limits, words, seconds) in [(&["task=7s"][..], "7s", 7), (&[], "1day", 24 * 60 * 60)] {
        let (failed, time) = took(&[], limits).await;
        assert!(failed.contains(&format!("it was not done after {words}")), "{failed}");
        assert!(failed.contains("`timeout_seconds` at the task, or `--limit task="), "{failed}");
        assert_eq!(time.as_secs(), seconds);
    }
    // Models are asked what they need before anything else is known.
    HANGS.set("needs");
    let begun = Instant::now();
    let error = open(base, &[], limited(&["check=8s"])).await.unwrap_err();
    let text = carthage::chain(&*error);
    assert!(text.contains("`dynamic_dependencies` of `web` did not answer within 8s"), "{text}");
    assert_eq!(begun.elapsed(), Duration::from_secs(8));
    // And before that, which of them there are, and with what values.
    HANGS.set("told");
    let (begun, waits) = (Instant::now(), Waits::default());
    let error = open(base, &[], |options| {
        limited(&["check=9s"])(options);
        options.events = Events::new(waits.clone());
    });
    let text = carthage::chain(&*error.await.unwrap_err());
    assert!(text.contains("`told` of `limits` (") && text.contains("did not answer within 9s"), "{text}");
    assert_eq!(begun.elapsed(), Duration::from_secs(9));
    let waits = waits.0.lock().unwrap();
    assert!(waits.contains(&"model:limits: `told`, 1 s".to_owned()), "{waits:?}");
}
