//! Infrastructure as code, as typed Rust: if it compiles, it is consistent.

pub use carthage_macros::*;
pub use carthage_runtime::*;

pub mod prelude;

/// The program of a layout crate: `carthage::main!(Industrial);` is its command line.
///
/// ```ignore
/// carthage::main!(Industrial);
/// ```
#[macro_export]
macro_rules! main {
    ($layout:ty $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::main::<$layout>()
        }
    };
}
