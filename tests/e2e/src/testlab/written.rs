//! A machine's model, a customization and a provider written by hand, beside generated ones. The guide shows this file.
#![expect(missing_docs, reason = "fields speak for themselves in the guide")]

use std::pin::Pin;

use carthage::customize::{AnyCustomization, Task};
use carthage::inject::Injectable;
use carthage::layout::{MachineModel, Made, Model, NetworkModel, Parts, Place, Wanted};
use carthage::machine::capability::{Links, Located};
use carthage::machine::implementation::{Implementation, On};
use carthage::model::{At, Key, Kind, Mode, Need, Node, Part, Provide, Role, TaskNode};
use carthage::prelude::*;
use carthage::task::digest;
use carthage::{Customization, Error};

/// The wire; generated.
#[network(v4 = "10.39.0.0/24", pool = "10.39.0.10-10.39.0.20")]
pub struct Wire;

/// Whom the page greets; generated.
#[injectable]
pub struct Guest(pub String);

/// A value of a type with a key, and how it is made.
pub struct Greeting(String);

impl Injectable for Greeting {
    const KEY: Key = Key::new(module_path!(), "Greeting", line!(), column!());
}

impl Made for Greeting {
    const NEEDS: &'static [Need] =
        &[Need::new(Guest::KEY, Mode::Required, "guest", At::new(file!(), line!()))];

    fn make(place: Place) -> Pin<Box<dyn Future<Output = Result<Self>> + Send>> {
        Box::pin(async move {
            let guest: Arc<Guest> = Wanted::want(&place, &Self::NEEDS[0]).await?;
            Ok(Self(format!("hello, {}", guest.0)))
        })
    }
}

/// Which of its ports a server has chosen.
pub struct Port(pub u16);

impl Injectable for Port {
    const KEY: Key = Key::new(module_path!(), "Port", line!(), column!());
}

/// Two setup tasks.
pub struct Page {
    text: String,
}

impl Customization for Page {
    type Host = Host;

    const NODE: &'static Node = &Node::new(
        Kind::Customization,
        Key::new(module_path!(), "Page", line!(), column!()),
        "page",
        At::new(file!(), line!()),
    )
    .tasks(&[
        TaskNode::new("write", At::new(file!(), line!())).about("Write the page."),
        TaskNode::new("publish", At::new(file!(), line!())).after(&[0]).needs(PUBLISH_NEEDS),
    ]);

    // In the same order.
    const TASKS: &'static [Task<Self>] = &[
        Task::new(|this: &Page, host: &Host, _| {
            Box::pin(async move {
                host.write("/srv/page", &this.text).await?;
                Ok(())
            })
        })
        .hash(|this| digest(&this.text)),
        Task::new(|_, host: &Host, place| {
            Box::pin(async move {
                let port: Arc<Port> = Wanted::want(place, &PUBLISH_NEEDS[0]).await?;
                host.write("/srv/published", port.0.to_string()).await?;
                Ok(())
            })
        }),
    ];
}

const PUBLISH_NEEDS: &[Need] = &[Need::new(Port::KEY, Mode::Required, "port", At::new(file!(), line!()))];

/// A machine with a link, a value that it asks for, one that it provides, and a customization.
pub struct Server {
    pub eth0: Link<Wire>,
    pub greeting: Arc<Greeting>,
    pub port: Arc<Port>,
    pub page: Page,
}

impl Model for Server {
    const KEY: Key = Key::new(module_path!(), "Server", line!(), column!());

    const NODE: &'static Node = &Node::new(Kind::Machine, Self::KEY, "server", At::new(file!(), line!()))
        .about("Serves a page; written by hand.")
        .parts(&[
            Part::new(
                "eth0",
                At::new(file!(), line!()),
                Role::Link(carthage::model::Link::new(Wire::KEY, "eth0")),
            ),
            Part::new(
                "greeting",
                At::new(file!(), line!()),
                Role::Inject(Need::new(Greeting::KEY, Mode::Required, "greeting", At::new(file!(), line!()))),
            ),
            Part::new("port", At::new(file!(), line!()), Role::Provide(Provide::new(Port::KEY))),
            Part::new("page", At::new(file!(), line!()), Role::Customize(Page::NODE)),
        ]);

    fn register(place: &Place) {
        place.has_provider::<Port>(2, |place| {
            Box::pin(async move { Ok(Port(8000 + u16::try_from(place.placement().name().len())?)) })
        });
    }

    // Parts go by their position in the list.
    fn build(parts: &Parts) -> Result<Self, Error> {
        let greeting: Arc<Greeting> = Wanted::part(parts, 1)?;
        let page = Page { text: greeting.0.clone() };
        Ok(Self { eth0: Wire::link(parts, 0)?, greeting, port: parts.provided(2)?, page })
    }

    fn customizations(&self) -> Vec<&dyn AnyCustomization> {
        vec![&self.page]
    }
}

impl MachineModel for Server {}

// What its parts ask of whoever makes it.
impl<I: Implementation + Links + Located> On<I> for Server {}

/// A machine that starts after the server, and looks at it; generated.
#[machine_model]
#[depends_on(Server)]
pub struct Visitor {
    #[link]
    pub eth0: Link<Wire>,
    #[inject]
    pub server: Placed<Server>,
    #[customize(Visit { of: format!("{} on {}", server.name(), server.port.0) })]
    pub visit: Visit,
}

/// What the visitor does; generated.
pub struct Visit {
    pub of: String,
}

#[customization]
impl Visit {
    /// Write down who was visited.
    #[setup_task(hash = &self.of)]
    async fn note(&self, host: &Host, #[inject] greeting: &Greeting) -> Result<()> {
        host.write("/srv/visited", format!("{}: {}", self.of, greeting.0)).await
    }
}

/// All of them in one layout.
#[layout(name = "testlab", implementation = Sandbox)]
pub struct Written {
    #[provide(Guest("world".to_owned()))]
    pub guest: Arc<Guest>,
    #[provide]
    pub greeting: Arc<Greeting>,
    pub wire: Wire,
    pub server: Server,
    pub visitor: Visitor,
}
