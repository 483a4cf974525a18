//! Machines whose commands run as others than root: two versions of one source, in which only the users differ.

use carthage::prelude::*;

/// Works as the machine's user.
pub struct Whoami;

#[customization]
impl Whoami {
    /// Work as whom the machine says.
    #[setup_task]
    async fn works(&self, host: &Host) -> Result<()> {
        note(host, "machine").await?;
        host.spawn(["sleep", "10011"]).await
    }
}

/// Writes down as whom commands run, and as whom one that says so; files are written by root.
async fn note(host: &Host, whose: &str) -> Result<()> {
    let user = host.run(["id", "-un"]).await?.text();
    let said = host.command(["id", "-un"]).user("root").run().await?.text();
    let path = format!("/var/lib/testlab/{whose}");
    let before = if host.exists(&path).await? { host.read_to_string(&path).await? } else { String::new() };
    host.write(&path, format!("{before}{user} {said}\n")).await
}

macro_rules! version {
    ($name:ident, $about:literal, $machine:tt, $task:tt) => {
        #[doc = $about]
        pub mod $name {
            use carthage::backend::Sandbox;
            use carthage::prelude::*;

            use super::{Whoami, note};

            /// Works as whom its tasks say.
            pub struct Said;

            #[customization]
            impl Said {
                /// Work as somebody.
                #[setup_task(user = $task)]
                async fn task(&self, host: &Host) -> Result<()> {
                    note(host, "task").await?;
                    host.spawn(["sleep", "10012"]).await
                }

                /// Work as root, whoever the machine's user is.
                #[setup_task(user = "root")]
                async fn roots(&self, host: &Host) -> Result<()> {
                    note(host, "roots").await
                }
            }

            /// Its user is not root.
            #[machine_model(runas_user = $machine)]
            pub struct Web {
                /// As the machine says.
                #[customize(Whoami)]
                pub whoami: Whoami,
                /// As the tasks say.
                #[customize(Said)]
                pub said: Said,
            }

            /// Its user is root.
            #[machine_model]
            pub struct Plain {
                /// As the tasks say.
                #[customize(Said)]
                pub said: Said,
            }

            /// The layout under test.
            #[layout(name = "testlab", implementation = Sandbox, domain = "test")]
            pub struct Testlab {
                /// Its user is not root.
                pub web: Web,
                /// Its user is root.
                pub plain: Plain,
            }
        }
    };
}

version!(before, "As it is first deployed.", "daemon", "bin");
version!(after, "With others.", "games", "sys");
