//! Plans that are saved: what a run is to do, exactly, or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind as Io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Deployment, Plan, Selection, Step};
use crate::error::{Error, ErrorKind};
use crate::state::Snapshot;
use crate::state::storage::{Disk, Storage};
use crate::step::Planned;

/// The version of the files.
const FORMAT: u32 = 1;

/// A plan with all that it depends on: the layout, its profile and state, what was selected, and how the world was.
///
/// In a file it is two lines of JSON: the version with a checksum, and the plan. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    layout: String,
    profile: String,
    /// The id of the layout's store; `None` if it was not deployed.
    store: Option<String>,
    /// The number of the last run before it.
    run: u64,
    /// What makes everything, instead of what the layout says.
    instead: Option<String>,
    /// Of the simulated world.
    seed: u64,
    selection: Selection,
    /// As they were told, whatever is known of each.
    steps: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(rename = "carthage-plan")]
    version: u32,
    blake3: String,
}

impl SavedPlan {
    /// What was selected.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Writes it to a file, whole or not at all, for its owner only.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let unwritable = |error: std::io::Error| {
            Error::new(ErrorKind::Host, format!("cannot write the plan to `{}`", path.display()))
                .because(error)
                .hint("name a file in a directory that is there and can be written")
        };
        let write = || {
            let body = serde_json::to_string(self)?;
            let head = Head { version: FORMAT, blake3: blake3::hash(body.as_bytes()).to_string() };
            let text = format!("{}\n{body}\n", serde_json::to_string(&head)?);
            // Others may write the same plan at the same time.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let scratch = path.with_file_name(format!(".{name}.{}", std::process::id()));
            let disk: &dyn Storage = &Disk::default();
            disk.write_whole(path, &scratch, text.as_bytes(), true)
        };
        write().map_err(unwritable)
    }

    /// Reads one from a file.
    ///
    /// # Errors
    /// When there is none, or it is damaged, or of another version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| {
            let kind = if error.kind() == Io::InvalidData { ErrorKind::Corrupt } else { ErrorKind::Host };
            Error::new(kind, format!("cannot read the plan in `{}`", path.display()))
                .because(error)
                .hint("write one with `plan --out FILE`")
        })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| {
            Error::new(ErrorKind::Corrupt, format!("`{}` holds no plan that can be used", path.display()))
                .because(why)
                .hint("plan again, with `plan --out FILE`")
        };
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        let head: Value = serde_json::from_str(head).unwrap_or_default();
        match head["carthage-plan"].as_u64() {
            Some(version) if version == u64::from(FORMAT) => {}
            Some(version) => return Err(wrong(format!("it is of version {version}, and this is {FORMAT}"))),
            None => return Err(wrong("it does not begin as a plan does".to_owned())),
        }
        let body = body.strip_suffix('\n').unwrap_or(body);
        if head["blake3"].as_str() != Some(&*blake3::hash(body.as_bytes()).to_hex()) {
            return Err(wrong("it is damaged: its checksum is another".to_owned()));
        }
        serde_json::from_str(body).map_err(|error| wrong(format!("it is damaged: {error}")))
    }

    /// What tells that it was made for something else.
    fn foreign(&self, now: &Self) -> Vec<String> {
        let named = |name: &str| if name.is_empty() { "none".to_owned() } else { format!("`{name}`") };
        let world = |plan: &Self| match &plan.instead {
            None => String::new(),
            Some(name) => format!("{name} {}", plan.seed),
        };
        let compared = [
            ("layout", self.layout.clone(), now.layout.clone()),
            ("profile", self.profile.clone(), now.profile.clone()),
            ("simulated world", world(self), world(now)),
        ];
        let differs = compared.into_iter().filter(|(_, then, now)| then != now);
        differs
            .map(|(what, then, now)| {
                format!("{what}: planned was for {}, and this is {}", named(&then), named(&now))
            })
            .collect()
    }

    /// What a run may do that keeps to it.
    fn planned(&self) -> Planned {
        let said = |step: &Value| {
            Some((step["thing"].as_str()?.to_owned(), Action::deserialize(&step["action"]).ok()?))
        };
        self.steps.iter().filter_map(said).collect()
    }
}

impl Deployment {
    /// A plan of this deployment for the selection, as it can be saved.
    ///
    /// # Errors
    /// When a step cannot be written as JSON.
    pub fn saved(&self, selection: &Selection, plan: &Plan) -> Result<SavedPlan, Error> {
        let profile = self.world.placements().profile.name;
        let name = self.world.scope(0).name();
        let layout = name.strip_suffix(profile).filter(|_| !profile.is_empty());
        let layout = layout.and_then(|name| name.strip_suffix('-')).unwrap_or(name);
        let steps = plan.steps.iter().map(told).collect::<Result<_, _>>();
        Ok(SavedPlan {
            layout: layout.to_owned(),
            profile: profile.to_owned(),
            store: self.snapshot.id.clone(),
            run: self.ledger.run().checked_sub(1).unwrap_or(self.snapshot.run),
            instead: self.options.instead.map(|node| node.name.to_owned()),
            seed: self.options.rehearsal.seed,
            selection: selection.clone(),
            steps: steps.map_err(Error::host("a step cannot be written as JSON"))?,
        })
    }

    /// Makes sure that a plan that was saved is of this layout and state.
    ///
    /// # Errors
    /// [`ErrorKind::Outdated`] when it is not, with all that is different.
    pub fn is_of(&self, saved: &SavedPlan) -> Result<(), Error> {
        let now = self.saved(&saved.selection, &Plan::default())?;
        let mut differs = saved.foreign(&now);
        if differs.is_empty() {
            differs.extend(self.since(saved)?);
        }
        outdated(differs)
    }

    /// What has become of the state since a plan was saved.
    fn since(&self, saved: &SavedPlan) -> Result<Vec<String>, Error> {
        match (&saved.store, &self.snapshot.id) {
            (Some(then), Some(now)) if then != now => {
                return Ok(vec!["the layout's state is another: it was destroyed and deployed again, or is kept elsewhere".to_owned()]);
            }
            (Some(_), None) => {
                return Ok(vec!["the layout was destroyed, or its state is kept elsewhere".to_owned()]);
            }
            _ => {}
        }
        let journal = self.ledger.journal(saved.run);
        let journal = journal.unwrap_or_else(|| Snapshot::journal(&self.dirs, saved.run))?;
        let entries = journal.iter().chain(&self.snapshot.unfinished);
        let mut changes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for entry in entries.filter(|entry| entry.run > saved.run && entry.run != self.ledger.run()) {
            let change = format!("{} {}", entry.action, entry.thing);
            let run = changes.entry(entry.run).or_default();
            if !run.contains(&change) {
                run.push(change);
            }
        }
        Ok(changes
            .into_iter()
            .map(|(run, what)| format!("run {run} has done: {}", what.join(", ")))
            .collect())
    }

    /// From now on this deployment does what was saved and nothing else, or refuses because that is not `plan`, which is what
    /// would be done now. What turns out to need something else at its turn fails.
    ///
    /// # Errors
    /// [`ErrorKind::Outdated`] when the plan no longer holds, with all that has changed, thing by thing.
    pub fn keep_to(&self, saved: &SavedPlan, plan: &Plan) -> Result<(), Error> {
        self.is_of(saved)?;
        let now = self.saved(&saved.selection, plan)?;
        outdated(differences(&saved.steps, &now.steps))?;
        // Twice the same plan is the same.
        self.planned.set(saved.planned()).ok();
        Ok(())
    }
}

/// A step as it is told in a plan that is saved: why it is done in words, as before reasons had a type.
fn told(step: &Step) -> Result<Value, serde_json::Error> {
    let mut told = serde_json::to_value(step)?;
    told.as_object_mut().map(|told| told.remove("reason"));
    Ok(told)
}

fn outdated(differs: Vec<String>) -> Result<(), Error> {
    if differs.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Outdated, "the plan does not hold any more, and nothing was done")
        .because(differs.join("\n"))
        .hint("plan again, with `plan --out FILE`, and look at what it says"))
}

/// What would be done differently now, thing by thing.
fn differences(then: &[Value], now: &[Value]) -> Vec<String> {
    fn of<'a>(steps: &'a [Value], all: &mut BTreeMap<&'a str, [Vec<&'a Value>; 2]>, at: usize) {
        for step in steps {
            all.entry(step["thing"].as_str().unwrap_or_default()).or_default()[at].push(step);
        }
    }
    let mut all = BTreeMap::new();
    of(then, &mut all, 0);
    of(now, &mut all, 1);
    let word = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let said = |steps: &[&Value]| {
        let said: Vec<_> = steps
            .iter()
            .map(|step| format!("{}, because {}", word(step, "action"), word(step, "why")))
            .collect();
        if said.is_empty() { "nothing".to_owned() } else { said.join("; ") }
    };
    let mut differs = Vec::new();
    for (thing, [then, now]) in all {
        if then == now {
            continue;
        }
        let (before, after) = (said(&then), said(&now));
        differs.push(match before == after {
            true => format!("{thing}: {after}, but in another way: {}", others(&then, &now)),
            false => format!("{thing}: planned was: {before}; now it is: {after}"),
        });
    }
    if differs.is_empty() && then != now {
        differs.push("the steps come in another order".to_owned());
    }
    differs
}

/// What is known of steps that differ in nothing else.
fn others(then: &[&Value], now: &[&Value]) -> String {
    let mut others = Vec::new();
    for (then, now) in then.iter().zip(now) {
        let keys = [then, now].into_iter().filter_map(|step| step.as_object()).flat_map(|step| step.keys());
        let keys: std::collections::BTreeSet<_> = keys.collect();
        for key in keys.into_iter().filter(|key| then[*key] != now[*key]) {
            others.push(format!("{key} {} are now {}", then[key], now[key]));
        }
    }
    others.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(thing: &str, action: &str, why: &str) -> Value {
        json!({ "thing": thing, "action": action, "why": why, "details": ["eth0"] })
    }

    fn saved() -> SavedPlan {
        SavedPlan {
            layout: "lab".into(),
            profile: String::new(),
            store: None,
            run: 3,
            instead: None,
            seed: 0,
            selection: Selection { include: vec!["worker-*".parse().unwrap()], ..Selection::all() },
            steps: vec![step("machine:m", "create", "it does not exist")],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan");
        fs::write(&path, "what was there before").unwrap();
        saved().write(&path).unwrap();
        assert_eq!(SavedPlan::read(&path).unwrap(), saved());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(saved().write(&dir.path().join("no/plan")).unwrap_err().next_step().is_some());
        assert!(SavedPlan::read(&dir.path().join("none")).unwrap_err().next_step().is_some());
    }

    #[test]
    fn another_layout_profile_or_world_is_told() {
        let then = SavedPlan { instead: Some("Simulated".into()), seed: 7, ..saved() };
        let now = SavedPlan { layout: "web".into(), profile: "full".into(), ..saved() };
        assert_eq!(
            then.foreign(&now),
            [
                "layout: planned was for `lab`, and this is `web`",
                "profile: planned was for none, and this is `full`",
                "simulated world: planned was for `Simulated 7`, and this is none",
            ]
        );
        assert!(then.foreign(&then).is_empty());
    }

    #[test]
    fn what_is_damaged_at_any_place_is_no_plan() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan");
        saved().write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for at in 0..text.len() - 1 {
            assert!(SavedPlan::parse(&text[..at], &path).is_err(), "cut at {at}");
        }
        let other = SavedPlan::parse(&text.replace("worker", "master"), &path).unwrap_err();
        assert!(crate::chain(&other).contains("damaged"), "{other:?}");
        let newer = text.replace("\"carthage-plan\":1", "\"carthage-plan\":2");
        let newer = SavedPlan::parse(&newer, &path).unwrap_err();
        assert!(crate::chain(&newer).contains("version 2, and this is 1"), "{newer:?}");
        assert!(SavedPlan::parse("", &path).is_err() && SavedPlan::parse("{}\n{}\n", &path).is_err());
    }

    #[test]
    fn differences_are_told_thing_by_thing() {
        let then =
            [step("machine:a", "create", "x"), step("machine:b", "run", "y"), step("machine:c", "run", "z")];
        let mut changed = then[2].clone();
        changed["details"] = json!(["eth1"]);
        let now = [step("machine:a", "recreate", "w"), changed, step("machine:d", "start", "v")];
        assert_eq!(
            differences(&then, &now),
            [
                "machine:a: planned was: create, because x; now it is: recreate, because w",
                "machine:b: planned was: run, because y; now it is: nothing",
                "machine:c: run, because z, but in another way: details [\"eth0\"] are now [\"eth1\"]",
                "machine:d: planned was: nothing; now it is: start, because v",
            ]
        );
        let turned = [then[1].clone(), then[0].clone(), then[2].clone()];
        assert_eq!(differences(&then, &turned), ["the steps come in another order"]);
        assert!(differences(&then, &then).is_empty());
    }

    #[test]
    fn steps_are_told_as_before_reasons_had_a_type() {
        let details = vec!["eth0".to_owned()];
        let now = Step { details, ..Step::new("machine:m", Action::Create, crate::reason::Reason::Missing) };
        assert_eq!(told(&now).unwrap(), step("machine:m", "create", "it does not exist"));
    }

    #[test]
    fn a_run_keeps_to_what_was_planned() {
        let mut plan = saved();
        plan.steps.push(step("task:m/s.t", "ask", "it is asked once its machine runs"));
        let (planned, why) = (plan.planned(), crate::reason::Reason::Missing);
        assert!(planned.allows("machine:m", Action::Create, &why).is_ok());
        assert!(
            planned.allows("task:m/s.t", Action::Run, &why).is_ok(),
            "what was not known may be anything"
        );
        let other = planned.allows("machine:m", Action::Recreate, &why).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Outdated);
        assert!(planned.allows("machine:n", Action::Create, &why).is_err());
    }
}
