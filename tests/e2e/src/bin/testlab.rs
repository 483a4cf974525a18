//! The program that deploys the layout under test, in the version of its source that `TESTLAB_SOURCE` names: to the runtime,
//! two layouts of one name are one layout whose source was edited in between.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::process::ExitCode;

use carthage::cli;
use carthage_e2e::testlab;

fn main() -> ExitCode {
    if let Some(code) = carthage::backend::helper_main(std::env::args_os()) {
        return code;
    }
    if testlab::setting("TESTLAB_BY_HAND", false) {
        return by_hand();
    }
    match testlab::setting("TESTLAB_SOURCE", String::from("base")).as_str() {
        "base" => cli::main::<testlab::base::layout::Testlab>(),
        "blocks" => cli::main::<testlab::blocks::Testlab>(),
        "installed" => cli::main::<testlab::installed::Testlab>(),
        "checked" => cli::main::<testlab::checked::Testlab>(),
        "comments" => cli::main::<testlab::comments::layout::Testlab>(),
        "tokens" => cli::main::<testlab::tokens::layout::Testlab>(),
        "generated" => cli::main::<testlab::generated::Testlab>(),
        "fewer" => cli::main::<testlab::fewer::layout::Testlab>(),
        "more" => cli::main::<testlab::more::layout::Testlab>(),
        "renamed" => cli::main::<testlab::renamed::layout::Testlab>(),
        "users" => cli::main::<testlab::users::before::Testlab>(),
        "other-users" => cli::main::<testlab::users::after::Testlab>(),
        "turned" => cli::main::<testlab::turned::before::Testlab>(),
        "turned-round" => cli::main::<testlab::turned::after::Testlab>(),
        "kept" => cli::main::<testlab::policies::kept::Testlab>(),
        "gone" => cli::main::<testlab::policies::gone::Testlab>(),
        "free" => cli::main::<testlab::policies::free::Testlab>(),
        "generating-matrix" => cli::main::<testlab::matrix::Generating>(),
        "archived-matrix" => cli::main::<testlab::matrix::Archived>(),
        "matrix" => cli::main::<testlab::matrix::Matrix>(),
        "renamed-matrix" => cli::main::<testlab::matrix::Renamed>(),
        "unserved-matrix" => cli::main::<testlab::matrix::Unserved>(),
        "moved-matrix" => cli::main::<testlab::matrix::Moved>(),
        "gated" => cli::main::<testlab::gated::Gate>(),
        "desks" => cli::main::<testlab::desks::Desks>(),
        "swapped-desks" => cli::main::<testlab::desks::Swapped>(),
        "canary" => cli::main::<testlab::canary::Testlab>(),
        "written" => cli::main::<testlab::written::Written>(),
        _ => ExitCode::from(99),
    }
}

fn by_hand() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(testlab::by_hand::spawn()).unwrap();
    ExitCode::SUCCESS
}
