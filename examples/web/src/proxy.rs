//! The proxy: every connection is passed on to the next server.

use std::time::Duration;

use carthage::block::File;
use carthage::prelude::*;

use crate::application::PORT;

/// Passes the connection that is its standard input and output on to the next of the servers that are its arguments. Which one was
/// the last is in a file, of which one connection at a time is in possession.
const NEXT: &str = r#"#!/bin/sh
exec 9>>/run/proxy.lock
flock 9
last=0
[ ! -r /run/proxy.last ] || read -r last </run/proxy.last
shift $((last % $#))
echo $((last + 1)) >/run/proxy.last
exec 9>&-
exec nc "${1%:*}" "${1#*:}"
"#;

/// Where the program is in the machine.
const PROGRAM: &str = "/usr/local/bin/next";

/// A proxy for TCP.
pub struct Proxy {
    /// The names of the servers.
    pub servers: Vec<String>,
}

#[customization]
impl Proxy {
    /// Put the program there that passes a connection on.
    #[setup_task]
    fn program(&self) -> Blocks {
        Blocks::new().with(File::at(PROGRAM).content(NEXT).mode(0o755))
    }

    /// Listen.
    #[setup_task(after = program, hash = &self.servers)]
    async fn listen(&self, host: &Host) -> Result<()> {
        let mut command: Vec<String> = ["nc", "-ll", "-p", "80", "-e", PROGRAM].map(str::to_owned).to_vec();
        command.extend(self.servers.iter().map(|server| format!("{server}:{PORT}")));
        host.spawn(command).await?;
        host.wait_for_port(80, Duration::from_secs(20)).await
    }

    #[invalidator(listen)]
    async fn still_listening(&self, host: &Host) -> Result<bool> {
        host.port_open(80).await
    }
}
