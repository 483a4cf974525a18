//! The program that deploys the layout under test, in the version of its source that `TESTLAB_SOURCE` names: to the runtime,
//! two layouts of one name are one layout whose source was edited in between.

use std::process::ExitCode;

use carthage::cli;
use carthage_e2e::testlab;

fn main() -> ExitCode {
    match testlab::setting("TESTLAB_SOURCE", String::from("base")).as_str() {
        "base" => cli::main::<testlab::base::layout::Testlab>(),
        "comments" => cli::main::<testlab::comments::layout::Testlab>(),
        "tokens" => cli::main::<testlab::tokens::layout::Testlab>(),
        "fewer" => cli::main::<testlab::fewer::layout::Testlab>(),
        "more" => cli::main::<testlab::more::layout::Testlab>(),
        "users" => cli::main::<testlab::users::before::Testlab>(),
        "other-users" => cli::main::<testlab::users::after::Testlab>(),
        _ => ExitCode::from(99),
    }
}
