//! How values of layouts are made: on demand, out of others, in whatever order they are written, each in its own scope.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]
#![allow(deprecated, reason = "enclaves that are only there for their values have no machines")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use carthage::deploy::{Access, Deployment, Options};
use carthage::layout::Layout;
use carthage::prelude::*;

async fn open<L: Layout>() -> Placed<L> {
    let state = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    Deployment::open::<L>(Access::Look, options).await.unwrap().1
}

#[injectable]
struct Seed(u64);

static CERTIFICATES: AtomicU32 = AtomicU32::new(0);

/// Makes itself, and awaits something meanwhile.
#[injectable]
struct Certificate {
    seed: u64,
    mail: Option<String>,
}

injection_key!(Mail: String);

#[injectable]
impl Certificate {
    async fn new(#[inject] seed: &Seed, #[inject] mail: Option<&Mail>) -> Result<Self> {
        tokio::task::yield_now().await;
        CERTIFICATES.fetch_add(1, Ordering::SeqCst);
        Ok(Self { seed: seed.0, mail: mail.map(|mail| (**mail).clone()) })
    }
}

injection_key!(Listed: Vec<BTreeMap<&'static str, u64>>);

#[layout(name = "making")]
struct Making {
    // Before what they are made of: the order of fields says nothing.
    #[provide(Listed(vec![BTreeMap::from([("seed", seed.0), ("certificate", certificate.seed)])]))]
    listed: Arc<Listed>,
    #[provide]
    certificate: Arc<Certificate>,
    #[inject]
    same: Arc<Certificate>,
    #[provide({ tokio::task::yield_now().await; Seed(42) })]
    seed: Arc<Seed>,
    inner: Inner,
    overridden: Overridden,
}

#[enclave]
struct Inner {
    #[inject]
    certificate: Arc<Certificate>,
}

#[enclave]
struct Overridden {
    #[provide(Seed(20))]
    seed: Arc<Seed>,
    #[provide]
    certificate: Arc<Certificate>,
    inner: Inner,
}

/// injector_instantiates, W-B1, construct_using_coro, async_function, async_ready, async_become_ready_handles_dependencies,
/// injectable_sets_dependencies, injectable_autokwargs, optional_not_present: made on demand, by functions that await, out of
/// what is ready by then; once in each scope that provides it.
#[tokio::test]
async fn what_makes_itself_is_made_once_out_of_what_is_around() {
    let made = open::<Making>().await;
    assert_eq!((made.certificate.seed, made.certificate.mail.as_deref()), (42, None));
    assert!(Arc::ptr_eq(&made.certificate, &made.same));
    assert!(Arc::ptr_eq(&made.certificate, &made.inner.certificate));
    assert_eq!(CERTIFICATES.load(Ordering::SeqCst), 2, "the layout's, and the one that is overridden");
}

/// override_dependency, override_replaces_subinjector
#[tokio::test]
async fn what_is_overridden_inside_is_as_before_outside() {
    let made = open::<Overriding>().await;
    assert_eq!((made.overridden.certificate.seed, made.overridden.inner.certificate.seed), (20, 20));
    assert_eq!(made.seed.0, 30);
    assert_eq!(made.overridden.seed.0, 20);
}

#[layout(name = "overridden")]
struct Overriding {
    #[provide(Seed(30))]
    seed: Arc<Seed>,
    overridden: OverriddenInside,
}

#[enclave]
struct OverriddenInside {
    #[provide(Seed(20))]
    seed: Arc<Seed>,
    #[provide(Certificate { seed: seed.0, mail: None })]
    certificate: Arc<Certificate>,
    inner: Inner,
}

/// resolve_deferred: what is nested in lists and maps is made like anything else.
#[tokio::test]
async fn values_nested_in_a_structure_are_made() {
    let made = open::<Listing>().await;
    assert_eq!(made.listed[0], BTreeMap::from([("seed", 42), ("certificate", 43)]));
}

#[layout(name = "listing")]
struct Listing {
    #[provide(Listed(vec![BTreeMap::from([("seed", seed.0), ("certificate", certificate.seed)])]))]
    listed: Arc<Listed>,
    #[provide(Certificate { seed: seed.0 + 1, mail: None })]
    certificate: Arc<Certificate>,
    #[provide(Seed(42))]
    seed: Arc<Seed>,
}

/// injector_claiming: every place has a scope of its own, in that of the place around it.
#[tokio::test]
async fn every_place_has_a_scope_of_its_own() {
    let made = open::<Places>().await;
    let names = |scope: &carthage::inject::Scope| {
        scope.upwards().map(|scope| scope.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(made.halls[1].place().scope()), ["halls.2", "places"]);
    assert_ne!(made.halls[0].place().scope().number(), made.halls[1].place().scope().number());
}

#[layout(name = "places")]
struct Places {
    halls: [Hall; 2],
}

#[enclave]
struct Hall {}

static TRIES: AtomicU32 = AtomicU32::new(0);

/// W-A19
#[tokio::test]
async fn a_value_that_failed_is_made_at_the_next_ask() {
    let scope = carthage::inject::Scope::root("s");
    let key = <Seed as carthage::inject::Injectable>::KEY;
    scope.provide(
        key,
        "`seed`".to_owned(),
        Box::new(|_| {
            Box::pin(async {
                match TRIES.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(carthage::Error::new(carthage::ErrorKind::Host, "not yet")),
                    _ => Ok(Arc::new(Seed(7)) as carthage::inject::Value),
                }
            })
        }),
    );
    let slot = scope.find(key).unwrap();
    assert!(slot.get(None).await.is_err());
    assert_eq!(slot.get(None).await.unwrap().downcast::<Seed>().unwrap().0, 7);
}
