//! Work that a helper does in a child of its own, so that nothing of it stays.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::wait::waitpid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sys;
use super::wire::{Answer, answer};
use crate::crash;
use crate::error::{Error, ErrorKind};

/// Runs `work` in a forked child and hands back its result.
pub(super) fn in_child<T: Serialize + DeserializeOwned>(
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let (reader, writer) = std::io::pipe().map_err(Error::host("cannot make a pipe"))?;
    let Some(child) = sys::fork().map_err(Error::host("cannot start a helper process"))? else {
        let result = answer(contained(work));
        let sent = serde_json::to_writer(writer, &(crash::passed(), &result));
        sys::exit_now(i32::from(sent.is_err()));
    };
    drop(writer);
    let mut bytes = Vec::new();
    let read = File::from(std::os::fd::OwnedFd::from(reader)).read_to_end(&mut bytes);
    while waitpid(child, None) == Err(nix::errno::Errno::EINTR) {}
    read.map_err(Error::host("cannot read from a helper process"))?;
    let (passed, result): (u32, Answer<T>) =
        serde_json::from_slice(&bytes).map_err(Error::host("a helper process ended without an answer"))?;
    crash::has_passed(passed);
    result.map_err(Error::from)
}

/// Turns a panic into an error: unwinding must not leave a forked child's own part of the program.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Error::new(ErrorKind::Host, "a helper process panicked").because(message.unwrap_or_default()))
    })
}
