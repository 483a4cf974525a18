//! Real OpenSSH servers in sandboxes: hosts for tests of what is reached by ssh, with no traffic outside of namespaces of the
//! test's own.

use std::path::Path;
use std::time::Duration;

use carthage::prelude::*;

/// Where everything of the server is.
const PLACE: &str = "/etc/carthage-sshd";

/// An OpenSSH server for machines whose root is the host's, which lets the layout's key in as root.
#[derive(Clone, Debug)]
pub struct OpenSshServer {
    /// How many sessions a connection may have at once.
    pub max_sessions: u32,
    /// Whether it offers files.
    pub sftp: bool,
    /// A private key of the host; a new one if empty.
    pub host_key: String,
}

impl Default for OpenSshServer {
    fn default() -> Self {
        Self { max_sessions: 100, sftp: true, host_key: String::new() }
    }
}

impl OpenSshServer {
    fn settings(&self) -> String {
        let sftp = if self.sftp { "Subsystem sftp internal-sftp\n" } else { "" };
        format!(
            "Port 22\nHostKey {PLACE}/key\nAuthorizedKeysFile {PLACE}/authorized_keys\nStrictModes no\nUsePAM no\n\
             PermitRootLogin yes\nPasswordAuthentication no\nPidFile {PLACE}/pid\nMaxStartups 200\nMaxSessions {}\n{sftp}",
            self.max_sessions
        )
    }
}

#[customization]
impl OpenSshServer {
    /// Let the layout in.
    #[setup_task]
    async fn keys(&self, host: &Host) -> Result<()> {
        host.write(format!("{PLACE}/authorized_keys"), host.layout_key().await? + "\n").await?;
        if !self.host_key.is_empty() {
            host.write_with_mode(format!("{PLACE}/key"), 0o600, &self.host_key).await?;
        } else if !host.exists(format!("{PLACE}/key")).await? {
            host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &format!("{PLACE}/key")]).await?;
        }
        Ok(())
    }

    /// Serve.
    #[setup_task(after = keys, hash = self.settings())]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write(format!("{PLACE}/config"), self.settings()).await?;
        let serve = format!("mkdir -p -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f {PLACE}/config");
        host.spawn(["sh", "-c", &serve]).await?;
        host.wait_for_port(22, Duration::from_secs(30)).await
    }
}

/// Why there can be no such server here, if so.
#[must_use]
pub fn unfit() -> Option<String> {
    if let Some(why) = crate::host::unfit_for_sandboxes() {
        return Some(why);
    }
    if !rustix::process::geteuid().is_root() {
        return Some(
            "only root can run an OpenSSH server in a sandbox, which needs several users inside".to_owned(),
        );
    }
    (!Path::new("/usr/sbin/sshd").exists()).then(|| "no OpenSSH server is installed".to_owned())
}
