//! The host takes part in a network with one of its own interfaces, and what is made is plugged into that.

use std::io::Write;
use std::process::{Command, Output};

use carthage::backend::{Local, Simulated};
use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::prelude::*;
use carthage::state::{Dirs, Snapshot};

/// The wire that this host is plugged into.
#[network(v4 = "10.97.1.0/24", pool = "10.97.1.10-10.97.1.19", bridge = link!(Workstation.br_net1))]
struct Net1;

/// This host.
#[machine_model(implementation = Local)]
struct Workstation {
    #[link(address = "10.97.1.1")]
    br_net1: Link<Net1>,
}

/// Plugged into the bridge.
#[machine_model]
struct Guest {
    #[link]
    eth0: Link<Net1>,
}

#[layout(name = "bridged", implementation = Simulated)]
struct Bridged {
    net1: Net1,
    workstation: Workstation,
    guest: Guest,
}

/// The test below runs itself again where it has root's rights and interfaces of its own.
const INSIDE: &str = "CARTHAGE_TEST_INSIDE";

/// Runs a command there.
fn apart(command: &Command) -> std::io::Result<Output> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut apart = Command::new("unshare");
    apart.args(["--user", "--map-root-user", "--net"]).arg(command.get_program()).args(command.get_args());
    apart.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    apart.env("PATH", format!("{path}:/usr/sbin:/sbin")).output()
}

/// Scenario `local_networking`: the bridge that is a link of this host's names the network's bridge.
#[tokio::test]
async fn the_bridge_of_a_network_is_an_interface_of_this_host() {
    if std::env::var_os(INSIDE).is_none() {
        let name = "the_bridge_of_a_network_is_an_interface_of_this_host";
        if !apart(Command::new("ip").arg("-V")).is_ok_and(|output| output.status.success()) {
            // Whole, whoever else writes.
            let why = format!("skipped: local_networking::{name}: no `unshare` or `ip` that can be used\n");
            return std::io::stderr().write_all(why.as_bytes()).unwrap();
        }
        let output =
            apart(Command::new(std::env::current_exe().unwrap()).arg(name).env(INSIDE, "yes")).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    let (all, layout) = (Selection::all(), || Deployment::open::<Bridged>(Access::Change, options()));

    // There is no such interface yet: that is said before anything is touched.
    let (deployment, lab) = layout().await.unwrap();
    assert_eq!(lab.workstation.br_net1.mac(), None);
    assert_eq!(lab.net1.network().bridge.as_deref(), Some("br_net1"));
    let error = deployment.deploy(&all).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`workstation` has no interface `br_net1`, which is to be in the network `net1`"
    );
    drop((deployment, lab));

    let ip = |arguments: &[&str]| assert!(Command::new("ip").args(arguments).status().unwrap().success());
    ip(&["link", "add", "br_net1", "address", "02:00:5e:10:00:01", "type", "bridge"]);
    let (deployment, lab) = layout().await.unwrap();
    let error = deployment.deploy(&all).await.unwrap_err().to_string();
    assert!(error.starts_with("`workstation` has no address 10.97.1.1 on `br_net1`"), "{error}");
    drop((deployment, lab));

    ip(&["address", "add", "10.97.1.1/24", "dev", "br_net1"]);
    let (deployment, lab) = layout().await.unwrap();
    let report = deployment.deploy(&all).await.unwrap();
    let made: Vec<_> = report.done.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!(made, ["network:net1", "machine:guest", "machine:workstation"], "{report:#?}");
    assert_eq!(lab.workstation.br_net1.interface(), "br_net1");
    assert_eq!(lab.workstation.br_net1.mac(), Some([2, 0, 0x5e, 0x10, 0, 1]), "it is what the host says");
    assert!(lab.guest.eth0.mac().is_some_and(|mac| mac[0] & 2 != 0), "it is given");
    assert_eq!(lab.workstation.machine().address().unwrap().to_string(), "10.97.1.1");
    let kept = Snapshot::read(&Dirs::find("bridged", Some(state.path())).unwrap()).unwrap().assignments;
    let mac = |machine: &str, link: &str| kept[&(machine.to_owned(), link.to_owned())].mac;
    assert_eq!(mac("workstation", "br_net1"), None, "it is nobody's to assign");
    assert_eq!(mac("guest", "eth0"), lab.guest.eth0.mac());
    drop((deployment, lab));
    // A bridge may get another when something is plugged into it: the layout says nothing of that.
    ip(&["link", "set", "br_net1", "address", "02:00:5e:10:00:02"]);
    let (deployment, lab) = layout().await.unwrap();
    assert_eq!(lab.workstation.br_net1.mac(), Some([2, 0, 0x5e, 0x10, 0, 2]));
    let plan = deployment.plan(&all).await.unwrap();
    assert!(plan.is_empty(), "{plan:#?}");
    assert!(deployment.destroy(&all).await.unwrap().is_complete());
    ip(&["link", "show", "br_net1"]);
}
