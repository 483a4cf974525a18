//! A network that somebody has removed.

use carthage_runtime::machine::engine::Presence;
use virt::network::Network;

use super::support::{Outcome, TestSite, connect};

/// The machines that run are plugged into the new one, with their addresses, and need not be restarted.
pub(crate) async fn made_anew(site: TestSite) -> Outcome {
    let machine = site.machine("m");
    site.up(&machine).await?;
    let boot = site.sh(&machine, "cat /proc/sys/kernel/random/boot_id").await?;
    let network = site.network();
    let connect = connect()?;
    for name in site.libvirt_has()? {
        if let Ok(network) = Network::lookup_by_name(&connect, &name) {
            network.destroy()?;
            network.undefine()?;
        }
    }
    assert_eq!(site.engine.find_network(&network).await?, Presence::Absent);
    site.engine.create_network(&network).await?;
    assert_eq!(site.sh(&machine, "cat /proc/sys/kernel/random/boot_id").await?, boot);
    Ok(())
}
