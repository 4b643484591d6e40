//! Scenario files: which line with which files and seed, and what happens on it when.
//!
//! ```toml
//! line = "controller/examples/factory-line.toml"   # paths are relative to the repository's top
//! plan = "controller/examples/plan.toml"
//! plant = "sim/plants/factory-line.plant.toml"
//! manifest = "controller/examples/manifest.csv"
//! profile = "clean"                                 # of the plant file
//! seed = 7
//! feed = "saturated"                                # or "people"
//! parcels = 40                                      # absent = without end
//! utc_s = 1796034300                                # wall clock at the beginning; absent = none
//!
//! [overrides]                                       # optional: values of the profile
//! no_read_ppm = 0
//!
//! [[event]]
//! parcel = 12                                       # the plant's 12th parcel, from 0 …
//! at_mm = 3300                                      # … when its head comes here …
//! do = "take_off"
//!
//! [[event]]
//! at_ms = 30000                                     # … or at this time of the run
//! do = "eye_blocked"
//! eye = "D2"
//! for_ms = 4000
//! ```
//! Instead of a path, `line`, `plan`, `plant` and `manifest` may hold the text itself:
//! `line = { text = """…""" }`. Eyes are named as the line file names them, and else by what they
//! belong to: a zone's exit eye `Z1`, an arrival eye `D1`, `scanner`, `dws`, `end`, and a landing eye
//! `chute-3`. What each event does stands at [`Event`].

mod event;

pub use event::{Event, ReadFault};

use crate::bridge::{Faults, FaultsError};
use crate::items::{ManifestError, read_manifest};
use crate::plant::feed::Feed;
use crate::plant_file::{PlantFile, PlantFileError, Profile};
use crate::world::WorldSetup;
use line_file::LineFile;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A whole scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The line file.
    pub line: Source,
    /// The sort plan.
    pub plan: Source,
    /// The plant file.
    pub plant: Source,
    /// The manifest.
    pub manifest: Source,
    /// Profile of the plant file.
    pub profile: String,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// How parcels arrive.
    #[serde(default)]
    pub feed: Feed,
    /// How many parcels are put on; `None` = without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcels: Option<u64>,
    /// Seconds since 1970-01-01 UTC at the beginning, which the controller is told in virtual time;
    /// `None` = nobody tells it. Behind real endpoints it looks at its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_s: Option<u64>,
    /// What goes wrong on every bus, as [`crate::Faults::parse`] reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<String>,
    /// Values of the profile that are otherwise here.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub overrides: toml::Table,
    /// What happens.
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Entry>,
}

/// A file by its path, or its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// Path, relative to the repository's top.
    Path(String),
    /// The text itself.
    Inline {
        /// The text.
        text: String,
    },
}

/// One event with its instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// When, since the beginning of the run; absent when a parcel's place says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// The parcel that it acts on or waits for: its place in the truth, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<u64>,
    /// Where that parcel's head must have come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_mm: Option<i32>,
    /// What happens.
    #[serde(flatten)]
    pub event: Event,
}

/// When an entry's event happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time of the run, in ms.
    At(u64),
    /// When the head of this parcel has come to this place.
    Parcel {
        /// The parcel.
        parcel: u64,
        /// The place.
        at_mm: i32,
    },
}

impl Entry {
    /// An event at a time of the run.
    pub const fn at(at_ms: u64, event: Event) -> Self {
        Self { at_ms: Some(at_ms), parcel: None, at_mm: None, event }
    }

    /// An event when a parcel's head has come to a place.
    pub const fn on(parcel: u64, at_mm: i32, event: Event) -> Self {
        Self { at_ms: None, parcel: Some(parcel), at_mm: Some(at_mm), event }
    }

    /// When it happens.
    ///
    /// # Errors
    /// What is missing or too much.
    pub fn when(&self) -> Result<When, &'static str> {
        if self.event.needs_parcel() && self.parcel.is_none() {
            return Err("this event acts on a parcel: name it with `parcel`");
        }
        match (self.at_ms, self.parcel, self.at_mm) {
            (Some(at_ms), _, None) => Ok(When::At(at_ms)),
            (None, Some(parcel), Some(at_mm)) => Ok(When::Parcel { parcel, at_mm }),
            (Some(_), _, Some(_)) => Err("either `at_ms` or `at_mm`, not both"),
            (None, ..) => Err("when is missing: `at_ms`, or `parcel` with `at_mm`"),
        }
    }
}

/// Why a scenario cannot be used.
#[derive(Debug)]
pub enum ScenarioError {
    /// It is not TOML of this shape; the message names line and column.
    Shape(String),
    /// An event that nothing can be made of.
    Event {
        /// Its number in the file, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file that it names cannot be read.
    Read {
        /// The path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The line file has not the shape.
    Line(String),
    /// The manifest has not the shape.
    Manifest(ManifestError),
    /// The faults of the buses are not understood.
    Faults(FaultsError),
    /// The plant file has not the shape.
    Plant(PlantFileError),
    /// The profile does not exist, or an override has not its shape.
    Profile(String),
}

impl core::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(message) => write!(f, "read the scenario: {}", message.trim_end()),
            Self::Event { number, why } => {
                write!(f, "read the scenario: event {number}: {}", why.trim_end())
            }
            Self::Read { path, source } => write!(f, "read {path}: {source}"),
            Self::Line(why) => write!(f, "read the scenario's line file: {}", why.trim_end()),
            Self::Manifest(source) => write!(f, "{source}"),
            Self::Faults(source) => write!(f, "{source}"),
            Self::Plant(source) => write!(f, "{source}"),
            Self::Profile(why) => write!(f, "use the scenario's profile: {}", why.trim_end()),
        }
    }
}

impl std::error::Error for ScenarioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Plant(source) => Some(source),
            Self::Manifest(source) => Some(source),
            Self::Faults(source) => Some(source),
            Self::Shape(_) | Self::Event { .. } | Self::Line(_) | Self::Profile(_) => None,
        }
    }
}

impl Source {
    /// The text; a path is looked for below `root`.
    ///
    /// # Errors
    /// When the file cannot be read as UTF-8.
    pub fn text(&self, root: &Path) -> Result<String, ScenarioError> {
        match self {
            Self::Inline { text } => Ok(text.clone()),
            Self::Path(path) => std::fs::read_to_string(root.join(path))
                .map_err(|source| ScenarioError::Read { path: path.clone(), source }),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first key that is unknown, missing or of the wrong type, or the first event without an
    /// instant.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let shape = |error: toml::de::Error| ScenarioError::Shape(error.to_string());
        let scenario: Self = toml::from_str(text).map_err(shape)?;
        let table: toml::Table = text.parse().map_err(shape)?;
        let rows = table.get("event").and_then(toml::Value::as_array);
        for (index, entry) in scenario.events.iter().enumerate() {
            let fault = |why: String| ScenarioError::Event { number: index + 1, why };
            entry.when().map_err(|why| fault(why.to_owned()))?;
            // A key that is lost on the way back is one that no event has.
            let known = toml::Table::try_from(entry).map_err(|error| fault(error.to_string()))?;
            let row = rows.and_then(|rows| rows.get(index)).and_then(toml::Value::as_table);
            let lost = row.into_iter().flat_map(toml::Table::keys);
            if let Some(key) = lost.into_iter().find(|key| !known.contains_key(*key)) {
                return Err(fault(format!("unknown key `{key}`")));
            }
        }
        Ok(scenario)
    }

    /// The scenario as a file that [`Scenario::parse`] reads back to the same.
    ///
    /// # Errors
    /// When a number does not fit into TOML.
    pub fn print(&self) -> Result<String, ScenarioError> {
        toml::to_string(self).map_err(|error| ScenarioError::Shape(error.to_string()))
    }

    /// What a world is built from; paths are looked for below `root`.
    ///
    /// # Errors
    /// The first file that cannot be read or has not its shape.
    pub fn setup(&self, root: &Path) -> Result<WorldSetup, ScenarioError> {
        let line = LineFile::parse(&self.line.text(root)?);
        let faults = self.faults.as_deref().map_or(Ok(Faults::NONE), Faults::parse);
        let manifest = self.manifest.text(root)?;
        Ok(WorldSetup {
            line: line.map_err(|error| ScenarioError::Line(error.message))?,
            plant: self.plant_file(root)?,
            manifest: read_manifest(manifest.as_bytes()).map_err(ScenarioError::Manifest)?,
            seed: self.seed,
            feed: self.feed,
            profile: self.profile.clone(),
            parcels: self.parcels,
            faults: faults.map_err(ScenarioError::Faults)?,
            events: self.events.clone(),
        })
    }

    /// The plant file with the overrides in the scenario's profile.
    ///
    /// # Errors
    /// When it cannot be read or has no such profile, or an override has not its shape.
    pub fn plant_file(&self, root: &Path) -> Result<PlantFile, ScenarioError> {
        let mut file = PlantFile::parse(&self.plant.text(root)?).map_err(ScenarioError::Plant)?;
        if let Some(profile) = file.profile.get_mut(&self.profile) {
            *profile = overridden(profile, &self.overrides).map_err(ScenarioError::Profile)?;
        }
        Ok(file)
    }
}

/// The profile with some values replaced.
fn overridden(profile: &Profile, values: &toml::Table) -> Result<Profile, String> {
    let mut table = toml::Table::try_from(profile).map_err(|error| error.to_string())?;
    for (key, value) in values {
        if table.insert(key.clone(), value.clone()).is_none() {
            return Err(format!("no value `{key}`"));
        }
    }
    table.try_into().map_err(|error: toml::de::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &str = r#"
line = "controller/examples/factory-line.toml"
plan = { text = "x" }
plant = "sim/plants/factory-line.plant.toml"
manifest = "controller/examples/manifest.csv"
profile = "clean"
seed = 7
parcels = 40
"#;

    fn parse(more: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(&format!("{FILES}{more}"))
    }

    fn fault(more: &str) -> String {
        parse(more).expect_err("refused").to_string()
    }

    #[test]
    fn a_scenario_reads_and_prints_back_to_itself() {
        let scenario = parse(
            "[overrides]\nno_read_ppm = 3\n[[event]]\nparcel = 12\nat_mm = 3300\ndo = \"take_off\"\n\
             [[event]]\nat_ms = 30000\ndo = \"eye_blocked\"\neye = \"D2\"\nfor_ms = 4000\n",
        )
        .expect("well formed");
        let blocked = Event::EyeBlocked { eye: "D2".to_owned(), for_ms: Some(4_000) };
        let expected = [Entry::on(12, 3_300, Event::TakeOff), Entry::at(30_000, blocked)];
        assert_eq!(scenario.events, expected);
        assert_eq!(scenario.plan, Source::Inline { text: "x".to_owned() });
        let printed = scenario.print().expect("prints");
        assert_eq!(Scenario::parse(&printed).expect("reads"), scenario);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let plant = scenario.plant_file(&root).expect("shipped");
        assert_eq!(plant.profile["clean"].no_read_ppm, 3);
    }

    #[test]
    fn what_nothing_can_be_made_of_is_refused() {
        assert!(fault("x = 1").contains('x'));
        let event = |text: &str| fault(&format!("[[event]]\n{text}"));
        assert!(event("at_ms = 1\ndo = \"take_off\"").contains("event 1"));
        assert!(event("do = \"controller_kill\"").contains("when is missing"));
        assert!(event("at_ms = 1\ndo = \"controller_kill\"\nfoo = 2").contains("foo"));
        assert!(event("at_ms = 1\ndo = \"fly\"").contains("fly"));
        assert!(event("at_ms = 1\nparcel = 2\nat_mm = 3\ndo = \"take_off\"").contains("not both"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let scenario = parse("[overrides]\nno_raed_ppm = 3").expect("a table");
        let fault = scenario.plant_file(&root).expect_err("typo").to_string();
        assert!(fault.contains("no_raed_ppm"), "{fault}");
    }
}
