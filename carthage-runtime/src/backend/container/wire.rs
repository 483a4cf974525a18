//! Streams between the engine's interface and what reads and writes here.

use std::io::{self, Read, Write};

use bollard::container::LogOutput;
use bollard::errors::Error as Failure;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;

use crate::machine::engine::Reader;

/// How many pieces wait for whoever reads them.
pub(super) const WAITING: usize = 16;

/// What a channel brings, as a stream.
pub(super) fn arriving<T: Send + 'static>(
    mut from: mpsc::Receiver<T>,
) -> impl Stream<Item = T> + Send + Unpin + 'static {
    stream::poll_fn(move |cx| from.poll_recv(cx))
}

/// A reader of what is sent, so many pieces of which may wait.
pub(super) fn reader(waiting: usize) -> (mpsc::Sender<io::Result<Vec<u8>>>, Reader) {
    let (sender, receiver) = mpsc::channel(waiting);
    (sender, Box::new(StreamReader::new(arriving(receiver).map(|part| part.map(io::Cursor::new)))))
}

/// How many pieces of a command's output wait for whoever reads them, of at most 32 KiB each.
///
/// The engine sends both outputs in one stream, and the one may overtake the other: what was written to standard error before
/// anything else can stand behind much of standard output. Who waits for it must not have to read the other first.
const OVERTAKING: usize = 512;

/// What a command in a container writes, as its two streams. With a terminal all is in the first.
///
/// Goes on as long as somebody reads one of them: then the connection is closed, too.
pub(super) fn split<S>(mut output: S) -> (Reader, Reader)
where
    S: Stream<Item = Result<LogOutput, Failure>> + Send + Unpin + 'static,
{
    let (out, stdout) = reader(OVERTAKING);
    let (err, stderr) = reader(OVERTAKING);
    tokio::spawn(async move {
        loop {
            let part = tokio::select! {
                part = output.next() => part,
                () = async { tokio::join!(out.closed(), err.closed()); } => return,
            };
            let (to, part) = match part {
                None => return,
                Some(Ok(LogOutput::StdErr { message })) => (&err, Ok(message.to_vec())),
                Some(Ok(other)) => (&out, Ok(other.into_bytes().to_vec())),
                Some(Err(failure)) => {
                    let error = || io::Error::other(failure.to_string());
                    // Whoever still reads is told.
                    err.send(Err(error())).await.ok();
                    out.send(Err(error())).await.ok();
                    return;
                }
            };
            // Somebody who does not read the one may still read the other.
            to.send(part).await.ok();
        }
    });
    (stdout, stderr)
}

/// What is written by a thread that may block, as the body of a request.
pub(super) fn body() -> (Outgoing, impl Stream<Item = io::Result<Vec<u8>>> + Send + Unpin + 'static) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Outgoing(sender), arriving(receiver))
}

/// The writing end.
pub(super) struct Outgoing(mpsc::Sender<io::Result<Vec<u8>>>);

impl Outgoing {
    /// Has the request fail: what was written is not whole.
    pub(super) fn fail(&self, error: &io::Error) {
        // If nobody reads any more, the request has failed already.
        self.0.blocking_send(Err(io::Error::other(error.to_string()))).ok();
    }
}

impl Write for &Outgoing {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(part.to_vec())).map_err(gone)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the engine sends, for a thread that may block.
pub(super) fn incoming<S, B>(mut from: S) -> impl Read + Send + 'static
where
    S: Stream<Item = Result<B, Failure>> + Send + Unpin + 'static,
    B: AsRef<[u8]> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let part = tokio::select! {
                part = from.next() => part,
                () = sender.closed() => return,
            };
            let Some(part) = part else { return };
            let part = part.map_err(|failure| io::Error::other(failure.to_string()));
            if sender.send(part).await.is_err() {
                return;
            }
        }
    });
    Incoming { from: receiver, part: None, read: 0 }
}

struct Incoming<B> {
    from: mpsc::Receiver<io::Result<B>>,
    part: Option<B>,
    /// How much of the part is read.
    read: usize,
}

impl<B: AsRef<[u8]>> Read for Incoming<B> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.part.as_ref().and_then(|part| part.as_ref().get(self.read..)).unwrap_or_default();
            if !left.is_empty() || into.is_empty() {
                let len = left.len().min(into.len());
                into[..len].copy_from_slice(&left[..len]);
                self.read += len;
                return Ok(len);
            }
            match self.from.blocking_recv() {
                None => return Ok(0),
                Some(part) => (self.part, self.read) = (Some(part?), 0),
            }
        }
    }
}

/// Waits for a stream to end.
pub(super) async fn drained<T, E>(
    mut answers: impl Stream<Item = Result<T, E>> + Unpin,
) -> Result<Vec<T>, E> {
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        all.push(answer?);
    }
    Ok(all)
}
