//! What a run tells is its report, whoever makes it of that; and how tasks stand is told of all of them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::sync::{Arc, Mutex};

use carthage::backend::Simulated;
use carthage::deploy::{
    Access, Action, Deployment, Options, Reason, Report, Selection, logged_runs, run_log,
};
use carthage::event::{Event, Events, Sink};
use carthage::prelude::*;
use carthage::state::Dirs;

#[derive(Default)]
struct Breaks;

#[customization]
impl Breaks {
    #[setup_task]
    async fn always(&self, _host: &Host) -> Result<()> {
        Err("as the test wants it".into())
    }
}

#[derive(Default)]
struct Bears;

#[customization]
impl Bears {
    /// What is done by hand within it fails, which it can bear.
    #[setup_task(depend_on = Other)]
    async fn it(&self, _host: &Host, #[inject] other: &Placed<Other>) -> Result<()> {
        assert!(other.apply("extra", &Breaks).await.is_err());
        Ok(())
    }
}

#[machine_model]
struct Other;

#[machine_model]
struct Patient {
    #[customize]
    bears: Bears,
}

#[derive(Default)]
struct Late;

#[customization]
impl Late {
    #[setup_task]
    async fn waits(&self, _host: &Host) -> Result<()> {
        Ok(())
    }
}

#[machine_model]
#[policy(auto_deploy = false)]
struct Named {
    #[customize]
    late: Late,
}

#[layout(name = "reports", implementation = Simulated)]
struct Reports {
    other: Other,
    patient: Patient,
    named: Named,
}

/// What is heard of a run.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Sink for Heard {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn made_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Report {
    let mut report = Report::default();
    events.into_iter().for_each(|event| report.add(event));
    report
}

#[tokio::test]
async fn what_is_done_by_hand_is_told_and_is_not_the_runs() {
    let base = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let events = Events::new(heard.clone());
    let options = Options { state_dir: Some(base.path().to_owned()), events, ..Options::default() };
    let (deployment, _) = Deployment::open::<Reports>(Access::Change, options).await.unwrap();
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert!(report.is_complete() && report.done.len() == 3, "{report:?}");
    {
        let heard = heard.0.lock().unwrap();
        let by_hand = |event: &&Event| matches!(event, Event::Failed { by_hand: true, .. });
        assert_eq!(heard.iter().filter(by_hand).count(), 1, "{heard:?}");
        assert_eq!(made_of(&*heard), report);
    }
    // What is read back from the log makes the same, but for fractions of milliseconds.
    let dirs = Dirs::find("reports", Some(base.path())).unwrap();
    let (_, lines) = run_log(&dirs, None, &Selection::all()).unwrap();
    let read: Vec<Event> = lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let again = made_of(&read);
    assert_eq!((&again.done, again.unchanged, again.run), (&report.done, report.unchanged, report.run));
    let logged = logged_runs(&dirs).unwrap();
    assert_eq!((logged[0].done, logged[0].failed), (3, 0));
}

/// W-A36: whoever listens is told that it is over, however that comes.
#[tokio::test]
async fn a_run_that_cannot_go_on_has_an_end() {
    let base = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(base.path().to_owned()), ..Options::default() };
    let (deployment, _) = Deployment::open::<Reports>(Access::Change, options()).await.unwrap();
    deployment.deploy(&Selection::all()).await.unwrap();
    drop(deployment);
    let heard = Heard::default();
    let stopped = Options { events: Events::new(heard.clone()), ..options() };
    stopped.stop.cancel();
    let (deployment, _) = Deployment::open::<Reports>(Access::Change, stopped).await.unwrap();
    let report = deployment.destroy(&Selection::all()).await.unwrap();
    assert_eq!((report.interrupted.len(), report.done.len()), (2, 0), "{report:?}");
    let heard = heard.0.lock().unwrap();
    assert_eq!(made_of(&*heard), report);
    assert!(matches!(heard.last(), Some(Event::Ended { unchanged: 0, .. })), "{heard:?}");
}

#[tokio::test]
async fn all_tasks_stand_somehow() {
    let base = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(base.path().to_owned()), ..Options::default() };
    let stand = async || {
        let (deployment, _) = Deployment::open::<Reports>(Access::Look, options()).await.unwrap();
        let inspected = deployment.inspect(&Selection::all()).await.unwrap();
        let said = inspected.into_iter().map(|task| (task.thing, task.last, task.would));
        said.map(|(thing, last, would)| (thing, last, would.map(|would| (would.action, would.why))))
            .collect::<Vec<_>>()
    };
    let never = |thing: &str| (thing.to_owned(), "never", Some((Action::Run, Reason::NeverRan)));
    assert_eq!(stand().await, [never("task:patient/bears.it"), never("task:named/late.waits")]);
    let (deployment, _) = Deployment::open::<Reports>(Access::Change, options()).await.unwrap();
    deployment.deploy(&Selection::all()).await.unwrap();
    drop(deployment);
    // What nobody has named is told of, too, though no plan would have it.
    let done = ("task:patient/bears.it".to_owned(), "ran", None);
    assert_eq!(stand().await, [done, never("task:named/late.waits")]);
}
