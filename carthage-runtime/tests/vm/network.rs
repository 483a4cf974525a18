//! A network that somebody has removed.

use carthage_runtime::machine::engine::{NetworkSpec, Presence};
use virt::network::Network;

use super::support::{GRACE, Outcome, TestSite, connect, has};

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

/// A bridge that somebody else has set up, with a DHCP server of his: machines are plugged into it, and it stays as it is.
pub(crate) async fn of_the_host(site: TestSite) -> Outcome {
    let machine = site.machine("m");
    let link = &machine.links[0];
    let (address, own) = (link.address.unwrap(), link.mac.unwrap());
    let mac = own.map(|byte| format!("{byte:02x}")).join(":");
    let host = address.hosts().last().unwrap();
    let bridge = format!("yard{}", own[4]);
    let connect = connect()?;
    let described = format!(
        "<network><name>{bridge}</name><bridge name='{bridge}' stp='off' delay='0'/>\
         <ip address='{host}' prefix='{}'><dhcp><host mac='{mac}' name='m' ip='{}'/></dhcp></ip></network>",
        address.prefix_len(),
        address.addr()
    );
    let somebodys = Network::create_xml(&connect, &described)?;
    let network = NetworkSpec { bridge: Some(bridge), ..site.network() };
    let made = site.engine.create_network(&network).await?;
    assert_eq!(site.engine.create_network(&network).await?, made, "again, it is there");
    assert_eq!(site.engine.find_network(&network).await?, Presence::Running(made));
    site.engine.create(&machine).await?;
    site.engine.start(&machine).await?;
    let addresses = site.sh(&machine, "cat /proc/net/fib_trie").await?;
    has(&addresses, &address.addr().to_string())?;
    site.engine.stop(&machine, GRACE).await?;
    site.engine.remove(&machine).await?;
    site.engine.remove_network(&network).await?;
    assert!(somebodys.is_active()?, "it is not ours");
    somebodys.destroy()?;
    Ok(())
}
