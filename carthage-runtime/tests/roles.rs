//! Roles: bundles of parts that machines take in.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use carthage::deploy::{Access, Deployment, Options};
use carthage::layout::Layout;
use carthage::model::Role;
use carthage::prelude::*;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.10-10.1.0.99")]
struct Lan;

#[injectable]
#[derive(Debug, PartialEq)]
struct Port(u16);

#[injectable]
#[derive(Debug, PartialEq)]
struct Banner(String);

struct Page {
    text: String,
}

#[customization]
impl Page {
    /// Write it.
    #[setup_task(hash = &self.text)]
    async fn write(&self, host: &Host) -> Result<()> {
        host.write("/srv/page", &self.text).await
    }
}

/// Is on the network.
#[role]
struct OnLan {
    #[link]
    eth0: Link<Lan>,
}

/// Serves pages on a port.
#[role]
struct Web<const PORT: u16> {
    #[role]
    lan: OnLan,
    #[provide(Port(PORT))]
    port: Arc<Port>,
    #[provide(Banner(format!("{} on {}", lan.eth0.address().unwrap(), port.0)))]
    banner: Arc<Banner>,
    #[customize(Page { text: banner.0.clone() })]
    page: Page,
}

/// Is looked at by others.
#[role]
struct Watched {
    #[role]
    lan: OnLan,
    #[customize({
        let address = std::future::ready(lan.eth0.address()).await;
        Page { text: format!("watch {}", address.unwrap()) }
    })]
    agent: Page,
    #[inject]
    banner: Arc<Banner>,
}

#[machine_model]
struct Server {
    #[customize(Page { text: format!("first of {}", web.port.0) })]
    own: Page,
    #[role]
    web: Web<80>,
    #[role]
    watched: Watched,
    #[customize(Page { text: "last".to_owned() })]
    last: Page,
}

/// Asks the server.
#[machine_model]
struct Client {
    #[link]
    eth0: Link<Lan>,
    #[inject]
    server: Placed<Web<80>>,
    #[inject]
    same: Placed<Server>,
}

#[enclave(domain = "hall")]
struct Hall {
    lan: Lan,
    server: Server,
    client: Client,
}

#[layout(name = "roles", implementation = Sandbox)]
struct House {
    hall: Hall,
}

async fn open<L: Layout>() -> Placed<L> {
    let state = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    Deployment::open::<L>(Access::Look, options).await.unwrap().1
}

#[test]
fn parts_of_roles_are_parts_of_the_machine_each_once() {
    let node = House::placement("hall.server").node();
    let names: Vec<_> = node.parts.iter().map(|part| part.field).collect();
    assert_eq!(
        names,
        [
            "own",
            "web",
            "watched",
            "last",
            "web.lan",
            "web.port",
            "web.banner",
            "web.page",
            "web.lan.eth0",
            "watched.lan",
            "watched.agent",
            "watched.banner"
        ]
    );
    let links = node.parts.iter().filter(|part| matches!(part.role, Role::Link(_))).count();
    assert_eq!(links, 1, "both roles are on the same network by the same link");
}

#[tokio::test]
async fn a_role_is_one_for_all_of_the_machine() {
    let house = open::<House>().await;
    let server = &house.hall.server;
    assert!(Arc::ptr_eq(&server.web.lan, &server.watched.lan));
    assert_eq!(server.web.lan.eth0.address().unwrap().to_string(), "10.1.0.10");
    assert_eq!(server.web.page.text, "10.1.0.10 on 80");
    assert_eq!(server.own.text, "first of 80");
    assert_eq!(server.watched.agent.text, "watch 10.1.0.10");
    // What a role provides is for all of the machine, so for its other roles, too.
    assert!(Arc::ptr_eq(&server.watched.banner, &server.web.banner));
}

#[tokio::test]
async fn a_machine_is_found_by_each_of_its_roles() {
    let house = open::<House>().await;
    let (server, client) = (&house.hall.server, &house.hall.client);
    assert_eq!(client.server.name(), "server.hall");
    assert_eq!(client.server.machine().name(), client.same.machine().name());
    assert!(std::ptr::eq(&raw const *client.server.port, &raw const *server.web.port));
    let before: Vec<_> = House::placement("hall.client").starts_after().iter().map(|at| at.fqdn()).collect();
    assert_eq!(before, ["server.hall"]);
}

// What machines are made from, and models that are added to.

#[derive(Default)]
struct Tools;

#[customization(container)]
impl Tools {
    /// Put them there.
    #[setup_task]
    async fn install(&self, root: &Root) -> Result<()> {
        root.write("/etc/tools", "here").await
    }
}

/// What all are made from.
#[image(root = "/srv/roots/base")]
struct Base {
    #[customize]
    tools: Tools,
}

/// The same, with more.
#[image(name = "desktop")]
struct Desktop {
    #[image]
    base: Base,
    #[customize]
    more: Tools,
}

#[machine_model(memory_mb = 64, tags = ["library"])]
#[env(PLACE = "library")]
struct Reader {
    #[image]
    disk: Desktop,
    #[link]
    eth0: Link<Lan>,
}

/// A reader that is watched.
#[machine_model(memory_mb = 128)]
struct WatchedReader {
    #[role]
    reader: Reader,
    #[customize(Page { text: "watched".to_owned() })]
    agent: Page,
}

/// Wants a reader, whichever it is.
#[machine_model]
#[depends_on(Reader)]
struct Librarian {
    #[inject]
    reader: Placed<Reader>,
}

#[enclave]
struct Library<R = Reader> {
    lan: Lan,
    reader: R,
    librarian: Librarian,
}

struct Anything;

carthage::capabilities!(Anything: Power, Located, Links, DirectoryRoot, Limits, Environment, FileTree, OfflineRoot);

impl carthage::machine::implementation::Implementation for Anything {
    const NAME: &'static str = "Anything";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "these are only looked at"))
    }
}

#[layout(name = "town", implementation = Anything)]
struct Town {
    library: Library<WatchedReader>,
}

#[test]
fn an_image_is_a_base_with_layers() {
    let node = Town::placement("library.reader").node();
    assert_eq!(node.hardware.root, Some("/srv/roots/base"));
    let names: Vec<_> = node.parts.iter().map(|part| part.field).collect();
    assert_eq!(
        names,
        [
            "reader",
            "agent",
            "reader.disk",
            "reader.eth0",
            "reader.disk.base",
            "reader.disk.more",
            "reader.disk.base.tools"
        ]
    );
}

#[test]
fn what_a_model_does_not_say_is_as_the_one_says_that_it_takes_in() {
    let node = Town::placement("library.reader").node();
    assert_eq!(node.hardware.memory_mb, Some(128));
    assert_eq!(node.tags, ["library"]);
    assert_eq!(node.surroundings.environment, [("PLACE", "library")]);
    let before: Vec<_> =
        Town::placement("library.librarian").starts_after().iter().map(|at| at.fqdn()).collect();
    assert_eq!(before, ["watched-reader"]);
}
