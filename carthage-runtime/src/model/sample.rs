//! Models written by hand, at run time, for tests.

use std::net::Ipv4Addr;

use super::addressing::{Addressing, Cidr4, Range4};
use super::constraint::Constraint;
use super::key::{At, Key};
use super::member::{Count, Member};
use super::node::{ImplementationNode, Kind, Link, Node, Part, Role, TaskNode};
use super::start::{Dependency, Ignored, Starts};
use super::value::{Mask, Mode, Need, Provide};
use crate::machine::implementation::Implementation;

pub(crate) fn leak<T>(list: Vec<T>) -> &'static [T] {
    list.leak()
}

pub(crate) fn at(line: u32) -> At {
    At::new("lab.rs", line)
}

/// The key of a type of this name.
pub(crate) fn key(name: &'static str) -> Key {
    Key::new("lab", name, 1, 1)
}

/// A type's name in kebab-case.
fn kebab(name: &str) -> &'static str {
    let mut kebab = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && i > 0 {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab.leak()
}

pub(crate) fn node(kind: Kind, name: &'static str, line: u32, parts: Vec<Part>) -> Node {
    Node::new(kind, key(name), kebab(name), at(line)).parts(leak(parts))
}

/// A layout called `Industrial`, at line 1, with an implementation.
pub(crate) fn layout(parts: Vec<Part>) -> &'static Node {
    keep(bare_layout(parts).implementation(keep(ImplementationNode::of::<Paper>())))
}

pub(crate) fn bare_layout(parts: Vec<Part>) -> Node {
    node(Kind::Layout, "Industrial", 1, parts)
}

pub(crate) fn machine(name: &'static str, line: u32, parts: Vec<Part>) -> Node {
    node(Kind::Machine, name, line, parts)
}

pub(crate) fn enclave(name: &'static str, line: u32, parts: Vec<Part>) -> Node {
    node(Kind::Enclave, name, line, parts)
}

/// `subnet` is like `10.37.0.0/24`; `pool` like `10.37.0.5-10.37.0.25`, and empty for none.
pub(crate) fn network(name: &'static str, line: u32, subnet: &str, pool: &str) -> Node {
    let v4 = subnet
        .split_once('/')
        .map(|(network, prefix)| Cidr4 { network: address(network), prefix: prefix.parse().unwrap() });
    let pool = (!pool.is_empty()).then(|| range(pool));
    node(Kind::Network, name, line, Vec::new()).addressing(Addressing {
        v4,
        pool,
        ..Addressing::at(at(line))
    })
}

pub(crate) fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(crate) fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub(crate) fn range(text: &str) -> Range4 {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Range4 { first: address(first), last: address(last) }
}

pub(crate) fn member(field: &'static str, line: u32, node: Node) -> Part {
    Part::new(field, at(line), Role::Member(Member::new(keep(node))))
}

pub(crate) fn named(field: &'static str, line: u32, name: &'static str, node: Node) -> Part {
    let member = Member::new(keep(node)).name(name);
    Part::new(field, at(line), Role::Member(member))
}

pub(crate) fn array(field: &'static str, line: u32, count: usize, node: Node) -> Part {
    let member = Member::new(keep(node)).count(Count::Array(count));
    Part::new(field, at(line), Role::Member(member))
}

pub(crate) fn fleet(field: &'static str, line: u32, node: Node) -> Part {
    Part::new(field, at(line), Role::Member(Member::new(keep(node)).count(Count::Fleet)))
}

/// A link called `eth0`; `address` is empty for none, or one, or a range.
pub(crate) fn link(line: u32, network: &'static str, address: &str) -> Part {
    link_called("eth0", line, network, address, "eth0")
}

pub(crate) fn link_called(
    field: &'static str,
    line: u32,
    network: &'static str,
    address: &str,
    interface: &'static str,
) -> Part {
    let address = (!address.is_empty()).then(|| range(address));
    let link = Link { address, ..Link::new(key(network), interface) };
    Part::new(field, at(line), Role::Link(link))
}

pub(crate) fn need(name: &'static str, line: u32, wanted: &'static str, mode: Mode) -> Need {
    Need::new(key(wanted), mode, name, at(line))
}

pub(crate) fn inject(name: &'static str, line: u32, wanted: &'static str, mode: Mode) -> Part {
    Part::new(name, at(line), Role::Inject(need(name, line, wanted, mode)))
}

pub(crate) fn provide(
    field: &'static str,
    line: u32,
    value: &'static str,
    uses: Vec<&'static str>,
    needs: Vec<Need>,
) -> Part {
    let provide = Provide::new(key(value)).uses(leak(uses)).needs(leak(needs));
    Part::new(field, at(line), Role::Provide(provide))
}

/// Hides values of these types.
pub(crate) fn masks(node: Node, line: u32, hidden: Vec<&'static str>) -> Node {
    node.masks(leak(hidden.into_iter().map(|name| Mask { key: key(name), at: at(line) }).collect()))
}

/// The same type's key with a constraint.
pub(crate) fn constrained(name: &'static str, kind: &'static str, value: &'static str) -> Key {
    key(name).and(leak(vec![Constraint::text(key(kind), value)]))
}

pub(crate) fn inject_key(name: &'static str, line: u32, wanted: Key) -> Part {
    Part::new(name, at(line), Role::Inject(Need::new(wanted, Mode::Required, name, at(line))))
}

pub(crate) fn inject_role(need: Need) -> Role {
    Role::Inject(need)
}

pub(crate) fn provide_key(field: &'static str, line: u32, provide: Provide) -> Part {
    Part::new(field, at(line), Role::Provide(provide))
}

/// A customization with one task.
pub(crate) fn customize(
    field: &'static str,
    line: u32,
    name: &'static str,
    task: &'static str,
    needs: Vec<Need>,
) -> Part {
    let task = TaskNode {
        name: task,
        about: "",
        at: at(line),
        after: &[],
        user: None,
        timeout_seconds: None,
        retries: 0,
        source: 0,
        needs: leak(needs),
    };
    let node = node(Kind::Customization, name, line, Vec::new()).tasks(leak(vec![task]));
    Part::new(field, at(line), Role::Customize(keep(node)))
}

pub(crate) fn depends(node: Node, line: u32, wanted: Vec<(&'static str, Option<&'static str>)>) -> Node {
    let listed = wanted.into_iter().map(|(name, field)| {
        let dependency = Dependency::new(key(name), at(line));
        field.map_or(dependency, |field| dependency.field(field))
    });
    node.depends_on(leak(listed.collect()))
}

/// Ignores what scopes around depend on.
pub(crate) fn ignores(node: Node, line: u32, ignored: Vec<&'static str>) -> Node {
    let ignored = ignored.into_iter().map(|name| Ignored { key: key(name), field: None, at: at(line) });
    let starts = Starts { ignores: leak(ignored.collect()), ..node.starts };
    node.starts(starts)
}

/// Inherits nothing up to this scope, or nothing at all.
pub(crate) fn overrides(node: Node, line: u32, scope: Option<&'static str>) -> Node {
    let starts = node.starts.overrides(scope.map(key), at(line));
    node.starts(starts)
}

/// An implementation that nothing is done with.
pub(crate) struct Paper;

crate::capabilities!(Paper:);

impl Implementation for Paper {
    const NAME: &'static str = "Paper";

    async fn open(
        _: crate::machine::engine::Site,
    ) -> crate::Result<std::sync::Arc<dyn crate::machine::engine::Engine>, crate::Error> {
        Err(crate::Error::new(crate::ErrorKind::Unsupported, "paper machines are only checked"))
    }
}
