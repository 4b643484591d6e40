//! The files that a run stands on: line, plant truth, manifest and plan.

use crate::harness::SetupFault;
use line_sim::scenario::{Entry, Scenario, ScenarioError, Source};
use line_sim::{Faults, Feed};
use std::path::{Path, PathBuf};

/// Files and choices of one run.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Line file.
    pub line: PathBuf,
    /// Plant truth; the controller never sees it.
    pub plant: PathBuf,
    /// Manifest CSV.
    pub manifest: PathBuf,
    /// Sort plan.
    pub plan: PathBuf,
    /// Plant profile.
    pub profile: String,
    /// How parcels come: `saturated` or `people`.
    pub feed: String,
    /// Parcels to feed; `None` = without end.
    pub parcels: Option<u64>,
    /// The one seed.
    pub seed: u64,
    /// What goes wrong on every bus.
    pub faults: line_sim::Faults,
    /// What a scenario makes happen.
    pub events: Vec<line_sim::scenario::Entry>,
}

/// Everything that makes one run: the texts themselves and the choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Line file.
    pub line: String,
    /// Plant truth.
    pub plant: String,
    /// Manifest CSV.
    pub manifest: Vec<u8>,
    /// Sort plan.
    pub plan: String,
    /// Plant profile.
    pub profile: String,
    /// How parcels come.
    pub feed: Feed,
    /// Parcels to feed; `None` = without end.
    pub parcels: Option<u64>,
    /// The one seed.
    pub seed: u64,
    /// What goes wrong on every bus.
    pub faults: line_sim::Faults,
    /// What is made to happen.
    pub events: Vec<Entry>,
    /// Seconds since 1970-01-01 UTC at the beginning; `None` = the controller is not told.
    pub utc_s: Option<u64>,
}

impl Case {
    /// The case of a scenario; its paths begin at `root`.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn of(scenario: &Scenario, root: &Path) -> Result<Self, SetupFault> {
        let fault = |why: ScenarioError| SetupFault(why.to_string());
        let text = |source: &Source| source.text(root).map_err(fault);
        let mut plant: toml::Table = text(&scenario.plant)?
            .parse()
            .map_err(|why: toml::de::Error| SetupFault(why.to_string()))?;
        let profile = scenario.plant_file(root).map_err(fault)?.profile;
        let profile = toml::Value::try_from(profile).map_err(|why| SetupFault(why.to_string()))?;
        plant.insert("profile".to_owned(), profile);
        let faults = scenario.faults.as_deref().map_or(Ok(Faults::NONE), Faults::parse);
        Ok(Self {
            line: text(&scenario.line)?,
            plant: toml::to_string(&plant).map_err(|why| SetupFault(why.to_string()))?,
            manifest: text(&scenario.manifest)?.into_bytes(),
            plan: text(&scenario.plan)?,
            profile: scenario.profile.clone(),
            feed: scenario.feed,
            parcels: scenario.parcels,
            seed: scenario.seed,
            faults: faults.map_err(|why| SetupFault(why.to_string()))?,
            events: scenario.events.clone(),
            utc_s: scenario.utc_s,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SetupFault> {
    std::fs::read(path)
        .map_err(|why| SetupFault(format!("failed to read {}: {why}", path.display())))
}

fn text(path: &Path) -> Result<String, SetupFault> {
    String::from_utf8(read(path)?)
        .map_err(|_| SetupFault(format!("{} is not UTF-8", path.display())))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("workspace root").to_path_buf()
}

impl Inputs {
    /// The demo line with its example files.
    pub fn demo(parcels: u64, seed: u64) -> Self {
        Self::on("factory-line", parcels, seed)
    }

    /// The fast line with the same plan and manifest.
    pub fn fast(parcels: u64, seed: u64) -> Self {
        Self::on("factory-line-fast", parcels, seed)
    }

    fn on(name: &str, parcels: u64, seed: u64) -> Self {
        let examples = root().join("controller/examples");
        Self {
            line: examples.join(format!("{name}.toml")),
            plant: root().join(format!("sim/plants/{name}.plant.toml")),
            manifest: examples.join("manifest.csv"),
            plan: examples.join("plan.toml"),
            profile: "normal".to_owned(),
            feed: "saturated".to_owned(),
            parcels: Some(parcels),
            seed,
            faults: line_sim::Faults::NONE,
            events: Vec::new(),
        }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// The first file that cannot be read, or a feed that does not exist.
    pub fn read(&self) -> Result<Case, SetupFault> {
        let feed = Feed::named(&self.feed)
            .ok_or_else(|| SetupFault("feed: neither saturated nor people".to_owned()))?;
        Ok(Case {
            line: text(&self.line)?,
            plant: text(&self.plant)?,
            manifest: read(&self.manifest)?,
            plan: text(&self.plan)?,
            profile: self.profile.clone(),
            feed,
            parcels: self.parcels,
            seed: self.seed,
            faults: self.faults.clone(),
            events: self.events.clone(),
            utc_s: None,
        })
    }
}
