//! What a command writes, to its end.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::engine::Reader;

/// How long a stream may be silent after the command's end, while something that the command left behind holds it open.
const SILENCE: Duration = Duration::from_millis(500);

/// One output stream of a command. It ends when nobody holds it open any more; and, because a daemon that the command left
/// behind may do so for ever, when nothing has come for a moment after the command has `ended`.
pub(crate) struct Outflow {
    from: Reader,
    ended: CancellationToken,
}

impl Outflow {
    pub(crate) fn new(from: Reader, ended: &CancellationToken) -> Self {
        Self { from, ended: ended.clone() }
    }

    /// How many bytes came into the buffer; 0 at the end. Silence counts only in here: not the time that the caller takes for
    /// what came before.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let silent = async {
            self.ended.cancelled().await;
            tokio::time::sleep(SILENCE).await;
        };
        tokio::select! {
            // What is there is taken, however late this is asked.
            biased;
            read = self.from.read(buffer) => read,
            () = silent => Ok(0),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::future::pending;

    use async_trait::async_trait;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;
    use crate::error::Error;
    use crate::machine::engine::{Control, Exit, Running, TerminalSize};

    /// How a command ended, or that it runs for ever.
    struct Fate(Option<Exit>);

    #[async_trait]
    impl Control for Fate {
        async fn wait(&mut self) -> Result<Exit, Error> {
            match self.0 {
                Some(exit) => Ok(exit),
                None => pending().await,
            }
        }

        async fn signal(&mut self, signal: i32) -> Result<(), Error> {
            self.0 = Some(Exit::Signal(signal));
            Ok(())
        }

        async fn resize(&mut self, _: TerminalSize) -> Result<(), Error> {
            Ok(())
        }
    }

    /// A command that has written this and has ended, and the end of its streams that a daemon still holds: its input, which
    /// nobody reads, and its output.
    pub(crate) async fn left_behind(wrote: &[u8]) -> (Running, [DuplexStream; 2]) {
        let (stdin, unread) = tokio::io::duplex(1);
        let (mut held, stdout) = tokio::io::duplex(wrote.len().max(1));
        held.write_all(wrote).await.unwrap();
        let running = Running {
            stdin: Some(Box::new(stdin)),
            stdout: Box::new(stdout),
            stderr: Box::new(tokio::io::empty()),
            control: Box::new(Fate(Some(Exit::Status(0)))),
        };
        (running, [unread, held])
    }

    #[tokio::test]
    async fn silence_ends_a_stream_only_after_the_command() {
        let (mut held, from) = tokio::io::duplex(8);
        let ended = CancellationToken::new();
        let mut out = Outflow::new(Box::new(from), &ended);
        let mut buffer = [0; 8];
        let early = tokio::time::timeout(SILENCE * 2, out.read(&mut buffer)).await;
        assert!(early.is_err(), "a command may be silent for as long as it runs: {early:?}");
        ended.cancel();
        held.write_all(b"late").await.unwrap();
        assert_eq!(out.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(out.read(&mut buffer).await.unwrap(), 0);
        drop(held);
    }
}
