//! Two runs on one layout: the second says who holds it, or waits.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use carthage_e2e::paper::PaperLab;
use carthage_e2e::program;
use rustix::fs::{FlockOperation, fcntl_lock};

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

/// Holds the layout as a run does, until it is dropped.
fn held(lab: &PaperLab) -> std::fs::File {
    let path = lab.base().join("testlab/lock");
    let mut file = std::fs::File::options().write(true).create(true).truncate(true).open(&path).unwrap();
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let holder = r#"{"pid":4711,"user":"ann","host":"desk","command":"deploy","since":1}"#;
    // Not by another descriptor: that one's closing would end the lock.
    file.write_all(holder.as_bytes()).unwrap();
    file
}

#[test]
fn the_second_says_who_holds_it_or_waits() {
    let lab = lab();
    lab.ends_well("deploy");
    let lock = held(&lab);
    for patience in [&[][..], &["--wait=200ms"]] {
        let refused = lab.run("destroy", patience);
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(
            text.contains("another run holds layout `testlab`: `deploy` of ann on desk, process 4711"),
            "{text}"
        );
        assert!(text.contains("--wait"), "{text}");
    }
    let mut waiting = lab.command("destroy", &["--wait"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let told = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("waiting for it")));
    assert!(told.is_some());
    assert!(waiting.try_wait().unwrap().is_none(), "it waits");
    drop(lock);
    let said: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(waiting.wait().unwrap().success(), "{said:?}");
    assert_eq!(lab.world(), Default::default());
}
