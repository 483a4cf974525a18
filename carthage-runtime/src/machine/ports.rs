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
        self.engine().dial(self.spec(), to).await
    }

    /// Whether something in the machine listens on this TCP port, on loopback or on any of its addresses.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn port_open(&self, port: u16) -> crate::Result<bool> {
        if listens(&self.read_to_string("/proc/net/tcp").await?, port) {
            return Ok(true);
        }
        // A kernel without IPv6 has no such table.
        let table = "/proc/net/tcp6";
        Ok(self.exists(table).await? && listens(&self.read_to_string(table).await?, port))
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

/// Whether a table of the kernel's connections (`proc_pid_net(5)`) has one that listens on this port.
fn listens(table: &str, port: u16) -> bool {
    const LISTEN: &str = "0A";
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next(), fields.nth(1));
        let local = local.and_then(|local| local.rsplit(':').next());
        state == Some(LISTEN) && local.and_then(|hex| u16::from_str_radix(hex, 16).ok()) == Some(port)
    })
}

#[cfg(test)]
mod tests {
    use super::listens;

    #[test]
    fn a_port_that_is_listened_on() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n   \
             1: 0100007F:1F91 0100007F:D2F0 01 00000000:00000000\n";
        assert!(listens(table, 8080) && !listens(table, 8081) && !listens(table, 80));
        assert!(listens("head\n 0: 00000000000000000000000000000000:0050 0:0 0A", 80));
    }
}
