//! Everything the line remembers: plain data, so that a snapshot is the whole of it.

use crate::alarm::Alarm;
use crate::chute::ChuteMemory;
use crate::decision::{ArmPlan, Light};
use crate::ids::{ChuteNo, EyeId, ParcelId, Tag};
use crate::layout::Layout;
use crate::live::Live;
pub use crate::mode::{Belts, Mode};
use crate::packml::{StateReason, UnitMode};
use crate::parcel::OpenParcel;
use crate::plan::Plan;
use crate::rescan::RescanMemory;
use crate::signal::Command;
use crate::view::Tally;
use crate::waybills::Waybills;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Micros, Millis, Position};

/// The whole state of a line; a line resumed from it goes on identically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Latest instant ever given.
    pub now: Micros,
    /// PackML.
    pub machine: Machine,
    /// What is known of each node, by node id.
    pub nodes: Vec<NodeMemory>,
    /// Emergency-stop contacts that are tripped.
    pub estops: BTreeSet<u8>,
    /// The end chute is full.
    pub end_full: bool,
    /// The journal does not keep up.
    pub stalled: bool,
    /// The gapping zones were last told to release.
    pub release_open: bool,
    /// Lights that are on.
    pub lights: BTreeSet<Light>,
    /// The sorter belt.
    pub belt: Belt,
    /// Plans in force, oldest first; a parcel keeps the plan of its induction.
    pub plans: Vec<PlanInForce>,
    /// Number of the next parcel.
    pub next_parcel: u64,
    /// Name of the next arm.
    pub next_tag: u32,
    /// Parcels on the belt; the smallest number is furthest downstream.
    pub live: Live,
    /// Parcels that wait for a person.
    pub open: BTreeMap<ParcelId, OpenParcel>,
    /// Arms whose end has not been heard.
    pub arms: BTreeMap<Tag, Arm>,
    /// Who is under each eye, by eye id.
    pub under: Vec<Under>,
    /// Landing eyes that have spoken.
    pub landings: BTreeMap<ChuteNo, LandingEye>,
    /// Things without a parcel that were seen lately.
    pub strangers: Vec<Stranger>,
    /// Edges whose owners are open, at most one stretch an eye.
    pub stretches: Vec<Stretch>,
    /// Waybills in chutes, confirmed or not.
    pub landed: Waybills,
    /// Waybills that have gone round, by waybill; nothing on a line whose end is a chute.
    pub laps: BTreeMap<String, Laps>,
    /// The outcome equation.
    pub tally: Tally,
    /// Final landings by chute.
    pub chutes: BTreeMap<ChuteNo, u64>,
    /// What is known of each chute of the layout.
    pub at_chutes: BTreeMap<ChuteNo, ChuteMemory>,
    /// Belt position of the latest edge at each eye, by eye id; `None` before the first one.
    pub spoke: Vec<Option<Position>>,
    /// Wall-clock time as last told; `None` before.
    pub wall: Option<WallTime>,
    /// Alarms that stand.
    pub alarms: BTreeSet<Alarm>,
    /// Counts of what is not a parcel's outcome.
    pub counters: Counters,
    /// Running time, for the rate.
    pub running: Running,
    /// What people were told by alarms.
    pub annunciator: Annunciator,
    /// What the line is used for.
    pub unit_mode: UnitMode,
    /// The gap that the gapping zones were told last; zero = closed.
    pub release_gap: Distance,
    /// Running empty: belt position of the last edge, or where what still comes will be.
    pub quiet_from: Option<Position>,
    /// How well each eye sees, by eye id.
    pub eyes: Vec<EyeMemory>,
    /// When the belt's position last advanced.
    pub moved: Micros,
    /// When something last came in or waited to.
    pub active_at: Micros,
    /// Back-pressure on induction.
    pub pressure: Pressure,
    /// How the belt keeps its pace; `None` until the reference is heard while it runs.
    pub pace: Option<Pace>,
    /// The zone that somebody jogs.
    pub jog: Option<crate::jog::Jog>,
    /// What each re-scanner has told, by its place in the layout.
    pub rescanners: Vec<RescanMemory>,
}

/// Whether the belt's counts go on as its speed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Where the belt stood when it last kept its pace.
    pub at: Position,
    /// When that was heard.
    pub when: Micros,
    /// When the reference was last heard.
    pub heard: Micros,
}

/// How much induction is held back (line-practice: slow down, pause, resume at 80 %).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Not at all.
    #[default]
    None,
    /// Gaps are larger.
    SlowDown,
    /// Nothing comes in.
    Pause,
}

/// How well an eye sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EyeMemory {
    /// Blocked since; `None` when clear, or when an event that is gone may have cleared it.
    pub blocked: Option<Micros>,
    /// Parcels in a row that a later eye saw and this one did not.
    pub missed: u8,
    /// Such parcels since it is blocked.
    pub passed: u8,
    /// Pulses in a row that were shorter than their parcel.
    pub short: u8,
    /// Parcels in a row that were lost before it.
    pub lost: u8,
    /// Where the belt stood at the first of them.
    pub lost_from: Option<Position>,
}

/// What people were told by alarms and what they answered (ISA-18.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annunciator {
    /// Alarms that stand, and those that are gone and were not acknowledged.
    pub entries: BTreeMap<Alarm, Entry>,
    /// Conditions that came, with the instant at which the alarm is raised.
    pub rising: BTreeMap<Alarm, Micros>,
    /// Conditions that are gone, with the instant at which the alarm is cleared.
    pub falling: BTreeMap<Alarm, Micros>,
    /// 首发故障: the first alarm of high priority since the line was last reset or started.
    pub first_out: Option<Alarm>,
    /// When the latest alarms were raised, oldest first; for the flood.
    pub recent: VecDeque<Micros>,
}

impl Annunciator {
    /// For alarms of which nothing but their standing is known: nobody has acknowledged them.
    pub fn of(alarms: &BTreeSet<Alarm>, now: Micros) -> Self {
        let attention = Attention::Unacknowledged;
        let entry = Entry { since: now, attention, shelf: None };
        let entries = alarms.iter().map(|alarm| (*alarm, entry.clone())).collect();
        Self { entries, ..Self::default() }
    }
}

/// One alarm as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was raised.
    pub since: Micros,
    /// Whether a person has acknowledged it, and whether it still stands.
    pub attention: Attention,
    /// Put aside by a person.
    pub shelf: Option<Shelf>,
}

/// ISA-18.2 state of an alarm, besides shelved and suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// It stands, and nobody has said that they know.
    Unacknowledged,
    /// It is gone, and nobody has said that they know.
    Returned,
    /// It stands, and a person knows.
    Acknowledged,
}

/// An alarm put aside by a person, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Until then.
    pub until: Micros,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Wall-clock time at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallTime {
    /// The instant.
    pub at: Micros,
    /// Microseconds since 1970-01-01 UTC at it.
    pub utc_us: u64,
}

impl WallTime {
    /// Microseconds since 1970-01-01 UTC at `now`.
    pub const fn utc_us(self, now: Micros) -> u64 {
        self.utc_us.saturating_add(now.0.saturating_sub(self.at.0))
    }
}

/// PackML state with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Where it is.
    pub mode: Mode,
    /// Since when.
    pub since: Micros,
    /// Why it came there.
    pub reason: StateReason,
}

/// What is known of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeMemory {
    /// Reachable and checked.
    pub up: bool,
    /// Every event up to here was heard.
    pub heard: Option<Position>,
    /// Up to here its silence means nothing: it restarted or lost events.
    pub blind: Option<Position>,
    /// ± of its latest stamps.
    pub spread: Distance,
}

/// The sorter belt as last known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belt {
    /// Latest position told by any node.
    pub at: Option<Position>,
    /// When it was told, or when the belt started or stopped since.
    pub when: Micros,
    /// Told to run.
    pub moving: bool,
}

/// A plan and the first parcel that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInForce {
    /// Parcels from this number on.
    pub from: ParcelId,
    /// The plan.
    pub plan: Plan,
    /// Turns taken, by rule, for round robin.
    pub turns: Vec<u32>,
}

/// An arm whose end has not been heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// What was asked.
    pub plan: ArmPlan,
    /// The node said that it took it.
    pub taken: bool,
    /// It was asked back.
    pub cancelled: bool,
}

/// Who is under an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// Nobody.
    Clear,
    /// This parcel.
    Parcel(ParcelId),
    /// Something without a parcel.
    Stranger,
    /// The last pulse of the eye's open stretch.
    Open,
    /// This parcel, most likely: its tail came too early, perhaps in a handle hole or under a
    /// strap; ends with the next head, or with the word that none came near.
    Torn(ParcelId),
}

/// A landing eye's recent past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LandingEye {
    /// Node clock at the last head edge.
    pub head: Millis,
    /// Whether that pulse was explained.
    pub explained: bool,
    /// Blocked now.
    pub blocked: bool,
    /// Node clock when a long block ended.
    pub rested: Option<Millis>,
}

/// Something without a parcel, seen at an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Which eye.
    pub eye: EyeId,
    /// Belt position at its head.
    pub head: Position,
    /// Belt position at its tail.
    pub tail: Option<Position>,
}

/// Edges at one eye that more than one parcel could have cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which eye.
    pub eye: EyeId,
    /// Its pulses, oldest first.
    pub pulses: Vec<Pulse>,
}

/// Something under an eye, of open owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Belt position at its head.
    pub head: Position,
    /// Belt position at its tail.
    pub tail: Option<Position>,
    /// ± of these positions.
    pub spread: Distance,
}

/// How often a waybill has gone round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laps {
    /// Passes that ended on the return.
    pub passes: u8,
    /// When the last one did.
    pub last: Micros,
}

/// Counts of what is not a parcel's outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Head edges that nothing explains.
    pub ghosts: u64,
    /// Landing pulses that nothing explains.
    pub unexpected_landings: u64,
    /// Reads that belong to no parcel.
    pub unowned_reads: u64,
    /// Reads that came late, with their trigger's number.
    pub late_reads: u64,
    /// Ring entries that are gone.
    pub events_lost: u64,
    /// Arms planned.
    pub arms: u64,
    /// Arm ends or answers with a tag that nobody waits for.
    pub unknown_arms: u64,
    /// Lost parcels that were seen again.
    pub found_again: u64,
    /// Inputs set aside.
    pub quarantined: u64,
    /// Parcels that people found beside the line.
    pub fallen: u64,
    /// Parcels that an eye did not see although a later one did.
    pub missed_edges: u64,
}

/// Running time, for the rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Time in Execute before `since`.
    pub before: Micros,
    /// In Execute since.
    pub since: Option<Micros>,
    /// Running time at each recent induction, oldest first.
    pub inductions: VecDeque<Micros>,
}

impl Running {
    /// Time in Execute up to `now`.
    pub fn total(&self, now: Micros) -> Micros {
        self.since.map_or(self.before, |since| self.before.plus(now.since(since)))
    }
}

impl Memory {
    /// The state of a line that has never run.
    pub fn new(layout: &Layout) -> Self {
        let node = NodeMemory { up: false, heard: None, blind: None, spread: Distance(0) };
        Self {
            now: Micros::ZERO,
            machine: Machine {
                mode: Mode::Stopped,
                since: Micros::ZERO,
                reason: StateReason::Command(Command::Stop),
            },
            nodes: vec![node; layout.nodes.len()],
            estops: BTreeSet::new(),
            end_full: false,
            stalled: false,
            release_open: false,
            lights: BTreeSet::new(),
            belt: Belt { at: None, when: Micros::ZERO, moving: false },
            plans: Vec::new(),
            next_parcel: 1,
            next_tag: 1,
            live: Live::default(),
            open: BTreeMap::new(),
            arms: BTreeMap::new(),
            under: vec![Under::Clear; layout.eyes.len()],
            landings: BTreeMap::new(),
            strangers: Vec::new(),
            landed: Waybills::default(),
            stretches: Vec::new(),
            laps: BTreeMap::new(),
            tally: Tally::default(),
            chutes: BTreeMap::new(),
            at_chutes: BTreeMap::new(),
            spoke: vec![None; layout.eyes.len()],
            wall: None,
            alarms: BTreeSet::new(),
            counters: Counters::default(),
            running: Running::default(),
            annunciator: Annunciator::default(),
            unit_mode: UnitMode::Production,
            release_gap: Distance(0),
            quiet_from: None,
            eyes: vec![EyeMemory::default(); layout.eyes.len()],
            moved: Micros::ZERO,
            active_at: Micros::ZERO,
            pressure: Pressure::None,
            pace: None,
            jog: None,
            rescanners: vec![RescanMemory::default(); layout.rescanners.len()],
        }
    }
}
