//! Machines whose tasks return building blocks.
#![expect(missing_docs, reason = "fields speak for themselves")]

use carthage::block::{Command, Directory, File, Line, Symlink};
use carthage::prelude::*;

use super::setting;

/// A wire for them; nothing is said on it.
#[network(v4 = "10.39.1.0/24", pool = "10.39.1.10-10.39.1.20")]
pub struct Wire;

/// What nobody must see.
#[injectable]
pub struct Password(pub Secret<String>);

/// What a running machine is to have.
pub struct Wanted {
    /// What stands in a file.
    pub text: String,
}

#[customization]
impl Wanted {
    /// Files and a command.
    #[setup_task]
    fn files(&self, #[inject] password: &Password) -> Blocks {
        Blocks::new()
            .with(Directory::at("/srv/blocks").mode(0o755))
            .with(File::at("/srv/blocks/motd").content(format!("{}\n", self.text)).mode(0o644).owner("root"))
            .with(File::at("/srv/blocks/secret").content(&password.0).mode(0o600))
            .with(Symlink::at("/srv/blocks/link").to("motd"))
            .with(
                Line::in_file("/srv/blocks/lines").line(format!("text = {}", self.text)).in_place_of("text "),
            )
            .with(Command::new(["cp", "/srv/blocks/motd", "/srv/blocks/copy"]).creates("/srv/blocks/copy"))
    }

    /// One more file, which is made together with those before.
    #[setup_task]
    fn more(&self) -> Blocks {
        Blocks::new().with(File::at("/srv/blocks/more").content("more\n"))
    }

    /// Runs whenever the files were changed.
    #[setup_task(after = files)]
    async fn note(&self, host: &Host) -> Result<()> {
        host.command(["sh", "-c", "echo noted >>/srv/blocks/notes"]).run().await?;
        Ok(())
    }

    /// As long as it is wanted so, it does not hold together.
    #[setup_task]
    fn hopeless(&self) -> Result<Blocks> {
        let word = setting("TESTLAB_HOPELESS", String::new());
        match word.as_str() {
            "" => Ok(Blocks::new()),
            "error" => Err("nobody knows what is wanted".into()),
            path => Ok(Blocks::new().with(File::at(path).content("x"))),
        }
    }
}

/// What a machine's root is to have.
pub struct Rooted;

#[customization(container)]
impl Rooted {
    /// Files, before the machine starts.
    #[setup_task]
    fn issue(&self) -> Blocks<Root> {
        let text = setting("TESTLAB_ISSUE", String::from("welcome"));
        Blocks::new()
            .with(Directory::at("/etc/blocks.d").mode(0o750))
            .with(File::at("/etc/blocks.d/issue").content(format!("{text}\n")))
            .with(Line::in_file("/etc/blocks.d/lines").line("one"))
    }
}

/// One machine.
#[machine_model]
pub struct Server {
    #[link]
    pub eth0: Link<Wire>,
    #[customize(Wanted { text: setting("TESTLAB_TEXT", String::from("hello")) })]
    pub wanted: Wanted,
    #[customize(Rooted)]
    pub rooted: Rooted,
}

/// The layout.
#[layout(name = "testlab", implementation = Sandbox)]
pub struct Testlab {
    #[provide(Password(Secret::new(format!("k4n4r1e-{}", setting("TESTLAB_PASSWORD", String::from("one"))))))]
    pub password: Arc<Password>,
    pub wire: Wire,
    pub server: Server,
}
