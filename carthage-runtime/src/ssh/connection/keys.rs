//! The keys that hosts show: learned, not known, or not the ones that they must be.

use super::{Connection, Failure, Inner};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Jump;
use crate::ssh::known::{self, Whence};
use crate::ssh::trouble::Trouble;
use crate::ssh::{Ground, SHORT, Ssh, master, settings};

impl Connection {
    /// Writes down the key that a host has shown first, which `ssh` has put where it looks for it.
    pub(super) fn learn(&self, ground: &Ground, name: &str, ssh: &Ssh) -> Result<String, Error> {
        let machine = &self.0.machine;
        let file = ground.room.path().join(settings::known(name));
        let shown = std::fs::read_to_string(file)
            .map_err(Error::host(format!("cannot read the host key of `{machine}`")))?;
        let key = known::key(&shown)
            .ok_or_else(|| Error::new(ErrorKind::Host, format!("`{machine}` has shown no host key")))?;
        ssh.known().learn(machine, &key)?;
        Ok(key)
    }

    /// What is said of a host of which no key is known, and none may be learned.
    pub(super) async fn unknown_key(&self, ground: &Ground, name: &str) -> Result<Trouble, Trouble> {
        let machine = &self.0.machine;
        let key = master::ask_host_key(&ground.launcher, &ground.room, name, self.beginning().await?).await?;
        let fingerprint = known::fingerprint(&key).await?;
        let what = format!("`{machine}` shows a host key that is not known: {fingerprint}");
        Ok(Trouble::Unknown(Error::new(ErrorKind::Host, what).hint(format!(
            "compare the fingerprint with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the host, then \
             write `ssh_host_key = \"{key}\"` in its `#[machine_model(…)]`"
        ))))
    }

    /// The host does not show the key that it must.
    pub(super) async fn changed_key(&self) -> Failure {
        let Inner { machine, login, .. } = &*self.0;
        let told = async {
            let ssh = self.ssh()?;
            let expected = ssh.known().expected(machine, &login.host_key)?;
            let ground = ssh.ground()?;
            let name = ground.room.name();
            // The jump host is connected already.
            let (_jump, route) = self.route(SHORT).await?;
            ground.room.write(&settings::file(&name), &route.settings(&name)?)?;
            let there = self.beginning().await?;
            let shown = master::ask_host_key(&ground.launcher, &ground.room, &name, there).await?;
            Ok::<_, Trouble>((expected, known::fingerprint(&shown).await?, shown))
        };
        let what = format!("`{machine}` shows another host key than it must");
        let error = Error::new(ErrorKind::Host, what);
        Failure::Key(match told.await {
            Ok((Some(expected), fingerprint, shown)) => {
                let must = known::fingerprint(&expected.key).await.unwrap_or(expected.key);
                let because = format!("it shows {fingerprint}, and must show {must}");
                let next = match expected.whence {
                    Whence::Model => {
                        format!("write `ssh_host_key = \"{shown}\"` in its `#[machine_model(…)]`")
                    }
                    Whence::File(file) => format!("remove `{}`", file.display()),
                };
                error.because(because).hint(format!(
                    "somebody may be listening in; only if you know why the key has changed, {next}"
                ))
            }
            Ok((None, fingerprint, _)) => error.because(format!("it shows {fingerprint}")),
            Err(trouble) => match &login.jump {
                // Then it is not its own key.
                Jump::Host(host) => {
                    let what = format!("`{machine}` cannot be reached by way of `{host}`");
                    return Failure::Other(Error::new(ErrorKind::Host, what).because(trouble.seen()).hint(
                        "connect to that host with `ssh` once, so that its key is in your list of known hosts",
                    ));
                }
                Jump::None | Jump::Machine(_) => error.because(trouble.seen()),
            },
        })
    }
}
