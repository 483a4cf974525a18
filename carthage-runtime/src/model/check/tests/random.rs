//! Random trees, against the rules written down as plainly as they can be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::super::member::Count;
use super::super::super::node::{Kind, Node, Part, Role};
use super::super::super::place::{Placement, Placements};
use super::super::super::reference::Unresolved;
use super::super::super::sample::*;
use super::super::super::value::Mode;

/// SplitMix64: the same trees in every run (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

const NETWORKS: [&str; 3] = ["Lab", "Wan", "Storage"];
const MACHINES: [&str; 5] = ["A", "B", "C", "D", "E"];
pub(super) const ENCLAVES: [&str; 4] = ["P", "Q", "R", "S"];
const VALUES: [&str; 3] = ["Token", "Mail", "Seal"];
pub(super) const FIELDS: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

/// A layout of few types in many places.
fn tree(random: &mut Random) -> &'static Node {
    let networks = NETWORKS.map(|name| network(name, 1, "10.37.0.0/24", "10.37.0.5-10.37.0.25"));
    let machines = MACHINES.map(|name| {
        let mut parts = Vec::new();
        for value in VALUES {
            if random.one_in(6) {
                parts.push(inject("wanted", 2, value, Mode::Required));
            }
        }
        if random.one_in(2) {
            let address =
                if random.one_in(2) { format!("10.37.0.{}", 2 + random.below(5)) } else { String::new() };
            parts.push(link(3, NETWORKS[random.below(3)], &address));
        }
        let wanted = if random.one_in(2) { vec![(MACHINES[random.below(5)], None)] } else { vec![] };
        depends(machine(name, 4, parts), 5, wanted)
    });
    let mut enclaves: Vec<Node> = Vec::new();
    for name in ENCLAVES {
        let parts = members(random, &networks, &machines, &enclaves);
        let node = enclave(name, 6, parts);
        enclaves.push(if random.one_in(2) { node.domain(["x", "y.z"][random.below(2)]) } else { node });
    }
    layout(members(random, &networks, &machines, &enclaves))
}

fn members(random: &mut Random, networks: &[Node], machines: &[Node], enclaves: &[Node]) -> Vec<Part> {
    let mut parts = Vec::new();
    for value in VALUES {
        if random.one_in(4) {
            parts.push(provide(value, 7, value, vec![], vec![]));
        }
    }
    for field in FIELDS.iter().take(1 + random.below(FIELDS.len())) {
        let node = match random.below(4) {
            0 => networks[random.below(networks.len())],
            1 if !enclaves.is_empty() => enclaves[random.below(enclaves.len())],
            _ => machines[random.below(machines.len())],
        };
        parts.push(match random.below(6) {
            0 => array(field, 8, 1 + random.below(3), node),
            1 => named(field, 9, MACHINES[random.below(5)], node),
            _ => member(field, 10, node),
        });
    }
    parts
}

/// One placement, with everything in plain words.
#[derive(Debug)]
struct Plain {
    node: &'static Node,
    field: &'static str,
    parent: Option<usize>,
    path: Vec<String>,
    /// The path without numbers.
    fields: Vec<&'static str>,
    name: String,
    domain: Vec<String>,
    position: u32,
}

fn plain(node: &'static Node) -> Vec<Plain> {
    let domain = node.domain.map(str::to_owned).into_iter().collect();
    let (path, fields, name) = (Vec::new(), Vec::new(), node.name.to_owned());
    let mut all = vec![Plain { node, field: "", parent: None, path, fields, name, domain, position: 0 }];
    below(&mut all, 0);
    all
}

fn below(all: &mut Vec<Plain>, parent: usize) {
    for part in all[parent].node.parts {
        let Role::Member(member) = &part.role else { continue };
        let numbers: Vec<Option<usize>> = match member.count {
            Count::One | Count::Fleet => vec![None],
            Count::Array(count) => (1..=count).map(Some).collect(),
        };
        for number in numbers {
            let around = &all[parent];
            let dashed = |text: &str| match number {
                Some(number) => format!("{text}-{number}"),
                None => text.to_owned(),
            };
            let mut path = around.path.clone();
            path.push(part.field.to_owned());
            path.extend(number.map(|number| number.to_string()));
            let mut domain = around.domain.clone();
            if let Some(own) = member.node.domain {
                let (label, rest) = own.split_once('.').map_or((own, ""), |(label, rest)| (label, rest));
                let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
                domain.insert(0, format!("{}{rest}", dashed(label)));
            }
            all.push(Plain {
                node: member.node,
                field: part.field,
                parent: Some(parent),
                fields: [&around.fields[..], &[part.field]].concat(),
                name: dashed(member.name.unwrap_or(member.node.name)),
                path,
                domain,
                position: number.map_or(0, |number| number as u32 - 1),
            });
            below(all, all.len() - 1);
        }
    }
}

fn is_inside(all: &[Plain], inner: usize, outer: usize) -> bool {
    let mut at = all[inner].parent;
    while let Some(parent) = at {
        if parent == outer {
            return true;
        }
        at = all[parent].parent;
    }
    false
}

/// The rule of `reference.rs`, read aloud.
fn resolve(
    all: &[Plain],
    from: usize,
    name: &'static str,
    field: Option<&str>,
) -> Result<Vec<usize>, Option<usize>> {
    let fits = |at: usize| all[at].node.key == key(name) && field.is_none_or(|field| all[at].field == field);
    let mut scope = Some(from);
    while let Some(around) = scope {
        let direct: Vec<usize> =
            (0..all.len()).filter(|at| all[*at].parent == Some(around) && fits(*at)).collect();
        let inside: Vec<usize> =
            (0..all.len()).filter(|at| is_inside(all, *at, around) && fits(*at)).collect();
        for found in [direct, inside] {
            let fields: BTreeSet<_> = found.iter().map(|at| &all[*at].fields).collect();
            match fields.len() {
                0 => {}
                1 => return Ok(found),
                _ => return Err(Some(around)),
            }
        }
        if around != from && fits(around) {
            return Ok(vec![around]);
        }
        scope = all[around].parent;
    }
    Err(None)
}

/// The only network that a link can mean, by its row.
fn network_of(all: &[Plain], from: usize, name: &'static str) -> Option<usize> {
    resolve(all, from, name, None).ok().filter(|found| found.len() == 1).map(|found| found[0])
}

fn index(placements: Vec<Placement>) -> Vec<usize> {
    placements.into_iter().map(Placement::index).collect()
}

fn check_places(all: &[Plain], placements: &'static Placements) {
    assert_eq!(placements.len(), all.len());
    for (plain, placement) in all.iter().zip(placements.iter()) {
        assert_eq!(placement.path(), plain.path.join("."));
        assert_eq!(placement.stamp_dir(), plain.path.join("/"));
        assert_eq!(placement.name(), plain.name);
        assert_eq!(placement.parent().map(Placement::index), plain.parent);
        assert_eq!((placement.field(), placement.key()), (plain.field, plain.node.key));
        assert_eq!(placement.position().unwrap_or(0), plain.position as usize);
        assert_eq!(placement.domain(), plain.domain.join("."));
        let around = plain.parent.map_or(&[][..], |parent| &all[parent].domain);
        let names: Vec<&str> = std::iter::once(&plain.name).chain(around).map(String::as_str).collect();
        assert_eq!(placement.fqdn(), names.join("."));
        assert_eq!(placements.find(placement.path()), Some(placement));
        let end = (0..all.len()).filter(|at| is_inside(all, *at, placement.index())).count()
            + placement.index()
            + 1;
        assert_eq!(placement.end(), end);
    }
}

fn check_references(all: &[Plain], placements: &'static Placements) {
    let types = NETWORKS.iter().chain(&MACHINES).chain(&ENCLAVES).chain(&["Industrial", "Nobody"]);
    for (placement, name) in
        placements.iter().flat_map(|placement| types.clone().map(move |name| (placement, *name)))
    {
        for field in [None, Some("one"), Some("three")] {
            let expected = resolve(all, placement.index(), name, field);
            let found = placement.resolve(key(name), field).map(index).map_err(|error| match error {
                Unresolved::Missing => None,
                Unresolved::Ambiguous(scope) => Some(scope.index()),
            });
            assert_eq!(found, expected, "{name} {field:?} from {placement:?}");
        }
    }
    for (placement, name) in placements.iter().flat_map(|placement| VALUES.map(|name| (placement, name))) {
        let provides = |scope: &Placement| {
            scope.node().parts.iter().any(|part| matches!(part.role, Role::Provide(p) if p.key == key(name)))
        };
        let expected = placement.scopes().find(provides);
        assert_eq!(placement.provider(key(name)).map(|(scope, _)| scope), expected);
    }
}

/// How many problems of each sort there are, by the words that tell them apart.
fn expected(all: &[Plain], placements: &'static Placements) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    let machines = || (0..all.len()).filter(|at| all[*at].node.kind == Kind::Machine);
    let mut given: HashMap<(usize, u32), Vec<(usize, usize)>> = HashMap::new();
    let (mut names, mut links) = (HashMap::new(), BTreeSet::new());
    let (mut duplicates, mut missing) = (BTreeSet::new(), BTreeSet::new());
    for at in machines() {
        let placement = placements.get(at).unwrap();
        let first = names.entry(placement.fqdn()).or_insert(at);
        if *first != at {
            duplicates.insert(&all[at].fields);
        }
        for (part, field) in all[at].node.parts.iter().enumerate() {
            match &field.role {
                Role::Inject(need) if placement.provider(need.key).is_none() => {
                    missing.insert(need.key.name());
                }
                Role::Link(link) => {
                    let Some(network) = network_of(all, at, link.network.name()) else { continue };
                    let Some(range) = link.address else { continue };
                    let elements = placement.row().elements;
                    // One address for several machines is told as such.
                    if elements == 1 {
                        given
                            .entry((network, range.first.to_bits() + all[at].position))
                            .or_default()
                            .push((at, part));
                    }
                }
                _ => {}
            }
        }
    }
    for holders in given.values() {
        links.extend(holders[1..].iter().map(|(at, part)| (&all[*at].fields, *part)));
    }
    counts.insert("is given twice", links.len());
    counts.insert("two machines are called", duplicates.len());
    counts.insert("nothing provides", missing.len());
    counts
}

/// Whether machines start after each other, each one asked.
pub(super) fn has_circle(placements: &'static Placements) -> bool {
    let mut left: BTreeMap<usize, Vec<usize>> = placements
        .iter()
        .filter(|placement| placement.kind() == Kind::Machine)
        .map(|placement| (placement.index(), index(placement.starts_after())))
        .collect();
    loop {
        let free: Vec<usize> = left
            .iter()
            .filter(|(_, after)| after.iter().all(|other| !left.contains_key(other)))
            .map(|(at, _)| *at)
            .collect();
        if free.is_empty() {
            return !left.is_empty();
        }
        left.retain(|at, _| !free.contains(at));
    }
}

#[test]
fn random_trees_are_as_the_rules_say() {
    let mut random = Random(2026);
    let (mut circles, mut sound, mut largest) = (0, 0, 0);
    for _ in 0..150 {
        let node = tree(&mut random);
        let all = plain(node);
        if all.len() > 400 {
            continue;
        }
        let placements = Placements::leak(node);
        check_places(&all, placements);
        if all.len() < 60 {
            check_references(&all, placements);
        }
        let problems = placements.problems();
        if problems.len() < 100 {
            for (words, count) in expected(&all, placements) {
                let found = problems.iter().filter(|problem| problem.contains(words)).count();
                assert_eq!(found, count, "{words}: {problems:#?}");
            }
        }
        let circle = has_circle(placements);
        assert_eq!(
            problems
                .iter()
                .any(|problem| problem.contains("after each other") || problem.contains("after itself")),
            circle
        );
        circles += usize::from(circle);
        sound += usize::from(problems.is_empty());
        largest = largest.max(all.len());
    }
    // The trees are neither all broken nor all trivial.
    assert!(circles > 20 && sound > 5 && largest > 150, "{circles} {sound} {largest}");
}
