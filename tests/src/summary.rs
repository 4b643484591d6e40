//! A finished run in figures: the JSON that `cargo demo -- --headless` prints as its last line.

use crate::harness::{Fixed, Harness};
use crate::inputs::Inputs;
use crate::oracle::{self, Finding, Law};
use line_engine::{record, snapshot};
use line_model::decision::Decision;
use line_model::memory::Memory;
use line_model::reason::Reason;
use serde::Serialize;
use std::collections::BTreeMap;
use units::Micros;

/// The figures of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The one seed.
    pub seed: u64,
    /// Plant profile.
    pub profile: String,
    /// Parcels that the plant's induction eye saw.
    pub plant_parcels: u64,
    /// Parcels that the controller inducted.
    pub inducted: u64,
    /// Landed in the chute first decided.
    pub landed_planned: u64,
    /// Landed in a chute decided later.
    pub landed_alternate: u64,
    /// Off the end, by reason code.
    pub end_landed: BTreeMap<&'static str, u64>,
    /// Gone round, by reason code: inducted again since.
    pub recirculated: BTreeMap<&'static str, u64>,
    /// Inducted, each parcel once.
    pub distinct: u64,
    /// Of those that landed: for a reason, in an exception chute or an alternate.
    pub landed_for: BTreeMap<&'static str, u64>,
    /// Taken off by a person.
    pub removed: u64,
    /// Lost by tracking.
    pub lost: u64,
    /// Fired, not confirmed.
    pub unconfirmed: u64,
    /// Still on the line.
    pub on_line: u64,
    /// Oracle: wrong chute by decision.
    pub wrong_by_decision: u64,
    /// Oracle: wrong place unreported.
    pub wrong_unreported: u64,
    /// Oracle: wrong place by mechanics.
    pub wrong_mechanical: u64,
    /// Oracle: parcels without counterpart.
    pub oracle_lost: u64,
    /// Oracle: parcels counted twice.
    pub oracle_doubled: u64,
    /// Oracle: parcels with one right code and a place in the plan.
    pub sortable: u64,
    /// Oracle: those that lie in an allowed chute.
    pub sorted: u64,
    /// Whether the outcome equation holds.
    pub ties: bool,
    /// Virtual time of the run.
    pub virtual_seconds: u64,
    /// Wall time of the run.
    pub wall_seconds: f64,
    /// Inductions an hour while the line ran.
    pub parcels_per_hour: u64,
    /// Geometric limit of the layout.
    pub geometric_limit_per_hour: u64,
    /// Journal records.
    pub records: u64,
    /// Head of the journal's hash chain.
    pub journal_hash: String,
}

/// A run's figures together with what the oracle found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The figures.
    pub summary: Summary,
    /// The oracle's findings in words.
    pub finding: Finding,
}

/// Every decision of a journal, in order.
///
/// # Panics
/// When a record of our own journal is not readable.
pub fn decisions(records: &[Vec<u8>]) -> Vec<Decision> {
    let decoded = records.iter().map(|bytes| record::decode(bytes).expect("our own record"));
    decoded.flat_map(|record| record.decisions).collect()
}

/// What a restart finds in the journal.
pub struct Recovered {
    /// The line's state.
    pub memory: Memory,
    /// Number of the next record.
    pub next_record: u64,
    /// Instant of the last record.
    pub last_at: Micros,
}

/// Rebuilds the line from a snapshot and the records behind it, or from all records, and proves
/// that a snapshot survives its codec.
pub fn recover(
    fixed: &Fixed,
    snapshot: Option<&(u64, Vec<u8>)>,
    records: &[Vec<u8>],
) -> Result<Recovered, String> {
    let layout = fixed.line.engine.layout.clone();
    let (number, mut line) = match snapshot {
        None => (0, line_model::Line::new(layout)),
        Some((number, bytes)) => {
            let memory = snapshot::decode(bytes).map_err(|why| format!("{why:?}"))?;
            (*number, line_model::Line::resume(layout, memory))
        }
    };
    let (mut next_record, mut last_at) = (number + 1, line.memory().now);
    let behind = usize::try_from(number).map_err(|why| why.to_string())?;
    for bytes in records.get(behind..).unwrap_or_default() {
        let decoded = record::decode(bytes).map_err(|why| format!("{why:?}"))?;
        let mut out = Vec::new();
        line.handle(decoded.at, decoded.input, &mut out);
        if out != decoded.decisions {
            return Err(format!("record {} replays differently", decoded.number));
        }
        (next_record, last_at) = (decoded.number + 1, decoded.at);
    }
    let bytes = snapshot::encode(line.memory());
    let memory = snapshot::decode(&bytes).map_err(|why| format!("{why:?}"))?;
    if memory != *line.memory() {
        return Err("the snapshot does not equal the state".to_owned());
    }
    Ok(Recovered { memory, next_record, last_at })
}

/// Longest drain after the last parcel was fed.
const DRAIN: Micros = Micros::from_secs(600);
/// Longest run per parcel: a line that stands still ends its run.
const PER_PARCEL: u64 = 20;

/// Runs to the end, judges and counts.
pub fn run(inputs: &Inputs) -> Result<Report, crate::harness::SetupFault> {
    let mut harness = Harness::new(inputs)?;
    let parcels = inputs.parcels.unwrap_or(u64::MAX / PER_PARCEL);
    let limit = Micros::from_secs(parcels.saturating_mul(PER_PARCEL)).plus(DRAIN);
    harness.run_until(limit, Harness::drained);
    Ok(report(&harness, inputs))
}

/// Judges and counts a run as it stands.
///
/// # Panics
/// When an input file vanished during the run.
pub fn report(harness: &Harness, inputs: &Inputs) -> Report {
    let file = |path: &std::path::Path| std::fs::read_to_string(path).expect("read before");
    let law = Law::read(&file(&inputs.plan), &file(&inputs.manifest), &file(&inputs.line));
    let decisions = decisions(&harness.disk.records);
    let truth = harness.world.truth();
    let actual: Vec<_> = truth.parcels.iter().filter_map(oracle::Actual::of).collect();
    let finding = oracle::judge(&law, &actual, &oracle::beliefs(decisions.iter()));
    let line = harness.engine().expect("alive").line();
    let tally = &line.memory().tally;
    let inducted: Vec<Micros> = truth.parcels.iter().filter_map(|p| p.inducted_at).collect();
    let count = |list: &Vec<String>| list.len() as u64;
    let summary = Summary {
        seed: inputs.seed,
        profile: inputs.profile.clone(),
        plant_parcels: inducted.len() as u64,
        inducted: tally.inducted,
        landed_planned: tally.landed_planned,
        landed_alternate: tally.landed_alternate,
        end_landed: codes(&tally.end_landed),
        recirculated: codes(&tally.recirculated),
        distinct: tally.distinct(),
        landed_for: codes(&tally.landed_for),
        removed: tally.removed,
        lost: tally.lost,
        unconfirmed: tally.unconfirmed,
        on_line: tally.on_line,
        wrong_by_decision: count(&finding.wrong_by_decision),
        wrong_unreported: count(&finding.wrong_unreported),
        wrong_mechanical: count(&finding.wrong_mechanical),
        oracle_lost: count(&finding.lost),
        oracle_doubled: count(&finding.doubled),
        sortable: finding.sortable,
        sorted: finding.sorted,
        ties: tally.ties(),
        virtual_seconds: harness.now().0 / 1_000_000,
        wall_seconds: 0.0,
        parcels_per_hour: per_hour(&inducted),
        geometric_limit_per_hour: u64::from(harness.fixed.line.geometric_limit_per_hour()),
        records: harness.disk.records.len() as u64,
        journal_hash: harness.disk.head().hex(),
    };
    Report { summary, finding }
}

/// Counts by the codes of their reasons.
fn codes(counts: &BTreeMap<Reason, u64>) -> BTreeMap<&'static str, u64> {
    counts.iter().map(|(reason, count)| (reason.code(), *count)).collect()
}

/// Inductions an hour between the first and the last one.
fn per_hour(inducted: &[Micros]) -> u64 {
    let (Some(first), Some(last)) = (inducted.iter().min(), inducted.iter().max()) else {
        return 0;
    };
    let gaps = inducted.len().saturating_sub(1) as u64;
    (gaps * 3_600_000_000).checked_div(last.since(*first).0).unwrap_or(0)
}
