//! A machine on which programs of its own do what building blocks ask for: packages, users and their keys.
#![expect(missing_docs, reason = "fields speak for themselves")]

use carthage::block::{AuthorizedKey, Package, User};
use carthage::prelude::*;

use super::setting;

/// Packs a package that holds one file, and makes a directory of packages out of it, which is all that apt is to know.
const REPOSITORY: &str = r#"
set -e
mkdir -p /srv/packages /srv/probe/DEBIAN /srv/probe/usr/share/carthage-probe
echo probed >/srv/probe/usr/share/carthage-probe/mark
printf '%s\n' 'Package: carthage-probe' 'Version: 1.0' 'Architecture: all' 'Maintainer: Nobody <nobody@example.org>' \
    'Description: a probe' >/srv/probe/DEBIAN/control
cd /srv/packages
dpkg-deb --root-owner-group --build /srv/probe carthage-probe.deb
{
    cat /srv/probe/DEBIAN/control
    printf 'Filename: ./carthage-probe.deb\nSize: %s\nSHA256: %s\n' \
        "$(wc -c <carthage-probe.deb)" "$(sha256sum carthage-probe.deb | cut -d ' ' -f 1)"
} >Packages
rm -rf /etc/apt/sources.list.d /etc/apt/apt.conf.d
mkdir /etc/apt/sources.list.d /etc/apt/apt.conf.d
echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list
"#;

/// What the machine is to have.
pub struct Installed;

#[customization]
impl Installed {
    /// Packages to choose from.
    #[setup_task]
    async fn repository(&self, host: &Host) -> Result<()> {
        host.run(["sh", "-c", REPOSITORY]).await?;
        Ok(())
    }

    /// A package of them.
    #[setup_task(after = repository)]
    fn package(&self) -> Blocks {
        let probe = Package::named("carthage-probe");
        let probe = if setting("TESTLAB_PROBE", true) { probe } else { probe.absent() };
        Blocks::new().with(probe)
    }

    /// Who works here.
    #[setup_task]
    fn people(&self) -> Blocks {
        let operator = User::named("operator").uid(4711).home("/srv/operator").shell("/bin/sh");
        let operator = if setting("TESTLAB_STAFF", false) { operator.in_group("staff") } else { operator };
        Blocks::new()
            .with(operator)
            .with(AuthorizedKey::of("operator").key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ operator@one"))
    }
}

/// One machine.
#[machine_model]
pub struct Server {
    #[customize(Installed)]
    pub has: Installed,
}

/// The layout.
#[layout(name = "testlab", implementation = Sandbox)]
pub struct Testlab {
    pub server: Server,
}
