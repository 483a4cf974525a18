//! Which value reaches whom, in layouts as users write them. The tests are named after the scenarios that they answer.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]
#![allow(deprecated, reason = "enclaves that are only there for their values have no machines")]

use std::sync::atomic::{AtomicU32, Ordering};

use carthage::deploy::{Access, Deployment, Options};
use carthage::layout::Layout;
use carthage::prelude::*;

/// Where it is.
#[constraint]
struct Site(&'static str);

#[constraint]
enum Part {
    Primary,
    Replica,
}

#[injectable]
struct Token(String);

#[injectable]
struct Port(u16);

/// A number that is new for each that is made.
#[injectable]
struct Serial(u32);

impl Serial {
    fn next(counter: &AtomicU32) -> Self {
        Self(counter.fetch_add(1, Ordering::SeqCst))
    }
}

async fn open<L: Layout>() -> Placed<L> {
    let state = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    Deployment::open::<L>(Access::Look, options).await.unwrap().1
}

static EACH: AtomicU32 = AtomicU32::new(0);
static ONCE: AtomicU32 = AtomicU32::new(0);
static LATER: AtomicU32 = AtomicU32::new(0);

injection_key!(pub Later: u32);

#[enclave]
struct Hall {
    #[inject(Part = Part::Replica, Site = "red")]
    replica: Arc<Token>,
    #[inject(default = Port(80))]
    port: Arc<Port>,
    #[inject]
    serial: Arc<Serial>,
    #[inject(Site)]
    sites: All<Token>,
    #[inject]
    name: Arc<Token>,
}

#[enclave]
#[mask(Port)]
#[mask(Token, Site = "blue")]
struct Wing {
    #[provide(Token("of the wing".to_owned()))]
    name: Arc<Token>,
    #[provide(Site = "red", Token("red of the wing".to_owned()))]
    red: Arc<Token>,
    #[inject(Site = "blue")]
    blue: Option<Arc<Token>>,
    hall: Hall,
}

#[layout(name = "values")]
struct House {
    #[provide(Token("of the house".to_owned()))]
    name: Arc<Token>,
    #[provide(Site = "red", Token("red".to_owned()))]
    red: Arc<Token>,
    #[provide(Site = "blue", Token("blue".to_owned()))]
    blue: Arc<Token>,
    #[provide(Site = "red", Part = Part::Replica, Token(format!("replica of {}", red.0)))]
    replica: Arc<Token>,
    #[provide(Port(443))]
    port: Arc<Port>,
    #[provide(each, |asker| { _ = asker; Serial::next(&EACH) })]
    serial: Arc<Serial>,
    #[provide(Part = Part::Primary, from = wing)]
    primary: Arc<Token>,
    #[inject]
    anew: Quoted<Later>,
    #[provide(Later(ONCE.fetch_add(1, Ordering::SeqCst)))]
    later: Arc<Later>,
    halls: [Hall; 2],
    wing: PrimaryWing,
}

#[enclave]
struct PrimaryWing {
    #[provide(Part = Part::Primary, Token("primary, made inside".to_owned()))]
    primary: Arc<Token>,
    inner: Wing,
}

#[tokio::test]
async fn constraints_say_which() {
    let house = open::<House>().await;
    assert_eq!(house.halls[0].replica.0, "replica of red");
    assert_eq!((house.red.0.as_str(), house.blue.0.as_str()), ("red", "blue"));
    assert_eq!(house.halls[1].name.0, "of the house");
    assert_eq!(house.wing.inner.hall.name.0, "of the wing");
}

/// optional_not_present, with a default
#[tokio::test]
async fn a_default_is_taken_where_nothing_is_provided() {
    let house = open::<House>().await;
    assert_eq!(house.halls[0].port.0, 443);
    assert_eq!(house.wing.inner.hall.port.0, 80, "the wing hides the house's");
}

#[tokio::test]
async fn a_mask_hides_exactly_what_it_names() {
    let house = open::<House>().await;
    assert!(house.wing.inner.blue.is_none());
    assert_eq!(house.wing.inner.hall.replica.0, "replica of red");
}

/// allow_multiple
#[tokio::test]
async fn each_that_asks_has_its_own() {
    let house = open::<House>().await;
    let mut all = vec![
        house.serial.0,
        house.halls[0].serial.0,
        house.halls[1].serial.0,
        house.wing.inner.hall.serial.0,
    ];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");
}

/// injector_xref
#[tokio::test]
async fn a_value_of_an_inner_scope_is_made_there_and_shared() {
    let house = open::<House>().await;
    assert_eq!(house.primary.0, "primary, made inside");
    assert!(Arc::ptr_eq(&house.primary, &house.wing.primary));
}

#[tokio::test]
async fn a_filter_finds_those_with_the_constraint_and_no_others() {
    let house = open::<House>().await;
    let texts = |found: Vec<(carthage::model::Key, Arc<Token>)>| {
        found.into_iter().map(|(key, token)| format!("{key}: {}", token.0)).collect::<Vec<_>>()
    };
    let outside = texts(house.halls[0].sites.visible().await.unwrap());
    assert_eq!(
        outside,
        [
            "`Token` with `Site = \"red\"`: red",
            "`Token` with `Site = \"blue\"`: blue",
            "`Token` with `Site = \"red\"`, `Part = Part::Replica`: replica of red",
        ]
    );
    let inside = texts(house.wing.inner.hall.sites.visible().await.unwrap());
    assert_eq!(
        inside,
        [
            "`Token` with `Site = \"red\"`: red of the wing",
            "`Token` with `Site = \"red\"`, `Part = Part::Replica`: replica of red",
        ],
        "the nearer hides the other of the same key, and the mask the blue one"
    );
}

/// dependency_quote
#[tokio::test]
async fn a_quote_is_how_to_make_one() {
    let house = open::<House>().await;
    let shared = **house.later;
    let (one, two) = (house.anew.make().await.unwrap(), house.anew.make().await.unwrap());
    assert!(**one != **two && **one != shared && **two != shared);
}

injection_key!(pub Maker: fn() -> u32);

/// dependency_quote: a function is a value like others, and nobody calls it.
#[layout(name = "functions")]
struct Functions {
    #[provide(Maker(|| LATER.fetch_add(1, Ordering::SeqCst)))]
    maker: Arc<Maker>,
    user: User,
}

#[enclave]
struct User {
    #[inject]
    maker: Arc<Maker>,
}

#[tokio::test]
async fn a_function_is_passed_and_not_called() {
    let functions = open::<Functions>().await;
    assert_eq!(LATER.load(Ordering::SeqCst), 0);
    assert_eq!((functions.user.maker)(), 0);
    assert_eq!(LATER.load(Ordering::SeqCst), 1);
}

/// deferred_injections
#[layout(name = "deferred")]
struct Delayed {
    #[provide(Serial::next(&DELAYED))]
    serial: Arc<Serial>,
    #[inject]
    later: Deferred<Serial>,
}

static DELAYED: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn a_deferred_value_is_the_shared_one_also_when_passed_on() {
    let delayed = open::<Delayed>().await;
    // W-A18: a handle that nobody has asked yet can be passed on.
    let handle = delayed.later.clone();
    assert!(Arc::ptr_eq(&handle.get().await.unwrap(), &delayed.serial));
}

/// W-A39: an enclave without a domain hides nothing.
#[layout(name = "no-domain", implementation = Sandbox)]
struct NoDomain {
    group: Group,
}

#[enclave]
struct Group {
    web: Web,
}

#[machine_model]
struct Web;

#[test]
fn what_is_in_an_enclave_without_a_domain_is_found_from_the_top() {
    const WEB: carthage::model::Placement = NoDomain::placement("group.web");
    let top = NoDomain::PLACEMENTS.layout();
    assert_eq!(top.resolve(WEB.key(), None).unwrap(), [WEB]);
    assert_eq!(top.named("web"), Some(WEB));
    assert_eq!(top.named("wob"), None);
}

static CLOSED: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new());

#[injectable]
struct Session(&'static str);

impl Close for Session {
    async fn close(&self) -> Result<()> {
        CLOSED.lock().unwrap().push(self.0);
        match self.0 {
            "stuck" => Err("the other side does not answer".into()),
            _ => Ok(()),
        }
    }
}

#[layout(name = "sessions")]
struct Sessions {
    #[provide(close, Session("outer"))]
    session: Arc<Session>,
    #[provide(Site = "red", Session("nobody closes it"))]
    plain: Arc<Session>,
    inner: InnerSessions,
}

#[enclave]
struct InnerSessions {
    #[inject]
    outer: Arc<Session>,
    #[provide(close, Site = "blue", Session("stuck"))]
    stuck: Arc<Session>,
    #[provide(Site = "green", close, { let _: &Session = &outer; Session("inner") })]
    inner: Arc<Session>,
}

#[tokio::test]
async fn what_is_to_be_closed_is_closed_in_order_and_once() {
    let state = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    let (deployment, sessions) = Deployment::open::<Sessions>(Access::Look, options).await.unwrap();
    let waits = sessions.place().scope().waits();
    assert!(waits.is_empty(), "{waits:?}");
    let error = carthage::chain(&deployment.close().await.unwrap_err());
    assert!(
        error.contains("`stuck` of `inner`: it cannot be closed: the other side does not answer"),
        "{error}"
    );
    let closed = std::mem::take(&mut *CLOSED.lock().unwrap());
    assert_eq!(closed.last(), Some(&"outer"));
    assert!(closed.contains(&"inner") && closed.contains(&"stuck") && closed.len() == 3, "{closed:?}");
    deployment.close().await.unwrap();
    assert!(CLOSED.lock().unwrap().is_empty());
}
