//! Implementations of machines. None knows of another.

#[cfg(feature = "ssh")]
pub mod bare_metal;
#[cfg(feature = "container")]
pub mod container;
#[cfg(feature = "ssh")]
pub mod local;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod simulated;
#[cfg(feature = "libvirt")]
pub mod vm;

#[cfg(feature = "ssh")]
pub use bare_metal::BareMetal;
#[cfg(feature = "container")]
pub use container::Container;
#[cfg(feature = "ssh")]
pub use local::Local;
#[cfg(feature = "sandbox")]
pub use sandbox::Sandbox;
pub use simulated::Simulated;
#[cfg(feature = "libvirt")]
pub use vm::Vm;

/// Does the work of a helper process, if that is what the program was started for: implementations start copies of the
/// program they are part of. A program's `main` calls this before anything else, while it has only one thread.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     if let Some(code) = carthage_runtime::backend::helper_main(std::env::args_os()) {
///         return code;
///     }
///     // the program's own work
///     std::process::ExitCode::SUCCESS
/// }
/// ```
#[must_use]
pub fn helper_main(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Option<std::process::ExitCode> {
    #[cfg(feature = "sandbox")]
    return sandbox::helper_main(arguments);
    #[cfg(not(feature = "sandbox"))]
    {
        drop(arguments.into_iter());
        None
    }
}
