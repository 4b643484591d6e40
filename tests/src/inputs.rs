//! The files that a run stands on: line, plant truth, manifest and plan.

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
}
