//! Running a constant script of ours in a machine, with all that is particular on its standard input.

use super::command::{Output, gather};
use super::engine::Exec;
use super::host::Host;
use crate::error::Error;
use crate::event::Event;

impl Host {
    /// Runs a script with this input, as root or whoever logs in, whatever tasks run as. `line` is how a line of what it writes is told, if it
    /// is; what comes first is whether that went to standard error.
    ///
    /// # Errors
    /// When it cannot be run, or nothing is known of it any more.
    pub(crate) async fn script(
        &self,
        script: &str,
        input: Vec<u8>,
        line: impl Fn(bool, String) -> Option<Event>,
    ) -> Result<Output, Error> {
        let machine = self.machine();
        let argv = ["/bin/sh", "-c", script].map(Into::into).into();
        let exec = Exec { argv, stdin: true, ..Exec::default() };
        let running = machine.engine().exec(machine.known(), exec).await?;
        let (exit, stdout, stderr) = gather(running, input, &machine.0.events, line).await;
        let lost = || Error::host::<std::io::Error>(format!("lost what `{}` says", machine.name()));
        Ok(Output { exit: exit?, stdout: stdout.map_err(lost())?, stderr: stderr.map_err(lost())? })
    }

    /// A line of what programs write there to standard error while the host's task runs.
    pub(crate) fn said(&self, line: String) -> Event {
        let (machine, thing) = (self.machine().name().to_owned(), self.task().to_owned());
        Event::Output { machine, thing, line, stderr: true }
    }
}
