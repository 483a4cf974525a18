//! A machine that is reached by ssh, with all that is done in it: commands, terminals, services, files, connections.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use openssh::Session;
use tokio::io::AsyncWriteExt;

use super::connection::{Connection, Live, Patience};
use super::files::Files;
use super::launch;
use super::settings::{self, TARGET};
use super::sftp::Channel;
use super::sys::Beginning;
use super::terminal;
use crate::error::{Error, ErrorKind};
use crate::guest::{self, Guest, Streams, Transport};
use crate::machine::engine::{Duplex, Exec, FileStat, Reader, Running};

/// How often a file channel that is lost is opened again for one operation.
const TRIES: u32 = 5;

/// A machine that is reached by ssh. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    connection: Connection,
    patience: Patience,
    guest: Guest,
    base: PathBuf,
}

/// Shells by sessions of a connection.
#[derive(Debug)]
struct Shells {
    connection: Connection,
    patience: Patience,
}

#[async_trait]
impl Transport for Shells {
    fn machine(&self) -> &str {
        self.connection.machine()
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        let command = shell_command(script);
        let by_input = command.len() > LONGEST;
        let command = if by_input { shell_command(READ) } else { command };
        let wanted = |session| Session::to_raw_command(session, &command);
        let runs_commands = !by_input && guest::runs_commands(script);
        if runs_commands && let Some(streams) = self.connection.idle(self.patience).await?.take().await {
            return Ok(streams);
        }
        let opened = self.connection.open(self.patience, &wanted).await?;
        let home = runs_commands.then(|| opened.idle());
        let mut streams = super::streams::of(opened, home)?;
        if by_input {
            let sent = streams.stdin.write_all(format!("{script}\n{END}\n").as_bytes()).await;
            sent.map_err(Error::host(format!(
                "no shell of `{}` reads its input",
                self.connection.machine()
            )))?;
        }
        Ok(streams)
    }
}

/// The longest command that is sent as one: dropbear takes 9,000 bytes.
const LONGEST: usize = 8 * 1024;
/// The line after a script that is sent by standard input, because it is longer.
const END: &str = "# the end of the script";
/// What reads such a script, byte by byte as `read` does, so that the rest of the input is the script's.
const READ: &str = "s=; while IFS= read -r l && [ \"$l\" != '# the end of the script' ]; do s=\"$s$l\n\"; done\nexec /bin/sh -c \"$s\"";

/// What a login shell is told, so that it becomes a POSIX shell which runs the script.
fn shell_command(script: &str) -> OsString {
    let quoted = script.replace('\'', "'\\''");
    format!("exec /bin/sh -c '{quoted}'").into()
}

impl Remote {
    /// By this connection, with this directory of the machine for what is ours there.
    #[must_use]
    pub fn new(connection: Connection, patience: Patience, base: PathBuf) -> Self {
        let shells = Shells { connection: connection.clone(), patience };
        let guest = Guest::new(Arc::new(shells), &base);
        Self { connection, patience, guest, base }
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What is done in it with its shell alone: services, names, removing.
    #[must_use]
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    fn machine(&self) -> &str {
        self.connection.machine()
    }

    async fn live(&self) -> Result<Arc<Live>, Error> {
        self.connection.live(self.patience).await
    }

    /// Runs a command; see [`Engine::exec`](crate::machine::engine::Engine::exec).
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn exec(&self, exec: Exec) -> Result<Running, Error> {
        match exec.terminal {
            None => self.guest.exec(exec).await,
            Some(size) => {
                let script = self.guest.terminal(&exec)?;
                let path = self.base.join(format!("terminal-{}", super::random()?));
                // Arguments and environment may be nobody's business: they travel as the contents of a file, which goes as soon
                // as it is read.
                let held = [OsStr::new("rm -f -- \"$0\"\n").as_bytes(), script.as_bytes()].concat();
                self.write(&path, Some(0o600), Box::new(std::io::Cursor::new(held))).await?;
                let started = self.on_terminal(&path, size).await;
                if started.is_err() {
                    self.guest.remove_path(&path).await?;
                }
                started
            }
        }
    }

    async fn on_terminal(
        &self,
        script: &Path,
        size: crate::machine::engine::TerminalSize,
    ) -> Result<Running, Error> {
        let live = self.live().await?;
        let ground = self.connection.ssh()?.ground()?;
        live.idle.give_up();
        let mut command = launch::ssh(ground.room.path());
        let mut shell = OsString::from("exec /bin/sh '");
        shell.push(script);
        shell.push("'");
        command.args(self.by_master(&live)).arg("-tt").arg(TARGET).arg(shell);
        terminal::run(&ground.launcher, command, size, Box::new(live)).await
    }

    /// Arguments for an `ssh` that uses the connection that is there, and never makes one.
    fn by_master(&self, live: &Live) -> [OsString; 6] {
        let name = live.name();
        [
            "-F".into(),
            settings::file(name).into(),
            "-S".into(),
            name.into(),
            "-o".into(),
            "ProxyCommand=false".into(),
        ]
    }

    /// Opens a TCP connection from inside the machine; `None` when it is refused.
    ///
    /// # Errors
    /// When the machine cannot be reached, or its server does not allow it.
    pub async fn dial(&self, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        let live = self.live().await?;
        let ground = self.connection.ssh()?.ground()?;
        let mut command = launch::ssh(ground.room.path());
        let place = match to {
            SocketAddr::V4(to) => to.to_string(),
            SocketAddr::V6(to) => format!("[{}]:{}", to.ip(), to.port()),
        };
        command.args(self.by_master(&live)).args(["-o", "LogLevel=DEBUG1", "-W", &place, TARGET]);
        command.stdin(Stdio::piped());
        let child = ground.launcher.start(command, Beginning::default()).await?;
        super::dial::opened(child, live, self.machine(), to).await
    }

    async fn files(&self) -> Result<Option<Files<'_>>, Error> {
        let mut tries = 0;
        loop {
            let live = self.live().await?;
            let Some((sftp, is_new)) = Channel::open(&live, &self.connection, self.patience).await? else {
                return Ok(None);
            };
            let files = Files { machine: self.machine(), sftp };
            // One that was opened earlier may be lost: that shows before anything is begun.
            if is_new || files.answers().await {
                return Ok(Some(files));
            }
            drop(files);
            live.sftp.close().await;
            tries += 1;
            if tries > TRIES {
                let what = format!("the file channel of `{}` is lost again and again", self.machine());
                return Err(Error::new(ErrorKind::Host, what));
            }
        }
    }

    fn absolute(&self, verb: &str, path: &Path) -> Result<(), Error> {
        if path.is_absolute() {
            return Ok(());
        }
        let what = format!("cannot {verb} `{}` in `{}`", path.display(), self.machine());
        Err(Error::new(ErrorKind::Usage, what).because("the path is not absolute"))
    }

    /// What is at this path; `None` if nothing.
    ///
    /// # Errors
    /// When that cannot be told.
    pub async fn stat(&self, path: &Path) -> Result<Option<FileStat>, Error> {
        self.absolute("look at", path)?;
        match self.files().await? {
            Some(files) => files.stat(path).await,
            None => self.guest.stat(path).await,
        }
    }

    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn read(&self, path: &Path) -> Result<Reader, Error> {
        self.absolute("read", path)?;
        match self.files().await? {
            Some(files) => files.read(path).await,
            None => self.guest.read(path).await,
        }
    }

    /// Writes a file as a whole.
    ///
    /// # Errors
    /// When it cannot be written; the old one stays.
    pub async fn write(&self, path: &Path, mode: Option<u32>, contents: Reader) -> Result<(), Error> {
        self.absolute("write", path)?;
        match self.files().await? {
            Some(files) => files.write(path, mode, contents).await,
            None => self.guest.write(path, mode, contents).await,
        }
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// When there is no directory.
    pub async fn read_dir(&self, path: &Path) -> Result<Vec<OsString>, Error> {
        self.absolute("list", path)?;
        match self.files().await? {
            Some(files) => files.read_dir(path).await,
            None => self.guest.read_dir(path).await,
        }
    }

    /// Makes a directory and the missing ones above it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make_dir(&self, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.absolute("make", path)?;
        match self.files().await? {
            Some(files) => files.make_dir(path, mode).await,
            None => self.guest.make_dir(path, mode).await,
        }
    }

    /// Removes a file or a whole directory; no error if there is nothing.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_path(&self, path: &Path) -> Result<(), Error> {
        self.guest.remove_path(path).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_shell_reads_the_script_as_one_word() {
        let script = "echo \"it's\" '$HOME'\nexit 3";
        let done =
            std::process::Command::new("/bin/sh").arg("-c").arg(shell_command(script)).output().unwrap();
        assert_eq!((done.stdout.as_slice(), done.status.code()), (&b"it's $HOME\n"[..], Some(3)));
    }

    #[test]
    fn a_long_script_is_read_from_the_input_and_not_a_byte_more() {
        use std::io::Write;
        let script = format!(
            "# {}\nread -r word\nprintf '%s\\n' \"it's $word\" '\\n $HOME'\nexit 3",
            "x".repeat(LONGEST)
        );
        let mut shell = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(shell_command(READ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = format!("{script}\n{END}\nthe rest\n");
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = shell.wait_with_output().unwrap();
        assert_eq!(
            (done.stdout.as_slice(), done.status.code()),
            (&b"it's the rest\n\\n $HOME\n"[..], Some(3))
        );
    }
}
