//! A layout with a secret in every place where one may be.

use carthage::backend::Sandbox;
use carthage::prelude::*;

use super::setting;

/// Must not be seen.
#[injectable]
pub struct Password(Secret<String>);

/// Knows it.
#[machine_model]
pub struct Vault {
    /// Provided by the layout.
    #[inject]
    pub password: Arc<Password>,
    /// An input of tasks.
    #[customize(Keep { password: password.clone() })]
    pub keep: Keep,
}

/// Keeps it.
pub struct Keep {
    /// What is kept.
    pub password: Arc<Password>,
}

#[customization]
impl Keep {
    /// In a file.
    #[setup_task(hash = &self.password.0)]
    async fn file(&self, host: &Host) -> Result<()> {
        host.write("/srv/password", self.password.0.expose()).await
    }

    /// In an environment, and as the input of a command.
    #[setup_task(after = file, hash = &self.password.0)]
    async fn command(&self, host: &Host, #[inject] password: &Password) -> Result<()> {
        let script = "test \"$(cat)\" = \"$WORD\"; echo used; sleep 0.4; : canary";
        let command = host.command(["sh", "-c", script]).secret_env("WORD", &self.password.0);
        command.stdin(password.0.expose().clone().into_bytes()).run().await?;
        Ok(())
    }

    /// Fails while it is told to.
    #[setup_task(after = command)]
    async fn fails(&self, host: &Host) -> Result<()> {
        let status = setting("TESTLAB_FAILS", 0).to_string();
        let command = host.command(["sh", "-c", "echo so it fails >&2; exit $0", &status]);
        command.secret_env("WORD", &self.password.0).run().await?;
        Ok(())
    }
}

/// The layout under test.
#[layout(name = "testlab", implementation = Sandbox, domain = "test")]
pub struct Testlab {
    /// Out of the environment of the program.
    #[provide(Password(Secret::new(setting("TESTLAB_PASSWORD", String::new()))))]
    pub password: Arc<Password>,
    /// The machine.
    pub vault: Vault,
}
