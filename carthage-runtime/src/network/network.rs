//! A logical network of the layout, as one implementation makes it.

use std::fmt;
use std::sync::Arc;

use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::machine::engine::patience::Operation;
use crate::machine::engine::tries::Patience;
use crate::machine::engine::waiting::told;
use crate::machine::engine::{Engine, Identity, NetworkSpec, Presence};
use crate::state::{Change, Kind, Ledger, Origin, Record};

/// A network that an implementation makes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Network {
    /// The path of fields. Its implementation may know it by another name, which is in its specification.
    name: Arc<str>,
    spec: Arc<NetworkSpec>,
    engine: Arc<dyn Engine>,
    ledger: Ledger,
    events: Events,
    patience: Patience,
}

impl Network {
    pub(crate) fn new(
        name: &str,
        spec: NetworkSpec,
        engine: Arc<dyn Engine>,
        ledger: Ledger,
        events: Events,
        patience: Patience,
    ) -> Self {
        Self { name: name.into(), spec: Arc::new(spec), engine, ledger, events, patience }
    }

    /// The path of fields that leads to it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// The name of what makes it.
    pub(crate) fn implementation(&self) -> &'static str {
        self.engine.name()
    }

    /// What users call it in filters: `network:algebra.lab`.
    pub(crate) fn thing(&self) -> String {
        Kind::Network.thing(&self.name)
    }

    async fn within<T, F: Future<Output = Result<T, Error>>>(
        &self,
        operation: Operation,
        verb: &str,
        ask: impl FnMut() -> F,
    ) -> Result<T, Error> {
        self.patience.done((operation, verb), (&|| self.thing(), &self.name), &self.events, ask).await
    }

    pub(crate) async fn presence(&self) -> Result<Presence, Error> {
        let look = || {
            let look = self.engine.find_network(&self.spec);
            told(&self.events, || self.thing(), || "whether it is there".to_owned(), look)
        };
        self.within(Operation::Look, "look at", look).await
    }

    /// Makes it exist and work as the model says.
    pub(crate) async fn create(&self) -> Result<Identity, Error> {
        let intent = self.ledger.intend(&self.thing(), "create").await?;
        crash_point("network-announced");
        let made = self.within(Operation::Make, "make", || self.engine.create_network(&self.spec)).await;
        crash_point("network-made-unrecorded");
        // What was given up may go on where it is done.
        let is_late = made.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout);
        if is_late || made.is_err() && !matches!(self.presence().await, Ok(Presence::Absent)) {
            return intent.left(made);
        }
        let made = intent.settle(made, |identity| Change::Put(self.record(identity.clone()))).await;
        crash_point("network-recorded");
        made
    }

    pub(crate) async fn destroy(&self) -> Result<(), Error> {
        let intent = self.ledger.intend(&self.thing(), "destroy").await?;
        let gone = self.within(Operation::Change, "remove", || self.engine.remove_network(&self.spec)).await;
        crash_point("network-removed-unrecorded");
        intent.settle(gone, |()| Change::Remove).await
    }

    #[expect(clippy::expect_used, reason = "a derived `Serialize` over strings and numbers cannot fail")]
    fn record(&self, identity: Identity) -> Record {
        Record {
            kind: Kind::Network,
            name: self.name.to_string(),
            path: self.name.to_string(),
            implementation: self.engine.name().to_owned(),
            identity,
            spec: Origin::of(&*self.spec).expect("plain data"),
            needs: Vec::new(),
            run: self.ledger.run(),
            at: crate::state::now(),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Network").field(&self.name).finish()
    }
}
