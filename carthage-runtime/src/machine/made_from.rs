//! What a machine was made from, as the store remembers it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::value::RawValue;

use super::engine::MachineSpec;
use crate::state::{Kind, Origin, Record};

/// What a machine was made from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct MadeFrom {
    pub(crate) spec: MachineSpec,
    /// A hash of the names that it was told.
    pub(crate) hosts: String,
}

/// How the implementation knows something on record, and what it was plugged into when it was made.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Wires {
    /// What its implementation calls it; `None` if another version wrote it differently.
    pub(crate) name: Option<String>,
    /// The networks of a machine.
    pub(crate) networks: Vec<String>,
    /// The machine whose links it shares.
    pub(crate) shared: Option<String>,
}

impl MadeFrom {
    pub(crate) fn new(spec: &MachineSpec, hosts: String) -> Self {
        Self { spec: spec.clone(), hosts }
    }

    /// As it is kept.
    pub(crate) fn kept(&self) -> Origin {
        Self::kept_of(&self.spec, &self.hosts)
    }

    /// As it is kept of this: without what is as in most machines, for whoever resolves a layout reads it of all of them. What is not there is as in
    /// the default when it is read: so no default may change.
    #[expect(
        clippy::expect_used,
        reason = "a derived `Serialize` over strings and numbers, with string keys, cannot fail"
    )]
    pub(crate) fn kept_of(spec: &MachineSpec, hosts: &str) -> Origin {
        #[derive(serde::Serialize)]
        struct Kept<'a> {
            spec: Fields<'a>,
            hosts: &'a str,
        }
        static USUAL: LazyLock<String> =
            LazyLock::new(|| serde_json::to_string(&MachineSpec::default()).expect("plain data"));
        static USUAL_FIELDS: LazyLock<Fields<'static>> = LazyLock::new(|| fields(&USUAL));
        let text = serde_json::to_string(spec).expect("plain data");
        let mut spec = fields(&text);
        spec.retain(|name, value| USUAL_FIELDS.get(name).is_none_or(|usual| usual.get() != value.get()));
        Origin::of(&Kept { spec, hosts }).expect("plain data")
    }

    /// From a record; `None` if another version wrote it differently.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        record.spec.read()
    }
}

impl Wires {
    /// From a record of a machine or a network.
    pub(crate) fn of(record: &Record) -> Self {
        #[derive(serde::Deserialize)]
        struct OfMachine {
            spec: Spec,
        }
        #[derive(serde::Deserialize)]
        struct Spec {
            name: Option<String>,
            #[serde(default)]
            links: Vec<Link>,
            shares_links: Option<Shares>,
        }
        #[derive(serde::Deserialize)]
        struct Link {
            network: String,
        }
        #[derive(serde::Deserialize)]
        struct Shares {
            machine: String,
        }
        #[derive(serde::Deserialize)]
        struct OfNetwork {
            name: String,
        }
        #[derive(serde::Deserialize)]
        struct Named {
            spec: OfNetwork,
        }
        let named = |name| Self { name, ..Self::default() };
        match record.kind {
            Kind::Machine => match record.spec.read() {
                Some(OfMachine { spec }) => Self {
                    name: spec.name,
                    networks: spec.links.into_iter().map(|link| link.network).collect(),
                    shared: spec.shares_links.map(|shares| shares.machine),
                },
                // Another version says otherwise what it is plugged into, and what it is called all the same.
                None => named(record.spec.read().map(|Named { spec }| spec.name)),
            },
            Kind::Network => named(record.spec.read().map(|OfNetwork { name }| name)),
            Kind::ModelWithTasks => Self::default(),
        }
    }
}

/// The fields of something as text, each by its name.
type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

#[expect(clippy::expect_used, reason = "it was just written, and no name has anything to escape")]
fn fields(text: &str) -> Fields<'_> {
    serde_json::from_str(text).expect("an object")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::{Identity, LinkSpec, SharedLinks};

    fn record(spec: Origin) -> Record {
        Record {
            kind: Kind::Machine,
            name: "m".into(),
            path: "m".into(),
            implementation: "Simulated".into(),
            identity: Identity("1".into()),
            spec,
            needs: Vec::new(),
            run: 1,
            at: 0,
        }
    }

    fn spec() -> MachineSpec {
        let link = LinkSpec { interface: "eth0".into(), network: "lab".into(), ..LinkSpec::default() };
        MachineSpec {
            name: "m.lab".into(),
            memory_mb: Some(256),
            links: vec![link],
            cloud_init: true,
            tags: vec!["@web".into()],
            ..MachineSpec::default()
        }
    }

    #[test]
    fn what_is_usual_is_not_kept_and_is_there_again() {
        for spec in [MachineSpec::default(), spec()] {
            let made = MadeFrom { spec, hosts: "names".into() };
            assert_eq!(MadeFrom::of(&record(made.kept())), Some(made));
        }
        let kept: serde_json::Value = MadeFrom { spec: spec(), hosts: "names".into() }.kept().read().unwrap();
        let fields: Vec<_> = kept["spec"].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["cloud_init", "links", "memory_mb", "name", "tags"]);
        // As it was kept before.
        let whole = MadeFrom { spec: spec(), hosts: "names".into() };
        assert_eq!(MadeFrom::of(&record(Origin::of(&whole).unwrap())), Some(whole));
    }

    /// What was kept would mean something else if this were otherwise.
    #[test]
    fn what_is_usual_stays_so() {
        let text = serde_json::to_string(&MachineSpec::default()).unwrap();
        let mut usual = fields(&text);
        let policy = usual.remove("policy").map(RawValue::get);
        assert_eq!(policy, Some(r#"{"destroy":"delete","orphan":"delete","auto_deploy":true}"#));
        usual.retain(|_, value| !["null", "false", "[]", "{}", "\"\""].contains(&value.get()));
        assert!(usual.is_empty(), "{usual:?}");
    }

    #[test]
    fn what_it_was_plugged_into() {
        let wires = |spec| Wires::of(&record(MadeFrom { spec, hosts: String::new() }.kept()));
        let (name, networks) = (Some("m.lab".to_owned()), vec!["lab".to_owned()]);
        assert_eq!(wires(spec()), Wires { name: name.clone(), networks, shared: None });
        let shares_links = Some(SharedLinks { machine: "router".into(), links: Vec::new() });
        let shares = MachineSpec { links: Vec::new(), shares_links, ..spec() };
        assert_eq!(wires(shares), Wires { name, shared: Some("router".into()), ..Wires::default() });
        assert_eq!(Wires::of(&record(Origin::unknown())), Wires::default());
        let other = serde_json::json!({ "spec": { "name": "m.lab", "links": "otherwise" } });
        let name = Some("m.lab".to_owned());
        assert_eq!(Wires::of(&record(Origin::of(&other).unwrap())), Wires { name, ..Wires::default() });
    }
}
