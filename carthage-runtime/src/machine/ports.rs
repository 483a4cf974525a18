//! TCP ports of a machine.

use std::net::SocketAddr;
use std::time::Duration;

use super::engine::Duplex;
use super::machine::Machine;
use crate::error::{Error, ErrorKind};

impl Machine {
    /// Opens a TCP connection from inside the machine; `None` when nobody listens there.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn dial(&self, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        self.engine().dial(self.known(), to).await
    }

    /// Whether something in the machine listens on this TCP port, on loopback or on any of its addresses.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn port_open(&self, port: u16) -> crate::Result<bool> {
        Ok(self.engine().listens(self.known(), port).await?)
    }

    /// Waits until something listens on this TCP port.
    ///
    /// # Errors
    /// When nothing does after `limit`.
    pub async fn wait_for_port(&self, port: u16, limit: Duration) -> crate::Result<()> {
        let deadline = tokio::time::Instant::now() + limit;
        while !self.port_open(port).await? {
            if tokio::time::Instant::now() >= deadline {
                let what = format!("nothing listens on port {port} of `{}` after {limit:?}", self.name());
                return Err(Error::new(ErrorKind::Timeout, what).hint("see the service's log").into());
            }
            // The kernel does not tell when a port is opened; ask again soon.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}
