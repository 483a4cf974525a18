//! A language server over its standard input and output, as an editor talks to it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

/// How long the server gets for everything.
const LIMIT: Duration = Duration::from_secs(240);

/// How long it gets to end, once it is asked to.
const PARTING: Duration = Duration::from_secs(10);

/// How long an answer may be another than the one that is expected.
const PATIENCE: Duration = Duration::from_secs(60);

/// After how long something is asked again that no message tells of.
const PAUSE: Duration = Duration::from_millis(500);

/// What an answer says that was overtaken by a change: ask again.
const OVERTAKEN: [i64; 2] = [-32801, -32802];

/// A server that runs, and all that it started, in a process group of its own.
pub(crate) struct Server {
    child: Child,
    /// None once it is asked to end.
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    deadline: Instant,
    requests: i64,
    /// What it last said of itself, and whether it was at rest then.
    status: String,
    ready: bool,
}

impl Server {
    /// Starts it on the crate in `home`, and waits until it knows it. `library` is where the standard library's source is.
    pub(crate) fn start(program: &str, home: &Path, target: &Path, library: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(home)
            .env("CARGO_NET_OFFLINE", "true")
            .env("RA_LOG", "info")
            .env("RA_LOG_FILE", "/tmp/ra.log")
            .process_group(0);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while let Ok(Some(message)) = read(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let deadline = Instant::now() + LIMIT;
        let mut server =
            Self { child, stdin, messages, deadline, requests: 0, status: String::new(), ready: false };
        let options = json!({
            "cargo": { "targetDir": target, "extraArgs": ["--offline"], "sysrootSrc": library },
            "cachePriming": { "enable": false },
            "checkOnSave": false,
            "procMacro": { "enable": true, "attributes": { "enable": true } },
        });
        server.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": uri(home),
                "initializationOptions": options,
                "capabilities": {
                    "textDocument": { "diagnostic": {} },
                    "experimental": { "serverStatusNotification": true },
                },
            }),
        );
        server.notify("initialized", &json!({}));
        while !server.ready {
            let told = server.next(server.deadline);
            assert!(told.is_some(), "it does not come to know the crate: {}", server.status);
        }
        server
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and waits for the answer.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        loop {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = loop {
                let message = self
                    .next(self.deadline)
                    .unwrap_or_else(|| panic!("no answer to {method}: {}", self.status));
                if message.get("method").is_none() && message["id"] == id {
                    break message;
                }
            };
            match answer.get("error") {
                None => return answer["result"].clone(),
                Some(error) if OVERTAKEN.contains(&error["code"].as_i64().unwrap_or(0)) => {}
                Some(error) => panic!("{method}: {error}"),
            }
        }
    }

    /// Asks until there is an answer; in between, the server works on.
    pub(crate) fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Self) -> Result<T, String>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            match ask(self) {
                Ok(found) => return found,
                Err(instead) => assert!(
                    Instant::now() < until,
                    "{what} is not so; {instead}; the server says: {}",
                    self.status
                ),
            }
            // Whatever it has to tell may be what was missing.
            self.next(Instant::now() + PAUSE);
        }
    }

    /// The next message, after what must be answered at once is answered.
    fn next(&mut self, until: Instant) -> Option<Value> {
        let message = match self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => panic!("the server has ended: {}", self.status),
        };
        if let (Some(method), Some(id)) = (message.get("method"), message.get("id")) {
            // It asks for settings, or says that it will tell of progress.
            let items = message["params"]["items"].as_array().map_or(0, Vec::len);
            let result = if method == "workspace/configuration" {
                json!(vec![Value::Null; items])
            } else {
                Value::Null
            };
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
        }
        if message.get("method").is_some_and(|method| method == "experimental/serverStatus") {
            self.status = message["params"].to_string();
            self.ready = message["params"]["quiescent"] == true;
        }
        Some(message)
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let stdin = self.stdin.as_mut().expect("it was not asked to end");
        write!(stdin, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        stdin.flush().unwrap();
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn end(mut self) {
        self.request("shutdown", &Value::Null);
        self.notify("exit", &Value::Null);
        assert!(self.ended(), "it goes on after `exit`");
    }

    /// Whether it ends by itself when nobody talks to it any more.
    fn ended(&mut self) -> bool {
        self.stdin = None;
        let until = Instant::now() + PARTING;
        // Its output ends when it and all that it started have ended.
        loop {
            match self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().is_ok(),
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}

impl Drop for Server {
    /// Nothing is left, whatever has failed.
    fn drop(&mut self) {
        if !self.ended() {
            // Its own group, and not waited for yet: nobody else has this number.
            if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
                kill_process_group(group, Signal::KILL).ok();
            }
            self.child.wait().ok();
        }
    }
}

/// One message; none at the end.
fn read(from: &mut BufReader<ChildStdout>) -> io::Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let Some(length) = length else { return Ok(None) };
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
