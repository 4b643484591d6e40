//! Deaths of the controller at chosen records of a run, and what must hold after each of them.
//!
//! [`walk`] goes through one run and forks it whole (world, wires, disk) whenever a record was made;
//! [`Fork::live_through`] lets the fork's controller die, brings it back from the last snapshot and
//! the records behind it, runs the line empty and judges it.

use crate::harness::Harness;
use crate::inputs::Inputs;
use crate::oracle::{self, Actual, Belief, Finding, Law};
use line_engine::record::{self, Decoded};
use line_model::Memory;
use line_model::ids::NodeId;
use line_model::layout::Layout;
use line_model::packml::State;
use line_model::signal::Input;
use line_sim::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use units::Micros;

/// Records between two snapshots of the run: the tail of a restart is half of that on average.
const SNAPSHOT_EVERY: u64 = 150;
/// How long a line may take to run empty after a restart.
const DRAIN_MAX: Micros = Micros::from_secs(240);

/// What had become of the commits under way when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The record before this one was the last that became durable.
    Before,
    /// This record became durable, and nobody heard of it.
    Behind,
    /// The commit under way is torn: nothing of it is there, nor of what waited behind it.
    Torn,
}

/// How long nobody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// Well within the lease.
    Short,
    /// About as long as the lease: nodes may have expired or not.
    Edge,
    /// Longer than any lease.
    Long,
}

/// One way to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// The record that had just been made.
    pub record: u64,
    /// What is durable.
    pub cut: Cut,
    /// How long it stays away.
    pub away: Away,
}

/// Every combination.
const WAYS: [(Cut, Away); 9] = [
    (Cut::Before, Away::Short),
    (Cut::Before, Away::Edge),
    (Cut::Before, Away::Long),
    (Cut::Behind, Away::Short),
    (Cut::Behind, Away::Edge),
    (Cut::Behind, Away::Long),
    (Cut::Torn, Away::Short),
    (Cut::Torn, Away::Edge),
    (Cut::Torn, Away::Long),
];

impl Death {
    /// Every way to die at a record.
    pub fn all(record: u64) -> impl Iterator<Item = Self> {
        WAYS.into_iter().map(move |(cut, away)| Self { record, cut, away })
    }

    /// One of them, by the seed.
    pub fn one(record: u64, seed: u64) -> Self {
        let (cut, away) = WAYS[Rng::stream(seed, &format!("way {record}")).index(WAYS.len())];
        Self { record, cut, away }
    }

    /// The absence itself; the lease of the example lines is 3 s.
    fn gap(self, seed: u64) -> Micros {
        let mut rng = Rng::stream(seed, &format!("away {} {:?}", self.record, self.away));
        Micros::from_millis(match self.away {
            Away::Short => rng.span([5, 2_000]),
            Away::Edge => rng.span([2_700, 3_400]),
            Away::Long => rng.span([4_000, 20_000]),
        })
    }
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {}, {:?}, {:?}", self.record, self.cut, self.away)
    }
}

/// What is known of the run when a fork is taken.
pub struct Fork<'a> {
    /// The run.
    pub run: Harness,
    /// The plan and the manifest as the judge reads them.
    pub law: &'a Law,
    /// Everything believed by records that were durable.
    beliefs: &'a BTreeMap<u64, Belief>,
    /// How many these are.
    believed: usize,
}

/// What came of a death.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// The line ran when the controller was back.
    pub went_on: bool,
    /// Arms that a node still held were adopted.
    pub adopted: u64,
    /// Landings that were left open for a person.
    pub unconfirmed: u64,
    /// Readable, routable parcels, and those of them that lie where they may.
    pub sortable: u64,
    /// See `sortable`.
    pub sorted: u64,
}

/// Runs `inputs` to the end and hands a fork to `at` whenever a record was made; returns how many
/// records there were.
///
/// # Errors
/// When the run itself does not run empty, or `at` says so.
pub fn walk(
    inputs: &Inputs,
    mut at: impl FnMut(u64, &Fork<'_>) -> Result<(), String>,
) -> Result<u64, String> {
    let mut run = Harness::new(inputs).map_err(|fault| fault.to_string())?;
    let file = |path: &std::path::Path| std::fs::read_to_string(path).expect("read before");
    let law = Law::read(&file(&inputs.plan), &file(&inputs.manifest), &file(&inputs.line));
    let (mut beliefs, mut believed, mut made) = (BTreeMap::new(), 0, 0);
    let limit = Micros::from_secs(inputs.parcels.unwrap_or_default() * 20 + 600);
    while run.now() < limit && !run.drained() {
        run.step(limit);
        let from = std::mem::replace(&mut made, run.disk.offered());
        if made == from {
            continue;
        }
        believe(&mut beliefs, &run.disk.records[believed..]);
        believed = run.disk.records.len();
        let fork = Fork { run, law: &law, beliefs: &beliefs, believed };
        (from + 1..=made).try_for_each(|record| at(record, &fork))?;
        run = fork.run;
        if made / SNAPSHOT_EVERY > from / SNAPSHOT_EVERY {
            run.snapshot();
        }
    }
    if run.drained() { Ok(made) } else { Err("the run itself does not run empty".to_owned()) }
}

fn believe(beliefs: &mut BTreeMap<u64, Belief>, records: &[Vec<u8>]) {
    for record in decoded(records) {
        oracle::believe(beliefs, record.decisions.iter());
    }
}

fn decoded(records: &[Vec<u8>]) -> impl Iterator<Item = Decoded> {
    records.iter().map(|bytes| record::decode(bytes).expect("our own record"))
}

impl Fork<'_> {
    /// Kills, restarts, runs empty and judges a copy of the run; `spoil` may falsify what the
    /// controller finds when it comes back.
    ///
    /// # Errors
    /// What does not hold.
    pub fn live_through(
        &self,
        death: Death,
        seed: u64,
        spoil: fn(&mut Harness),
    ) -> Result<Lived, String> {
        let mut run = self.run.clone();
        match death.cut {
            Cut::Before => run.disk.cut_behind(death.record - 1),
            Cut::Behind => run.disk.cut_behind(death.record),
            Cut::Torn => run.disk.cut(),
        }
        run.kill();
        run.world.stop_feed();
        let back = run.now().plus(death.gap(seed));
        run.run_until(back, |_| false);
        let durable = run.disk.records.len();
        let before = run.disk.replayed().clone();
        spoil(&mut run);
        run.restart();
        let state = run.engine().expect("alive").line().memory().machine.mode.state();
        run.please_keep_running();
        let limit = run.now().plus(DRAIN_MAX);
        if !run.run_until(limit, Harness::drained) {
            return Err(stuck(&run));
        }
        let since: Vec<Decoded> = decoded(&run.disk.records[durable..]).collect();
        let lease = run.fixed.line.engine.layout.limits.lease;
        let gap = resumed(&since)?;
        let may_go_on = before.machine.mode.state() == State::Execute && gap <= lease;
        if may_go_on != (state == State::Execute) {
            let before = before.machine.mode.state();
            return Err(format!("it was in {before:?}, {} ms ago, now {state:?}", gap.millis()));
        }
        let adopted = arms_first(&run.fixed.line.engine.layout, &since, &before)?;
        let mut lived = self.judge(&run, durable)?;
        (lived.went_on, lived.adopted) = (state == State::Execute, adopted);
        Ok(lived)
    }

    /// Lets the oracle judge the run, of whose journal `durable` records are older than the death.
    fn judge(&self, run: &Harness, durable: usize) -> Result<Lived, String> {
        let mut beliefs = self.beliefs.clone();
        believe(&mut beliefs, &run.disk.records[self.believed.min(durable)..]);
        let tally = &run.engine().expect("alive").line().memory().tally;
        if !tally.ties() {
            return Err(format!("the outcome equation does not tie: {tally:?}"));
        }
        let actual: Vec<Actual> = run.world.truth().parcels.iter().filter_map(Actual::of).collect();
        if tally.inducted != actual.len() as u64 {
            return Err(format!("{} parcels came in, {} counted", actual.len(), tally.inducted));
        }
        let found = oracle::judge(self.law, &actual, &beliefs);
        let Finding {
            wrong_by_decision, wrong_unreported, wrong_mechanical, lost, doubled, ..
        } = &found;
        let wrong =
            [wrong_by_decision, wrong_unreported, wrong_mechanical, lost, doubled].map(Vec::len);
        if wrong != [0; 5] {
            return Err(format!("{found:?}"));
        }
        if let Some((id, belief)) = beliefs.iter().find(|(_, belief)| belief.fired.len() > 1) {
            return Err(format!("parcel {id} was fired for more than once: {belief:?}"));
        }
        let (sortable, sorted) = (found.sortable, found.sorted);
        Ok(Lived { unconfirmed: tally.unconfirmed, sortable, sorted, ..Lived::default() })
    }
}

/// Why a line that should have run empty did not.
fn stuck(run: &Harness) -> String {
    let memory = run.engine().expect("alive").line().memory();
    let live: Vec<_> = memory.live.values().map(|parcel| (parcel.id, &parcel.fate)).collect();
    format!(
        "the line does not run empty: {:?} because of {:?}, unmet {:?}, live {live:?}, plant empty {}",
        memory.machine.mode,
        memory.machine.reason,
        run.view().line.unmet,
        run.world.is_drained(),
    )
}

/// The absence that the first record behind a restart tells.
fn resumed(since: &[Decoded]) -> Result<Micros, String> {
    match since.first().map(|record| &record.input) {
        Some(Input::Resumed { gap }) => Ok(*gap),
        other => Err(format!("the first record behind a restart is {other:?}")),
    }
}

/// Demands that the arms that a diverter of an unbroken boot holds are adopted before any event of it
/// is believed, and that no arm ends twice; returns how many arms were adopted.
fn arms_first(layout: &Layout, since: &[Decoded], before: &Memory) -> Result<u64, String> {
    let diverters: BTreeSet<NodeId> = layout.diverters.iter().map(|place| place.node).collect();
    let (mut listed, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let mut adopted = 0;
    for Decoded { number, input, .. } in since {
        let node = match input {
            Input::Adopted { node, tags } => {
                listed.insert(*node);
                adopted += tags.iter().filter(|tag| before.arms.contains_key(tag)).count() as u64;
                continue;
            }
            Input::NodeUp { node, restarted: true } => {
                listed.insert(*node);
                continue;
            }
            Input::Edge { eye, .. } => layout.eye(*eye).node,
            Input::ArmEnded { tag, .. } => {
                if !ended.insert(*tag) {
                    return Err(format!("record {number}: arm {tag:?} ends a second time"));
                }
                let Some(arm) = before.arms.get(tag) else { continue };
                layout.diverter(arm.plan.diverter).node
            }
            _ => continue,
        };
        if diverters.contains(&node) && !listed.contains(&node) {
            return Err(format!("record {number}: {input:?} before the arms of {node:?}"));
        }
    }
    Ok(adopted)
}
