//! Who listens on a TCP port of a machine, as its kernel says.

use std::path::Path;

use tokio::io::AsyncReadExt;

use super::{Engine, MachineSpec};
use crate::error::Error;

/// Whether something in a running machine listens on this port, on loopback or on any of its addresses.
pub(super) async fn listens<E: Engine + ?Sized>(
    engine: &E,
    machine: &MachineSpec,
    port: u16,
) -> Result<bool, Error> {
    // A kernel without IPv6 has no such table.
    let second = Path::new("/proc/net/tcp6");
    Ok(is_in(&table(engine, machine, Path::new("/proc/net/tcp")).await?, port)
        || engine.stat(machine, second).await?.is_some()
            && is_in(&table(engine, machine, second).await?, port))
}

async fn table<E: Engine + ?Sized>(engine: &E, machine: &MachineSpec, path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let failed = || format!("cannot read `{}` in `{}`", path.display(), machine.name);
    engine.read(machine, path).await?.read_to_string(&mut text).await.map_err(Error::host(failed()))?;
    Ok(text)
}

/// Whether a table of the kernel's connections (`proc_pid_net(5)`) has one that listens on this port.
fn is_in(table: &str, port: u16) -> bool {
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
    use super::is_in;

    #[test]
    fn a_port_that_is_listened_on() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n   \
             1: 0100007F:1F91 0100007F:D2F0 01 00000000:00000000\n";
        assert!(is_in(table, 8080) && !is_in(table, 8081) && !is_in(table, 80));
        assert!(is_in("head\n 0: 00000000000000000000000000000000:0050 0:0 0A", 80));
    }
}
