//! A run that a test plays by hand: files changed a little, people at the panel, then the judge.

use crate::harness::{Harness, SetupFault};
use crate::inputs::{Case, Inputs};
use crate::{replays, summary};
use line_engine::record;
use line_model::alarm::Alarm;
use line_model::decision::Decision;
use line_model::packml::State;
use units::Micros;

/// A run and the files that it stands on.
pub struct Stage {
    /// Which run.
    pub inputs: Inputs,
    /// The run.
    pub harness: Harness,
}

impl Stage {
    /// Sets up a run whose files are changed first.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn of(inputs: Inputs, change: impl FnOnce(&mut Case)) -> Result<Self, SetupFault> {
        let mut case = inputs.read()?;
        change(&mut case);
        Ok(Self { harness: Harness::of(&case)?, inputs })
    }

    /// State of the line.
    ///
    /// # Panics
    /// When the controller is dead.
    pub fn state(&self) -> State {
        self.harness.view().line.state
    }

    /// Lets so many seconds pass.
    pub fn later(&mut self, seconds: u64) {
        let until = self.harness.now().plus(Micros::from_secs(seconds));
        self.harness.run_until(until, |_| false);
    }

    /// Waits for what `until` says, for at most so many seconds.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait(&mut self, what: &str, seconds: u64, until: impl FnMut(&Harness) -> bool) {
        let limit = self.harness.now().plus(Micros::from_secs(seconds));
        let came = self.harness.run_until(limit, until);
        let line = self.harness.view().line;
        assert!(came, "{what} within {seconds} s; seed {}, {:?}", self.inputs.seed, line.state);
    }

    /// Waits for a state.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&mut self, state: State, seconds: u64) {
        self.wait(state.name(), seconds, |harness| harness.view().line.state == state);
    }

    /// Waits until so many parcels were inducted.
    ///
    /// # Panics
    /// When they are not.
    pub fn flow(&mut self, parcels: u64) {
        self.wait("parcels flow", 300, |harness| harness.view().line.tally.inducted >= parcels);
    }

    /// Everything that was decided and is durable, with its instants.
    ///
    /// # Panics
    /// When a record of our own journal is not readable.
    pub fn decisions(&self) -> Vec<(Micros, Decision)> {
        let records = self.harness.disk.records.iter();
        records
            .map(|bytes| record::decode(bytes).expect("our own record"))
            .flat_map(|record| record.decisions.into_iter().map(move |one| (record.at, one)))
            .collect()
    }

    /// When an alarm was raised, each time.
    pub fn raised(&self, alarm: Alarm) -> Vec<Micros> {
        let told = Decision::Alarm { alarm, raised: true };
        let all = self.decisions().into_iter();
        all.filter(|(_, decision)| *decision == told).map(|(at, _)| at).collect()
    }

    /// Runs to the end and demands that nothing is wrong, lost or doubled, and that all replays.
    ///
    /// # Panics
    /// When something is.
    pub fn drain_and_judge(&mut self) -> summary::Summary {
        let seed = self.inputs.seed;
        let limit = self.harness.now().plus(Micros::from_secs(3_600));
        let drained = self.harness.run_until(limit, Harness::drained);
        let summary::Report { summary, finding } = summary::report(&self.harness, &self.inputs);
        let line = self.harness.view().line;
        let stuck = (line.state, line.reason, &line.unmet, &line.alarms, &line.parcels);
        assert!(drained, "seed {seed}: drains; {summary:?}; {stuck:?}");
        assert!(summary.ties && summary.on_line == 0, "seed {seed}: {summary:?}");
        assert_eq!(summary.inducted, summary.plant_parcels, "seed {seed}");
        let nothing = Vec::<String>::new();
        assert_eq!(finding.wrong_by_decision, nothing, "seed {seed}");
        assert_eq!(finding.wrong_unreported, nothing, "seed {seed}");
        assert_eq!(finding.doubled, nothing, "seed {seed}");
        assert_eq!(finding.lost, nothing, "seed {seed}");
        replays::run(&self.harness, 500);
        summary
    }
}

/// Sets a value of the run's profile in its plant file.
///
/// # Panics
/// When the plant file is no TOML.
pub fn profile(case: &mut Case, key: &str, value: impl Into<toml::Value>) {
    let mut plant: toml::Table = case.plant.parse().expect("the plant file is TOML");
    plant["profile"][case.profile.as_str()]
        .as_table_mut()
        .expect("a profile")
        .insert(key.to_owned(), value.into());
    case.plant = toml::to_string(&plant).expect("it was TOML");
}
