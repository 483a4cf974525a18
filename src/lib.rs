//! Infrastructure as code, as typed Rust: if it compiles, it is consistent.

pub use carthage_macros::*;
pub use carthage_runtime::*;

#[cfg(doctest)]
mod pages;
pub mod prelude;

/// The program of a layout crate: `carthage::main!(Industrial);` writes a `main` that is the command line of that layout.
///
/// ```no_run
/// use carthage::prelude::*;
///
/// /// One machine.
/// #[layout(implementation = Sandbox)]
/// struct Demo {
///     web: Web,
/// }
///
/// #[machine_model]
/// struct Web;
///
/// carthage::main!(Demo);
/// ```
#[macro_export]
macro_rules! main {
    ($layout:ty $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::main::<$layout>()
        }
    };
}
