//! The conformance suite: the life of a machine, whatever makes it.
//!
//! The suite knows [`carthage::Machine`] and [`carthage::deploy::Deployment`] only. An implementation, of this repository or of
//! another, says in a [`Subject`] how to get at it, and runs the suite with one line in a test program without harness:
//! `carthage_conformance::main::<MySubject>()`. What an implementation does not declare to be able to do
//! ([`capabilities!`](carthage::capabilities)) is skipped, by the name of the capability.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

pub mod bare;
mod cases;
mod controller;
pub mod footprint;
mod ground;
pub mod host;
pub mod linked;
mod marks;
pub mod openssh;
mod roots;
mod stage;
mod subject;
pub mod wait;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Trial};

pub use marks::Marks;
pub use roots::RootMarks;
pub use subject::{Subject, Usurper, Victim};

use cases::Case;
use stage::Stage;
use subject::{Facts, facts};

/// Runs the suite, as the `main` of a test program. It takes the arguments of the usual harness.
///
/// Not the usual harness: the program is also the helper that an implementation starts, and the later process that finds a
/// machine again.
#[expect(clippy::print_stdout, reason = "what the table of results is made from")]
pub fn main<S: Subject>() -> ExitCode {
    if let Some(code) = carthage::backend::helper_main(std::env::args_os()) {
        return code;
    }
    Facts::set::<S>();
    if let Some(code) = controller::main::<S>() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(S::AT_ONCE.max(1));
    if facts().shared() {
        arguments.test_threads = Some(1);
    }
    if !arguments.list {
        println!("conformance: {}", S::LABEL);
    }
    let shared: Arc<Mutex<Option<Stage<S>>>> = Arc::default();
    let trials = cases::all().into_iter().map(|case| trial(case, shared.clone())).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let left = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    // Panics if something cannot be taken away.
    left.into_iter().for_each(Stage::close);
    conclusion.exit_code()
}

fn trial<S: Subject>(case: Case, shared: Arc<Mutex<Option<Stage<S>>>>) -> Trial {
    Trial::test(case.name, move || {
        let lacking = case.needs.iter().find(|needed| !facts().has(**needed));
        if let Some(why) = S::unfit() {
            host::skip(case.name, S::LABEL, &why);
        } else if let Some(lacking) = lacking {
            let why = format!("`{}` does not declare `{}`", facts().implementation, lacking.name());
            host::say_skipped(case.name, &why);
        } else if facts().shared() {
            // A case that failed leaves the deployment to the next one, which mends it.
            let mut stage = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            stage.get_or_insert_with(Stage::new).play(&case);
        } else {
            let mut stage = Stage::<S>::new();
            stage.play(&case);
            stage.close();
        }
        Ok(())
    })
}
