//! The files in `/etc` that a machine has of its own.

use std::fs;
use std::io;
use std::path::Path;

use crate::crash::crash_point;
use crate::error::Error;
use crate::machine::engine::{HostEntry, MachineSpec};

const BEGIN: &str = "# Names of the layout; kept up to date, do not edit.";
const END: &str = "# End of the names of the layout.";
const LOCAL: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/// Writes them, as root of the machine, after the change of root.
pub(super) fn write_all(spec: &MachineSpec, machine_id: &str, hosts: &[HostEntry]) -> Result<(), Error> {
    fs::create_dir_all("/etc").map_err(Error::host("cannot make the machine's `/etc`"))?;
    let id = format!("{machine_id}\n");
    if fs::read_to_string("/etc/machine-id").ok().as_deref() != Some(&id) {
        // The first start: what is there is the host's, or was made for another machine.
        let domain = spec.name.strip_prefix(&spec.hostname).and_then(|rest| rest.strip_prefix('.'));
        let search = domain.map(|domain| format!("search {domain}\n")).unwrap_or_default();
        replace("/etc/resolv.conf", &format!("{search}# No name servers: names are in /etc/hosts.\n"))?;
        replace("/etc/hosts", LOCAL)?;
        replace("/etc/machine-id", &id)?;
    }
    replace("/etc/hostname", &format!("{}\n", spec.hostname))?;
    write_hosts(spec, hosts)
}

/// Brings the layout's part of `/etc/hosts` up to date; the rest is the machine's own.
pub(super) fn write_hosts(spec: &MachineSpec, hosts: &[HostEntry]) -> Result<(), Error> {
    let old = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let new =
        with_names(&old, &spec.own_names().into_iter().chain(hosts.iter().cloned()).collect::<Vec<_>>());
    if new == old { Ok(()) } else { replace("/etc/hosts", &new) }
}

fn with_names(text: &str, hosts: &[HostEntry]) -> String {
    let (before, rest) = text.split_once(BEGIN).unwrap_or((text, ""));
    let after = rest.split_once(END).map_or("", |(_, after)| after.trim_start_matches('\n'));
    let mut new = before.to_owned();
    if !new.is_empty() && !new.ends_with('\n') {
        new.push('\n');
    }
    new = new + BEGIN + "\n";
    for HostEntry { address, names } in hosts {
        new += &format!("{address}\t{}\n", names.join(" "));
    }
    new + END + "\n" + after
}

/// Writes a file in place of whatever is there, a link to somewhere else included.
fn replace(path: &str, contents: &str) -> Result<(), Error> {
    let temporary = format!("{path}.carthage");
    let write = || -> io::Result<()> {
        fs::write(&temporary, contents)?;
        crash_point("etc-unnamed");
        fs::rename(&temporary, Path::new(path))?;
        crash_point("etc-written");
        Ok(())
    };
    write().map_err(Error::host(format!("cannot write the machine's `{path}`")))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn names_replace_names_and_leave_the_rest() {
        let entry = |last, name: &str| HostEntry {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)),
            names: vec![format!("{name}.lab"), name.to_owned()],
        };
        let first = with_names(LOCAL, &[entry(1, "one"), entry(2, "two")]);
        let edited = format!("{first}192.0.2.1\tmine\n");
        let second = with_names(&edited, &[entry(3, "three")]);
        assert!(first.contains("10.0.0.2\ttwo.lab two\n"));
        assert!(second.starts_with(LOCAL) && second.ends_with("192.0.2.1\tmine\n"), "{second}");
        assert!(second.contains("three") && !second.contains("one.lab"), "{second}");
        assert_eq!(with_names(&second, &[entry(3, "three")]), second);
    }
}
