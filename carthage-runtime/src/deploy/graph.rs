//! The order of things: a graph over everything deployable, and its execution.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Things and what each needs first. Things are positions; the graph has no cycles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    needs: Vec<BTreeSet<usize>>,
}

/// What became of a thing.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// The work was done.
    Done(T),
    /// It failed; whoever did the work has told of it.
    Failed,
    /// It was not tried, because this other thing failed or was not tried.
    Skipped(usize),
    /// It was not begun, because the run was asked to stop.
    Interrupted,
}

impl Graph {
    /// Adds a thing.
    pub(crate) fn add(&mut self) -> usize {
        self.needs.push(BTreeSet::new());
        self.needs.len() - 1
    }

    /// Whether nothing needs anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.needs.iter().all(BTreeSet::is_empty)
    }

    /// `thing` needs `other` first.
    pub(crate) fn need(&mut self, thing: usize, other: usize) {
        self.needs[thing].insert(other);
    }

    /// `thing` needs `other` first, unless that needs `thing`: what was made in different runs, and what is wanted now, may say what
    /// cannot all be so.
    pub(crate) fn need_if_it_can(&mut self, thing: usize, other: usize) {
        if !self.needs[thing].contains(&other) && !self.closure([other]).contains(&thing) {
            self.need(thing, other);
        }
    }

    /// What `thing` needs directly.
    pub(crate) fn needs(&self, thing: usize) -> impl Iterator<Item = usize> + '_ {
        self.needs[thing].iter().copied()
    }

    /// What needs `thing` directly.
    pub(crate) fn users(&self, thing: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.needs.len()).filter(move |user| self.needs[*user].contains(&thing))
    }

    /// The same things, the other way round: everything needs those that needed it.
    pub(crate) fn reversed(&self) -> Self {
        let mut reversed = Self { needs: vec![BTreeSet::new(); self.needs.len()] };
        for (thing, needs) in self.needs.iter().enumerate() {
            for &other in needs {
                reversed.need(other, thing);
            }
        }
        reversed
    }

    /// These things and all that they need, directly or not.
    pub(crate) fn closure(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut closure = BTreeSet::new();
        let mut todo: Vec<_> = of.into_iter().collect();
        while let Some(thing) = todo.pop() {
            if closure.insert(thing) {
                todo.extend(self.needs(thing));
            }
        }
        closure
    }

    /// All things, each after what it needs, otherwise in the order in which they were added.
    pub(crate) fn order(&self) -> Vec<usize> {
        let users = self.reversed();
        let mut left: Vec<usize> = self.needs.iter().map(BTreeSet::len).collect();
        let mut ready: BTreeSet<usize> = (0..left.len()).filter(|thing| left[*thing] == 0).collect();
        let mut order = Vec::with_capacity(left.len());
        while let Some(thing) = ready.pop_first() {
            order.push(thing);
            for user in users.needs(thing) {
                left[user] -= 1;
                if left[user] == 0 {
                    ready.insert(user);
                }
            }
        }
        order
    }

    /// Things that need each other, the first at the end again; `None` if there are none.
    pub(crate) fn circle(&self) -> Option<Vec<usize>> {
        let order: BTreeSet<usize> = self.order().into_iter().collect();
        // Whatever is left needs something that is left, and so leads to a circle.
        let mut at = (0..self.needs.len()).find(|thing| !order.contains(thing))?;
        let mut way = Vec::new();
        loop {
            if let Some(begins) = way.iter().position(|seen| *seen == at) {
                way.push(at);
                return Some(way.split_off(begins));
            }
            way.push(at);
            at = self.needs(at).find(|other| !order.contains(other))?;
        }
    }

    /// How long the longest way is from each thing to one that nothing in `among` waits for.
    fn ways(&self, among: &BTreeSet<usize>) -> Vec<usize> {
        let mut ways = vec![0; self.needs.len()];
        for thing in self.order().into_iter().rev().filter(|thing| among.contains(thing)) {
            for other in self.needs(thing) {
                ways[other] = ways[other].max(ways[thing] + 1);
            }
        }
        ways
    }

    /// Does the work of every thing in `among`, as many at a time as there is room for, each after what it needs; of those that
    /// can be begun, the one that the longest way leads on from is first. A failure stops only what needs the failed thing. Once
    /// `stop` is cancelled nothing new is begun; what was begun is finished.
    pub(crate) async fn execute<T, F: Future<Output = Result<T, Error>>>(
        &self,
        among: &BTreeSet<usize>,
        room: Room<'_>,
        stop: &CancellationToken,
        work: impl Fn(usize) -> F,
    ) -> Vec<(usize, Outcome<T>)> {
        let mut outcomes: Vec<Option<Outcome<T>>> = self.needs.iter().map(|_| None).collect();
        let mut left: Vec<usize> = (0..self.needs.len())
            .map(|thing| self.needs(thing).filter(|other| among.contains(other)).count())
            .collect();
        let users = self.reversed();
        let mut ready = Ready::new(room, self.ways(among));
        among.iter().filter(|thing| left[**thing] == 0).for_each(|thing| ready.add(*thing));
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < room.all.max(1) && !stop.is_cancelled() {
                let Some(thing) = ready.begin() else { break };
                let work = work(thing);
                running.push(async move { (thing, work.await) });
            }
            let Some((thing, result)) = running.next().await else { break };
            ready.ended(thing);
            match result {
                Ok(value) => {
                    outcomes[thing] = Some(Outcome::Done(value));
                    for user in users.needs(thing).filter(|user| among.contains(user)) {
                        left[user] -= 1;
                        if left[user] == 0 && outcomes[user].is_none() {
                            ready.add(user);
                        }
                    }
                }
                Err(_) => {
                    outcomes[thing] = Some(Outcome::Failed);
                    for user in users.closure([thing]).into_iter().filter(|user| among.contains(user)) {
                        outcomes[user].get_or_insert(Outcome::Skipped(thing));
                    }
                }
            }
        }
        among.iter().map(|&thing| (thing, outcomes[thing].take().unwrap_or(Outcome::Interrupted))).collect()
    }
}

/// How much is done at the same time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room<'a> {
    /// Of all things.
    pub(crate) all: usize,
    /// By groups that have a bound of their own: of each thing its group, if it is in one.
    pub(crate) group: &'a [Option<usize>],
    /// How many of each group.
    pub(crate) most: &'a [usize],
}

/// What can be begun.
struct Ready<'a> {
    room: Room<'a>,
    ways: Vec<usize>,
    /// What is in no group, then of each group; the longest way first.
    waiting: Vec<BTreeSet<(Reverse<usize>, usize)>>,
    /// How many of each group are being done.
    doing: Vec<usize>,
}

impl<'a> Ready<'a> {
    fn new(room: Room<'a>, ways: Vec<usize>) -> Self {
        let groups = room.most.len();
        Self { room, ways, waiting: vec![BTreeSet::new(); groups + 1], doing: vec![0; groups] }
    }

    fn group(&self, thing: usize) -> Option<usize> {
        self.room.group.get(thing).copied().flatten()
    }

    fn add(&mut self, thing: usize) {
        let at = self.group(thing).map_or(0, |group| group + 1);
        self.waiting[at].insert((Reverse(self.ways[thing]), thing));
    }

    /// The next thing for which there is room.
    fn begin(&mut self) -> Option<usize> {
        let has_room = |at: usize| at == 0 || self.doing[at - 1] < self.room.most[at - 1].max(1);
        let firsts = self.waiting.iter().enumerate().filter(|(at, _)| has_room(*at));
        let (first, at) = firsts.filter_map(|(at, waiting)| Some((*waiting.first()?, at))).min()?;
        self.waiting[at].remove(&first);
        if at > 0 {
            self.doing[at - 1] += 1;
        }
        Some(first.1)
    }

    fn ended(&mut self, thing: usize) {
        if let Some(group) = self.group(thing) {
            self.doing[group] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::ErrorKind;

    /// 0 <- 1 <- 3, 0 <- 2 <- 3, and 4 alone.
    fn diamond() -> Graph {
        let mut graph = Graph::default();
        for _ in 0..5 {
            graph.add();
        }
        for (thing, other) in [(1, 0), (2, 0), (3, 1), (3, 2)] {
            graph.need(thing, other);
        }
        graph
    }

    fn room(all: usize) -> Room<'static> {
        Room { all, group: &[], most: &[] }
    }

    fn word<T>(outcome: &Outcome<T>) -> String {
        match outcome {
            Outcome::Done(_) => "done".into(),
            Outcome::Failed => "failed".into(),
            Outcome::Skipped(by) => format!("skipped by {by}"),
            Outcome::Interrupted => "interrupted".into(),
        }
    }

    async fn run(graph: &Graph, fails: usize, stop_at: usize) -> (Vec<usize>, Vec<String>) {
        let order = Mutex::new(Vec::new());
        let stop = CancellationToken::new();
        let outcomes = graph
            .execute(&(0..5).collect(), room(2), &stop, |thing| {
                order.lock().unwrap().push(thing);
                if thing == stop_at {
                    stop.cancel();
                }
                async move {
                    tokio::task::yield_now().await;
                    if thing == fails { Err(Error::new(ErrorKind::Host, "no")) } else { Ok(()) }
                }
            })
            .await;
        (order.into_inner().unwrap(), outcomes.iter().map(|(_, outcome)| word(outcome)).collect())
    }

    #[tokio::test]
    async fn needs_come_first() {
        let (order, outcomes) = run(&diamond(), 9, 9).await;
        let at = |thing| order.iter().position(|t| *t == thing).unwrap();
        assert!(at(0) < at(1) && at(0) < at(2) && at(1) < at(3) && at(2) < at(3));
        assert!(outcomes.iter().all(|o| o == "done"), "{outcomes:?}");
    }

    #[tokio::test]
    async fn a_failure_stops_only_what_needs_it() {
        let (_, outcomes) = run(&diamond(), 1, 9).await;
        assert_eq!(outcomes, ["done", "failed", "done", "skipped by 1", "done"]);
    }

    #[tokio::test]
    async fn what_was_begun_is_finished_when_asked_to_stop() {
        let (order, outcomes) = run(&diamond(), 9, 0).await;
        assert_eq!(order, [0]);
        assert_eq!(outcomes[0], "done");
        assert!(outcomes[1..].iter().all(|o| o == "interrupted"), "{outcomes:?}");
    }

    #[tokio::test]
    async fn no_more_than_asked_for_at_once() {
        let mut graph = Graph::default();
        let all: BTreeSet<_> = (0..50).map(|_| graph.add()).collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stop = CancellationToken::new();
        graph
            .execute(&all, room(7), &stop, |_| async {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .await;
        assert_eq!(most.into_inner(), 7);
    }

    #[tokio::test]
    async fn the_longest_way_is_gone_first() {
        let mut graph = Graph::default();
        let all: BTreeSet<_> = (0..6).map(|_| graph.add()).collect();
        // 0 and 1 alone; 2 <- 3 <- 4, and 5 needs 1.
        for (thing, other) in [(3, 2), (4, 3), (5, 1)] {
            graph.need(thing, other);
        }
        let order = Mutex::new(Vec::new());
        let work = |thing| {
            order.lock().unwrap().push(thing);
            async { Ok(()) }
        };
        graph.execute(&all, room(1), &CancellationToken::new(), work).await;
        assert_eq!(order.into_inner().unwrap(), [2, 1, 3, 0, 4, 5]);
    }

    #[tokio::test]
    async fn groups_have_bounds_of_their_own_and_hold_up_nobody_else() {
        let mut graph = Graph::default();
        let all: BTreeSet<_> = (0..40).map(|_| graph.add()).collect();
        let group: Vec<_> = (0..40).map(|thing| (thing < 20).then_some(0)).collect();
        let (now, most) =
            ([AtomicUsize::new(0), AtomicUsize::new(0)], [AtomicUsize::new(0), AtomicUsize::new(0)]);
        let work = async |thing: usize| {
            let of = usize::from(thing >= 20);
            most[of].fetch_max(now[of].fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            now[of].fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        let room = Room { all: 7, group: &group, most: &[2] };
        let outcomes = graph.execute(&all, room, &CancellationToken::new(), work).await;
        assert!(outcomes.iter().all(|(_, outcome)| word(outcome) == "done"));
        let most = most.map(AtomicUsize::into_inner);
        assert!(most[0] == 2 && most[1] >= 5, "{most:?}");
    }
}
