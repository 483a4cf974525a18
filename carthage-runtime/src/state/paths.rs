//! Places in a layout that get other paths, and what is kept by these.

use std::collections::BTreeMap;

/// From the old paths of fields to the new ones.
#[derive(Debug, Default)]
pub(crate) struct Paths(BTreeMap<String, String>);

impl Paths {
    /// What is kept there goes with it, if that is another place.
    pub(crate) fn add(&mut self, old: &str, new: &str) {
        if old != new {
            self.0.insert(old.to_owned(), new.to_owned());
        }
    }

    /// Has values that are kept by the paths of their fields go to the new places. What was left there by another is not theirs.
    pub(crate) fn carry<T>(&self, values: &mut BTreeMap<String, T>) {
        if self.0.is_empty() {
            return;
        }
        let mut moved = BTreeMap::new();
        for (path, value) in std::mem::take(values) {
            match self.of(&path) {
                to if to == path => values.insert(to, value),
                to => moved.insert(to, value),
            };
        }
        values.extend(moved);
    }

    /// Of a kept value: whose it is by the path of its field, which may be said for another at its end.
    fn of(&self, path: &str) -> String {
        match path.split_once('@') {
            Some((path, of)) => format!("{}@{}", self.inside(path), self.inside(of)),
            None => self.inside(path),
        }
    }

    fn inside(&self, path: &str) -> String {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        let found = ends.rev().find_map(|end| Some((self.0.get(&path[..end])?, end)));
        found.map_or_else(|| path.to_owned(), |(new, end)| format!("{new}{}", &path[end..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_with_their_places() {
        let mut paths = Paths::default();
        for (old, new) in [("door", "window"), ("window", "door"), ("hall.desk", "desk"), ("same", "same")] {
            paths.add(old, new);
        }
        let mut values: BTreeMap<_, _> =
            ["door.seal", "window.seal", "hall.desk.seal@door", "hall.seal", "same.seal", "desk.seal@window"]
                .map(|path| (path.to_owned(), path))
                .into();
        paths.carry(&mut values);
        let expected = [
            ("desk.seal@window", "hall.desk.seal@door"),
            ("door.seal", "window.seal"),
            ("hall.seal", "hall.seal"),
            ("same.seal", "same.seal"),
            ("window.seal", "door.seal"),
        ];
        let expected: BTreeMap<_, _> = expected.map(|(path, was)| (path.to_owned(), was)).into();
        let left = values.remove("desk.seal@door");
        assert_eq!((values, left), (expected, Some("desk.seal@window")));
    }
}
