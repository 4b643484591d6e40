//! One case from standstill to drained, and what is demanded of it.

use super::flow::{self, FLOWS_AGAIN};
use super::judge::{self, Journal, Verdict};
use super::near::Near;
use super::people::People;
use super::trouble;
use crate::harness::{Harness, Tamper};
use crate::inputs::Case;
use crate::oracle::Law;
use crate::summary;
use line_model::decision::{Decision, ParcelEvent};
use line_model::view::Tally;
use line_sim::Scenario;
use line_sim::rng::Rng;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use units::Micros;

/// What became of a case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The verdict over every parcel.
    pub verdict: Verdict,
    /// The line's tie-out.
    pub tally: Tally,
    /// Parcels of the plant that reached the induction eye.
    pub parcels: u64,
    /// Whether the line drained in time.
    pub drained: bool,
    /// Virtual time of the run.
    pub lasted: Micros,
    /// How often each reason was given.
    pub reasons: BTreeMap<String, u64>,
    /// How often each class of fault came.
    pub classes: BTreeMap<String, u64>,
    /// How long after the last trouble the next parcel came.
    pub again: Option<Micros>,
    /// Whether the wires were bad: then every parcel is near a trouble.
    pub bad_wires: bool,
}

/// Longest run per parcel and at all: a line that stands still fails.
const PER_PARCEL: Micros = Micros::from_secs(12);
const AT_LEAST: Micros = Micros::from_secs(900);
/// People look at the line this often.
const GLANCE: Micros = Micros::from_millis(500);

/// Runs a scenario to its end.
///
/// # Panics
/// When it cannot be set up: it was checked when it was drawn.
pub fn run(scenario: &Scenario, tamper: Option<Tamper>) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let case = Case::of(scenario, &root).unwrap_or_else(|why| panic!("{why}"));
    let (harness, drained) = to_the_end(&case, tamper);
    judge(&case, &harness, drained)
}

/// What is wrong with a scenario, in words; a panic is one thing, and so is what cannot be set up.
pub fn faults(scenario: &Scenario, tamper: Option<Tamper>) -> Vec<String> {
    let done = catch_unwind(AssertUnwindSafe(|| run(scenario, tamper)));
    done.map_or_else(|_| vec!["panicked".to_owned()], |outcome| outcome.faults())
}

/// Runs a case until it has drained, and says whether it did.
///
/// # Panics
/// When the case cannot be set up.
pub fn to_the_end(case: &Case, tamper: Option<Tamper>) -> (Harness, bool) {
    let mut harness = Harness::of(case).unwrap_or_else(|why| panic!("{why}"));
    if let Some(tamper) = tamper {
        harness.tamper(tamper);
    }
    let mut people = People::new(Rng::stream(case.seed, "people"));
    let parcels = case.parcels.unwrap_or(0);
    let limit = AT_LEAST.plus(Micros(PER_PARCEL.0.saturating_mul(parcels)));
    let mut drained = false;
    while !drained && harness.now() < limit {
        let until = harness.now().plus(GLANCE);
        drained = harness.run_until(until, Harness::drained);
        people.attend(&mut harness);
    }
    (harness, drained)
}

/// Judges a run as it stands.
pub fn judge(case: &Case, harness: &Harness, drained: bool) -> Outcome {
    let manifest = String::from_utf8_lossy(&case.manifest);
    let law = Law::read(&case.plan, &manifest, &case.line).told(case.utc_s);
    let truth = harness.world.truth();
    let journal = Journal::read(&harness.disk.records);
    let near = Near::find(&harness.fixed.line.file, truth);
    let tally = harness.engine().map(|engine| engine.line().memory().tally.clone());
    let wire = harness.world.tally();
    let mut classes: BTreeMap<String, u64> = wire
        .all()
        .filter(|(_, times)| *times > 0)
        .map(|(class, times)| (format!("wire {}", class.name()), times))
        .collect();
    for happened in truth.happened.iter().filter(|happened| happened.done) {
        *classes.entry(trouble::class(&happened.event)).or_insert(0) += 1;
    }
    let inducted = truth.parcels.iter().filter(|parcel| parcel.inducted_at.is_some()).count();
    let line = &harness.fixed.line.file;
    let mut verdict = judge::judge(&law, truth, &journal, &near);
    verdict.unfounded.extend(flow::unfounded(line, truth));
    verdict.unfounded.extend(flow::too_wide(line, journal.widest));
    Outcome {
        verdict,
        again: flow::again(truth),
        bad_wires: !case.faults.is_none(),
        tally: tally.unwrap_or_default(),
        parcels: u64::try_from(inducted).unwrap_or(u64::MAX),
        drained,
        lasted: harness.now(),
        reasons: reasons(harness),
        classes,
    }
}

fn reasons(harness: &Harness) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for decision in summary::decisions(&harness.disk.records) {
        if let Decision::Parcel { event, .. } = decision
            && let ParcelEvent::SentToEnd { reason }
            | ParcelEvent::Assigned { reason: Some(reason), .. } = event
        {
            *reasons.entry(reason.code().to_owned()).or_insert(0) += 1;
        }
    }
    reasons
}

impl Outcome {
    /// Everything that must never be, in words; empty when all is well.
    pub fn faults(&self) -> Vec<String> {
        let Verdict {
            wrong_by_decision,
            wrong_unreported,
            unexplained,
            unalarmed,
            lost,
            doubled,
            endless,
            wrong_reason,
            invented,
            closed,
            unfounded,
            ..
        } = &self.verdict;
        let mut faults = Vec::new();
        let mut take = |what: &str, list: &[String]| {
            faults.extend(list.iter().map(|one| format!("{what}: {one}")));
        };
        take("wrong by decision", wrong_by_decision);
        take("wrong unreported", wrong_unreported);
        take("wrong by mechanics, unexplained", unexplained);
        take("wrong by mechanics, not alarmed", unalarmed);
        take("lost", lost);
        take("doubled", doubled);
        take("without an end", endless);
        take("wrong reason", wrong_reason);
        take("landings invented", invented);
        take("decided for a closed chute", closed);
        take("turned without its edge", unfounded);
        if let Some(again) = self.again.filter(|again| *again > FLOWS_AGAIN) {
            faults.push(format!(
                "the line flowed only {} s after the last trouble",
                again.0 / 1_000_000
            ));
        }
        if !self.drained {
            faults.push(format!("not drained after {} s", self.lasted.0 / 1_000_000));
        }
        if !self.tally.ties() {
            faults.push(format!("the equation does not tie: {:?}", self.tally));
        }
        faults
    }
}
