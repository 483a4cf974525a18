//! What one task changes is seen by those behind it, also where all are changed in as few round trips as it takes.

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;

use carthage::block::{Command, File, Line, Symlink};
use carthage::customize::SkipTask;
use carthage::deploy::Selection;
use carthage::prelude::*;

use super::{Lab, TEXT, Toy, done, file, holds};

#[derive(Default)]
struct Behind;

#[customization]
impl Behind {
    #[setup_task]
    fn settings(&self) -> Blocks {
        Blocks::new().with(File::at(file("settings")).content(TEXT.get()))
    }

    /// Whether it has to run is told by what the task before has made.
    #[setup_task]
    fn taken_over(&self) -> Blocks {
        let copies = Command::new(["cp".into(), file("settings"), file("copy")]);
        Blocks::new().with(copies.unless(["cmp".into(), "-s".into(), file("settings"), file("copy")]))
    }

    #[setup_task]
    fn leads(&self) -> Blocks {
        Blocks::new().with(Symlink::at(file("link")).to(file("target")))
    }

    /// In a file of which nothing is known before the link leads there.
    #[setup_task]
    fn added(&self) -> Blocks {
        Blocks::new().with(Line::in_file(file("link")).line("added"))
    }

    #[setup_task]
    fn key(&self) -> Blocks {
        Blocks::new().with(File::at(file("key")).content("k"))
    }

    #[setup_task]
    fn closed(&self) -> Blocks {
        Blocks::new().with(File::at(file("key")).mode(0o600))
    }

    #[setup_task]
    fn makes_two(&self) -> Blocks {
        let touch = Command::new(["touch".into(), file("a"), file("b")]);
        Blocks::new().with(touch.creates(file("a")))
    }

    /// The one before has made it already.
    #[setup_task]
    fn needs_not(&self) -> Blocks {
        Blocks::new().with(Command::new(["false"]).creates(file("b")))
    }
}

#[machine_model]
struct Chain {
    #[customize]
    behind: Behind,
}

#[layout(name = "behind", implementation = Toy)]
struct Chained {
    chain: Chain,
}

#[tokio::test]
async fn what_is_changed_is_seen_by_what_is_behind_it() {
    let lab = Lab::new();
    std::fs::write(file("target"), "kept\n").unwrap();
    let (deployment, _layout, _) = lab.open::<Chained>().await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(holds("copy"), TEXT.get());
    assert_eq!(holds("target"), "kept\nadded\n");
    assert_eq!(std::fs::metadata(file("key")).unwrap().permissions().mode() & 0o777, 0o600);
    drop(deployment);
    // Nothing is taken for done that is not.
    TEXT.set("two");
    let (deployment, _layout, _) = lab.open::<Chained>().await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert_eq!(done(&report), ["settings", "taken_over"]);
    assert_eq!(holds("copy"), "two");
    assert!(deployment.plan(&Selection::all()).await.unwrap().is_empty());
    assert_eq!(deployment.destroy(&Selection::all()).await.unwrap().failed.len(), 0);
}

thread_local! {
    /// Whether there is nothing to publish.
    static EMPTY: Cell<bool> = const { Cell::new(false) };
}

#[derive(Default)]
struct Publish;

#[customization]
impl Publish {
    #[setup_task]
    fn page(&self) -> Result<Blocks> {
        if EMPTY.get() {
            return Err(SkipTask::because("there is nothing to publish").into());
        }
        Ok(Blocks::new().with(File::at(file("page")).content("hello")))
    }
}

#[machine_model]
struct Press {
    #[customize]
    publish: Publish,
}

#[layout(name = "publishing", implementation = Toy)]
struct Publishing {
    press: Press,
}

#[tokio::test]
async fn one_that_has_nothing_to_do_is_neither_done_nor_wrong() {
    let lab = Lab::new();
    for (empty, ran) in [(true, vec![]), (false, vec!["page"]), (true, vec![]), (false, vec![])] {
        EMPTY.set(empty);
        let (deployment, _layout, _) = lab.open::<Publishing>().await;
        let report = deployment.deploy(&Selection::all()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(done(&report), ran, "{empty}");
    }
    let (deployment, _layout, _) = lab.open::<Publishing>().await;
    assert_eq!(deployment.destroy(&Selection::all()).await.unwrap().failed.len(), 0);
}
