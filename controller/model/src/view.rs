//! What the line shows of itself: plain data, a pure function of its state, never journaled.

use crate::alarm::Alarm;
use crate::chute::{ChuteCounts, ChuteState, Content, Lamp};
use crate::ids::{ChuteNo, EyeId, NodeId, ParcelId};
use crate::jog::Jog;
use crate::memory::{Attention, Pressure, Shelf};
use crate::packml::{State, StateReason, UnitMode};
use crate::parcel::Confidence;
use crate::reason::{Outcome, Reason};
use crate::rescan::RescanMemory;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Micros};

/// Snapshot of the line for people and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    /// PackML state.
    pub state: State,
    /// Since when.
    pub since: Micros,
    /// Why it came.
    pub reason: StateReason,
    /// What keeps reset or start from working now; empty when the next command would be taken.
    pub unmet: Vec<Unmet>,
    /// Induction is paused although the line runs.
    pub induction_paused: bool,
    /// The tie-out.
    pub tally: Tally,
    /// Final landings by chute.
    pub chutes: BTreeMap<ChuteNo, u64>,
    /// What each chute is doing, ascending.
    pub at_chutes: Vec<ChuteView>,
    /// Parcels on the sorter belt, downstream first.
    pub parcels: Vec<ParcelView>,
    /// Alarms that stand.
    pub alarms: Vec<Alarm>,
    /// Alarms that stand or are not acknowledged, in the order of their call for attention.
    pub alarm_list: Vec<AlarmView>,
    /// Alarms raised in the last ten minutes.
    pub alarms_lately: usize,
    /// What the line is used for.
    pub unit_mode: UnitMode,
    /// Back-pressure on induction.
    pub pressure: Pressure,
    /// The zone that somebody jogs.
    pub jog: Option<Jog>,
    /// What each re-scanner has told, in the order of the belt.
    pub rescans: Vec<RescanMemory>,
    /// Plan name and version; `None` without a plan.
    pub plan: Option<(String, u32)>,
    /// Inducted in the last minute that was running, as parcels an hour.
    pub parcels_per_hour: u32,
}

/// One chute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChuteView {
    /// Which.
    pub chute: ChuteNo,
    /// What it is doing.
    pub state: ChuteState,
    /// Since when.
    pub since: Micros,
    /// What its lamp says.
    pub lamp: Lamp,
    /// What lies in it.
    pub content: Content,
    /// Parcels decided for it that have not landed.
    pub coming: u32,
    /// Counts.
    pub counts: ChuteCounts,
}

/// A condition that is not met, named so that a person can act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// Emergency-stop contact not released.
    EstopActive(u8),
    /// Node not reachable.
    NodeDown(NodeId),
    /// No plan selected.
    NoPlan,
    /// The journal does not keep up.
    CommitsStalled,
    /// End chute, or return, full.
    EndFull,
    /// The state does not know this command.
    WrongState(State),
    /// This parcel is not open: there is nothing to resolve.
    NotOpen(ParcelId),
    /// The line has no chute of this number.
    NoSuchChute(ChuteNo),
    /// The chute is not locked.
    NotLocked(ChuteNo),
    /// A bag is bound there; it has to be closed first.
    BagOpen(ChuteNo),
    /// No bag is bound there, or another one.
    OtherBag(ChuteNo),
    /// The label is bound there already.
    LabelBound(ChuteNo),
    /// A code is needed.
    NoCode,
    /// This parcel is on the belt.
    OnBelt(ParcelId),
    /// This parcel's gate is not passed: only the quarantine chute may have it.
    GateClosed(ParcelId),
    /// The plan does not allow this parcel in that chute.
    OtherKey(ChuteNo),
    /// This alarm is not in the list, or not on the shelf.
    NoSuchAlarm(Alarm),
    /// An alarm of high priority is not put aside.
    TooUrgent(Alarm),
    /// The command needs a reason.
    NoReason,
    /// Nothing is put aside for no time or for longer than the limit.
    ShelfTooLong,
    /// As many alarms as allowed are put aside already.
    ShelvesFull,
    /// The mode does not know this command.
    WrongMode(UnitMode),
    /// This eye is still blocked after a jam.
    EyeBlocked(EyeId),
}

/// One alarm in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmView {
    /// Which.
    pub alarm: Alarm,
    /// When it was raised.
    pub since: Micros,
    /// Whether it stands and whether a person knows.
    pub attention: Attention,
    /// Put aside by a person.
    pub shelf: Option<Shelf>,
    /// Suppressed by design.
    pub suppressed: bool,
    /// 首发故障.
    pub first_out: bool,
}

impl AlarmView {
    /// An alarm that has just been raised.
    pub const fn new(alarm: Alarm, since: Micros) -> Self {
        let attention = Attention::Unacknowledged;
        Self { alarm, since, attention, shelf: None, suppressed: false, first_out: false }
    }
}

/// The outcome equation: inducted = the sum of all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entities made at the induction eye: passes, on a line with a return.
    pub inducted: u64,
    /// In the chute first decided, or an exception chute first decided.
    pub landed_planned: u64,
    /// In a chute decided later.
    pub landed_alternate: u64,
    /// Off the end of the line, by reason.
    pub end_landed: BTreeMap<Reason, u64>,
    /// Past the end of a line with a return, by reason: inducted again since, or still to be.
    pub recirculated: BTreeMap<Reason, u64>,
    /// Taken off or resolved by a person.
    pub removed: u64,
    /// Lost by tracking.
    pub lost: u64,
    /// Fired, not confirmed, open.
    pub unconfirmed: u64,
    /// On the line, provisional landings included.
    pub on_line: u64,
    /// Of those that landed: for a reason, in an exception chute or an alternate.
    pub landed_for: BTreeMap<Reason, u64>,
}

impl Tally {
    /// How many parcels had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::LandedPlanned => self.landed_planned,
            Outcome::LandedAlternate => self.landed_alternate,
            Outcome::EndLanded => self.end_landed.values().sum(),
            Outcome::Recirculated => self.recirculated.values().sum(),
            Outcome::Removed => self.removed,
            Outcome::Lost => self.lost,
            Outcome::Unconfirmed => self.unconfirmed,
            Outcome::OnLine => self.on_line,
        }
    }

    /// How many parcels ended or went round for this reason.
    pub fn count_for(&self, reason: Reason) -> u64 {
        let of = |counts: &BTreeMap<Reason, u64>| counts.get(&reason).copied().unwrap_or(0);
        of(&self.end_landed) + of(&self.recirculated) + of(&self.landed_for)
    }

    /// Parcels of which each is counted once, however often it went round: those that have come to an
    /// end, and those on the belt. One on the return is none of them until it comes back.
    pub fn distinct(&self) -> u64 {
        self.inducted.saturating_sub(self.count(Outcome::Recirculated))
    }

    /// Whether the equation holds, and no more landed for a reason than landed.
    pub fn ties(&self) -> bool {
        let all: u64 = Outcome::ALL.iter().map(|outcome| self.count(*outcome)).sum();
        let reasoned: u64 = self.landed_for.values().sum();
        let landed = self.landed_planned + self.landed_alternate;
        self.inducted == all && reasoned <= landed
    }
}

/// One parcel on the belt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelView {
    /// Which.
    pub id: ParcelId,
    /// Its code, when known.
    pub code: Option<String>,
    /// Head position from the induction eye in counts, as last seen.
    pub at: Distance,
    /// Its chute, when decided.
    pub chute: Option<ChuteNo>,
    /// Why it goes to the end, when it does.
    pub end_reason: Option<Reason>,
    /// How far it is beyond doubt which parcel this is and where.
    pub confidence: Confidence,
    /// Milliseconds left to its decision, when one is open.
    pub decide_in_ms: Option<u64>,
}
