//! Which things a command is about.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::pattern::Pattern;

/// What a command is about: everything, or what `include` names, but for what `exclude` names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Nothing here means everything.
    pub include: Vec<Pattern>,
    /// Wins over `include`.
    pub exclude: Vec<Pattern>,
    /// What is needed is not brought in; a deployment that cannot do without is refused.
    pub only: bool,
    /// A deployment also removes what of it is no longer in the layout.
    pub prune: bool,
    /// A destruction is only about what is no longer in the layout.
    pub orphans: bool,
}

impl Selection {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether everything is meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a thing is meant, which may go by several names.
    #[must_use]
    pub fn holds(&self, kind: &str, names: &[&str]) -> bool {
        let any =
            |patterns: &[Pattern]| patterns.iter().any(|p| names.iter().any(|name| p.matches(kind, name)));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// # Errors
    /// When a pattern names none of `things` (kind and names of each): a typo would otherwise do nothing, quietly.
    pub fn check<'a>(
        &self,
        things: impl Iterator<Item = (&'static str, Vec<&'a str>)> + Clone,
    ) -> Result<(), Error> {
        for pattern in self.include.iter().chain(&self.exclude) {
            let meant =
                |(kind, names): (&str, Vec<&str>)| names.iter().any(|name| pattern.matches(kind, name));
            if !things.clone().any(meant) {
                let what = format!("`{}` names nothing in this layout", pattern.as_str());
                let all: Vec<_> = things.flat_map(|(_, names)| names).collect();
                let hint = match pattern.as_str().strip_prefix("task:") {
                    Some(_) => "tasks are for `run`; name their machine here".to_owned(),
                    None => nearest(pattern.as_str(), &all),
                };
                return Err(Error::new(ErrorKind::Usage, what).hint(hint));
            }
        }
        Ok(())
    }
}

/// "did you mean" with the nearest name, or where to look.
pub(crate) fn nearest(wrong: &str, known: &[&str]) -> String {
    let wrong = wrong.rsplit(':').next().unwrap_or(wrong);
    let best = known.iter().map(|name| (strsim::jaro_winkler(wrong, name), *name));
    match best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, name)) if likeness > 0.7 => format!("did you mean `{name}`?"),
        _ => "see `list` for the names".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclude_wins_and_typos_are_told() {
        let selection = Selection {
            include: vec!["worker-*".parse().unwrap()],
            exclude: vec!["worker-2".parse().unwrap()],
            ..Selection::all()
        };
        assert!(selection.holds("machine", &["worker-1.a", "worker-1"]));
        assert!(!selection.holds("machine", &["worker-2.a", "worker-2"]));
        assert!(!selection.holds("machine", &["mirror.a", "mirror"]));
        let things = [("machine", vec!["worker-1", "mirror"])];
        let typo = Selection { include: vec!["mirorr".parse().unwrap()], ..Selection::all() };
        let error = typo.check(things.iter().cloned()).unwrap_err();
        assert_eq!(error.next_step(), Some("did you mean `mirror`?"));
    }
}
