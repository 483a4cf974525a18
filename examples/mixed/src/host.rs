//! A host that is there already. Yours would be somewhere on your network; this one is a sandbox in which a real OpenSSH server
//! runs, so that the example is complete.

use std::time::Duration;

use carthage::backend::BareMetal;
use carthage::prelude::*;

use crate::sandboxes::Bench;
use crate::site::{StaticSite, Words};

/// The host, as it is reached: from inside a network that this computer is not on.
#[machine_model(
    name = "host",
    implementation = BareMetal,
    ip_address = "10.41.1.2",
    ssh_learn_host_key,
    ssh_origin = Rack
)]
pub struct Reached {
    /// What the page says.
    #[inject]
    pub words: Arc<Words>,
    /// The page.
    #[customize(StaticSite::new(&words))]
    pub site: StaticSite,
}

/// What stands for the host.
#[machine_model]
pub struct Rack {
    /// Where it is.
    #[link(address = "10.41.1.2")]
    pub eth0: Link<Bench>,
    /// What makes it a host that can be reached.
    #[customize]
    pub sshd: OpenSsh,
}

/// An OpenSSH server that lets this layout in.
#[derive(Default)]
pub struct OpenSsh;

const CONFIG: &str = "\
HostKey /etc/ssh/mixed_host_key
AuthorizedKeysFile /etc/ssh/mixed_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
";

#[customization]
impl OpenSsh {
    /// Make the host's key.
    #[setup_task]
    async fn key(&self, host: &Host) -> Result<()> {
        if !host.exists("/etc/ssh/mixed_host_key").await? {
            host.make_dir("/etc/ssh").await?;
            host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/mixed_host_key"])
                .await?;
        }
        Ok(())
    }

    /// Let the layout's key in.
    #[setup_task]
    async fn authorize(&self, host: &Host) -> Result<()> {
        host.write_with_mode("/etc/ssh/mixed_authorized_keys", 0o600, host.layout_key().await? + "\n").await
    }

    /// Run it.
    #[setup_task(after = [key, authorize], hash = CONFIG)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/etc/ssh/mixed_config", CONFIG).await?;
        host.make_dir("/run/sshd").await?;
        host.spawn(["/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/mixed_config"]).await?;
        host.wait_for_port(22, Duration::from_secs(30)).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(22).await
    }
}
