//! The verdict over one run: the plant's truth against what the journal says, parcel by parcel.
//!
//! Beliefs are [joined](super::join) to plant parcels at the induction eye. Allowed chutes come from the oracle's
//! own law. What a parcel met (contacts, beds at the wrong moment, injected faults) is read from the
//! truth, so that a wrong place is explained by the plant or by nothing.

use super::join::{Joined, join};
use super::near::Near;
use crate::laps::{Laps, Pass};
use crate::oracle::Law;
use line_engine::record;
use line_model::alarm::Alarm;
use line_model::chute::{ChuteEvent, ChuteState};
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::EyeId;
use line_model::signal::{ArmEnd, Input};
use line_sim::truth::{Contact, Place, ReadTruth, Truth, TruthParcel, With};
use std::collections::{BTreeMap, BTreeSet};
use units::{Micros, Position};

/// What the journal says of one parcel.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Belt reading at induction, low 32 bits.
    pub inducted: u32,
    /// When the journal said so.
    pub told_at: Micros,
    /// Belt reading where the pulse at the induction eye ended that made it, low 32 bits.
    pub passed: u32,
    /// When the journal said so.
    pub passed_at: Micros,
    /// Chutes assigned and fired for.
    pub decided: Vec<u16>,
    /// Chute of the final landing.
    pub landed: Vec<u16>,
    /// Reason at the end of the line.
    pub ended: Vec<&'static str>,
    /// Reason for which it went round.
    pub round: Vec<&'static str>,
    /// Declared unconfirmed, lost or removed, and when first.
    pub open_at: Option<Micros>,
}

/// A journal by parcel, with its alarms.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Stories by parcel id.
    pub stories: BTreeMap<u64, Story>,
    /// Alarms raised, with their instants.
    pub alarms: Vec<(Micros, Alarm)>,
    /// Chutes assigned or fired for while the journal itself calls them closed, in words.
    pub closed: Vec<String>,
    /// Beds fired for an edge outside the window of their arm, in words.
    pub outside: Vec<String>,
    /// The widest window of an arm, in counts.
    pub widest: i64,
    /// Landings told, by chute.
    pub landings: BTreeMap<u16, u64>,
}

/// What a journal said so far of chutes and arms.
#[derive(Default)]
struct SoFar {
    /// Chutes that take nothing.
    closed: BTreeSet<u16>,
    /// Windows of arms, by tag.
    windows: BTreeMap<u32, (Position, Position)>,
}

impl Journal {
    /// Reads the records of a run.
    ///
    /// # Panics
    /// When a record of our own journal is not readable.
    pub fn read(records: &[Vec<u8>]) -> Self {
        let (mut journal, mut so_far) = (Self::default(), SoFar::default());
        for bytes in records {
            let record = record::decode(bytes).expect("our own record");
            if let Input::ArmEnded { tag, end: ArmEnd::Fired { edge }, .. } = record.input {
                journal.edge(tag.0, edge, &so_far);
            }
            if let Input::Edge { eye: INDUCTION, active: false, at, .. } = record.input {
                journal.passed(record.at, at);
            }
            for decision in record.decisions {
                journal.chutes(&decision, &mut so_far);
                match decision {
                    Decision::Alarm { alarm, raised: true } => {
                        journal.alarms.push((record.at, alarm));
                    }
                    Decision::Parcel { parcel, event } => journal.step(record.at, parcel.0, &event),
                    _ => {}
                }
            }
        }
        journal
    }

    /// A tail passed the induction eye: that of the latest parcel, be it in several pulses.
    fn passed(&mut self, at: Micros, place: Position) {
        if let Some(mut latest) = self.stories.last_entry() {
            (latest.get_mut().passed, latest.get_mut().passed_at) = (place.low().0, at);
        }
    }

    /// A bed was fired for this edge.
    fn edge(&mut self, tag: u32, edge: Position, so_far: &SoFar) {
        if let Some((from, to)) = so_far.windows.get(&tag) {
            let early = edge.since(*from).0 < -WINDOW_SPARE;
            if early || edge.since(*to).0 > WINDOW_SPARE {
                self.outside.push(format!("arm {tag}: {from:?} to {to:?}, fired at {edge:?}"));
            }
        }
    }

    /// What a decision says of chutes and arms.
    fn chutes(&mut self, decision: &Decision, so_far: &mut SoFar) {
        match decision {
            Decision::Chute { chute, event: ChuteEvent::State { to, .. } } => {
                if matches!(
                    to,
                    ChuteState::Idle | ChuteState::Filling | ChuteState::Buffered { .. }
                ) {
                    so_far.closed.remove(&chute.0);
                } else {
                    so_far.closed.insert(chute.0);
                }
            }
            Decision::Arm(plan) => {
                self.widest = self.widest.max(plan.to.since(plan.from).0);
                so_far.windows.insert(plan.tag.0, (plan.from, plan.to));
            }
            Decision::Parcel { parcel, event: ParcelEvent::Assigned { chute, .. } }
                if so_far.closed.contains(&chute.0) =>
            {
                self.closed.push(format!("parcel {}: closed chute {}", parcel.0, chute.0));
            }
            Decision::Parcel { event: ParcelEvent::Landed { chute, .. }, .. } => {
                *self.landings.entry(chute.0).or_insert(0) += 1;
            }
            _ => {}
        }
    }

    fn step(&mut self, at: Micros, parcel: u64, event: &ParcelEvent) {
        let story = self.stories.entry(parcel).or_default();
        match event {
            ParcelEvent::Inducted { at: place } => {
                (story.inducted, story.told_at) = (place.low().0, at);
                (story.passed, story.passed_at) = (place.low().0, at);
            }
            ParcelEvent::Assigned { chute, .. } | ParcelEvent::Fired { chute, .. } => {
                story.decided.push(chute.0);
            }
            ParcelEvent::Landed { chute, .. } => story.landed.push(chute.0),
            ParcelEvent::EndLanded { reason } => story.ended.push(reason.code()),
            ParcelEvent::Recirculated { reason } => story.round.push(reason.code()),
            ParcelEvent::Unconfirmed { .. }
            | ParcelEvent::Lost { .. }
            | ParcelEvent::Removed { .. } => story.open_at = story.open_at.or(Some(at)),
            _ => {}
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Landed, or meant to land, where the decision was never allowed to send it.
    pub wrong_by_decision: Vec<String>,
    /// Not where the journal says it is.
    pub wrong_unreported: Vec<String>,
    /// In a wrong chute by mechanics although nothing mechanical happened to it.
    pub unexplained: Vec<String>,
    /// In a wrong chute by mechanics, and no alarm within [`ALARM`].
    pub unalarmed: Vec<String>,
    /// Inducted in the plant, and the journal does not know it; or the reverse.
    pub lost: Vec<String>,
    /// More than one final outcome.
    pub doubled: Vec<String>,
    /// Gone round more often than it may, and no alarm says that its chute cannot be had.
    pub endless: Vec<String>,
    /// At the end of the line, or in an exception chute, for a reason that is not true.
    pub wrong_reason: Vec<String>,
    /// More landings told of a chute than parcels lie in it.
    pub invented: Vec<String>,
    /// Decided for a closed chute.
    pub closed: Vec<String>,
    /// Beds turned without an edge at their arrival eye, or outside the window of their arm.
    pub unfounded: Vec<String>,
    /// In a wrong chute by mechanics, explained.
    pub wrong_mechanical: u64,
    /// Parcels that stuck to the one ahead as far as eyes and reader tell: no sensor knows them.
    pub stuck: u64,
    /// Parcels of which a code was read wrong yet well-formed: not observable.
    pub misread: u64,
    /// Parcels with one right code and a place in the plan.
    pub sortable: u64,
    /// Those of them that lie there.
    pub sorted: u64,
    /// Sortable ones farther than two neighbours from anything injected.
    pub far: u64,
    /// Those of them that lie there.
    pub far_sorted: u64,
}

/// Where parcels are made.
const INDUCTION: EyeId = EyeId(0);
/// A gap up to this is a handle's or a strap's as well, in mm; with one label read in both of two
/// parcels, nothing tells them from one.
const STICKS_MM: i64 = 70;
/// Reasons that name a closed chute.
const CLOSED: [&str; 3] = ["chute_locked", "chute_full", "rate_limit"];
/// An edge and its second stamp, and a map that moved meanwhile, in counts.
const WINDOW_SPARE: i64 = 60;
/// A wrong place is alarmed within this time of the landing.
pub const ALARM: Micros = Micros::from_secs(3);
struct Judge<'a> {
    law: &'a Law,
    journal: &'a Journal,
    near: &'a Near,
    laps: Laps,
    verdict: Verdict,
}

/// Judges a run that has drained.
pub fn judge(law: &Law, truth: &Truth, journal: &Journal, near: &Near) -> Verdict {
    let laps = Laps::of(truth.parcels.iter().map(|parcel| Pass {
        index: parcel.index,
        lap_of: parcel.lap_of,
        waybill: &parcel.waybill,
        read: !in_time(&parcel.read).is_empty(),
    }));
    let mut judge = Judge { law, journal, near, laps, verdict: Verdict::default() };
    let Joined { members, alone } = join(truth, &journal.stories);
    for (id, story) in &journal.stories {
        match members.get(id) {
            Some(parcels) => judge.story(*id, story, parcels),
            None => judge.phantom(*id, story),
        }
    }
    for parcel in alone {
        judge.unseen(parcel);
    }
    for (chute, told) in &journal.landings {
        let here = |parcel: &&TruthParcel| parcel.place == Place::Chute(*chute);
        let lie = truth.parcels.iter().filter(here).count();
        if *told > u64::try_from(lie).unwrap_or(u64::MAX) {
            judge.verdict.invented.push(format!("chute {chute}: {told} told, {lie} lie there"));
        }
    }
    judge.verdict.closed.clone_from(&journal.closed);
    judge.verdict.unfounded.clone_from(&journal.outside);
    judge.verdict
}

impl Judge<'_> {
    /// One belief with its plant parcels, the first one seen first.
    fn story(&mut self, id: u64, story: &Story, parcels: &[&TruthParcel]) {
        let read = parcels.iter().flat_map(|parcel| in_time(&parcel.read));
        let again = parcels.iter().flat_map(|parcel| rescanned(parcel));
        let codes: BTreeSet<&String> = read.chain(again).collect();
        let labels: BTreeSet<&String> = parcels.iter().map(|parcel| &parcel.waybill).collect();
        let misread = codes.iter().any(|code| !labels.contains(code)) && codes.len() == 1;
        self.verdict.misread += u64::from(misread);
        // What touched may have been told apart again: each one's own code counts.
        let one = |parcel: &&TruthParcel| {
            let lap = self.laps.at(parcel.index);
            self.law.on_lap(self.allowed(parcel), lap.before, lap.repeated)
        };
        let allowed: Option<BTreeSet<u16>> =
            parcels.iter().filter_map(one).reduce(|all, other| &all | &other);
        let name = format!("parcel {} = {id}", parcels[0].index);
        let fits = |chute: &u16| allowed.as_ref().is_some_and(|set| set.contains(chute));
        let by_decision = story.decided.iter().find(|chute| !fits(chute));
        if let Some(bad) = by_decision {
            let text = format!("{name}: chute {bad}, allowed {allowed:?}, codes {codes:?}");
            self.verdict.wrong_by_decision.push(text);
        }
        let outcomes = story.landed.len() + story.ended.len() + story.round.len();
        if outcomes > 1 {
            let Story { landed, ended, round, .. } = story;
            let text = format!("{name}: landed {landed:?}, ended {ended:?}, went round {round:?}");
            self.verdict.doubled.push(text);
        }
        if outcomes == 0 && story.open_at.is_none() {
            self.verdict.lost.push(format!("{name}: nothing became of it"));
        }
        self.lap(&name, parcels[0]);
        // Of two that are one belief, either may be what the reason tells of.
        let unread = parcels
            .iter()
            .any(|parcel| in_time(&parcel.read).is_empty() || self.near.read_may_be_lost(parcel));
        let late = |parcel: &&TruthParcel| {
            single(parcel).any(|code| self.law.may_be_cut_off(code, parcel))
        };
        let late = parcels.iter().any(late);
        self.reasons(&name, story, &codes, (unread, late));
        self.place(&name, story, parcels[0]);
        for parcel in parcels {
            if !misread && by_decision.is_none() {
                self.wrong_place(&name, (id, story), parcel);
            }
        }
        if let [parcel] = parcels {
            let lap = self.laps.at(parcel.index);
            // Who has a code by a re-scan only has passed chutes by then.
            let read = in_time(&parcel.read).len() == 1 && self.allowed(parcel).is_some();
            let own = read && lap.last && !misread && !lap.repeated;
            let there = matches!(parcel.place, Place::Chute(number) if fits(&number));
            self.verdict.sortable += u64::from(own);
            self.verdict.sorted += u64::from(own && there);
            let closed = allowed.as_ref().is_some_and(|set| self.near.may_be_closed(set, parcel));
            let far = own && !closed && !self.near.is_near(parcel.index);
            let past = story.ended.iter().chain(&story.round);
            let says_closed = past.clone().any(|why| CLOSED.contains(why));
            if says_closed && !closed {
                let past: Vec<_> = past.collect();
                let text = format!("{name}: {past:?}, but {allowed:?} were open");
                self.verdict.wrong_reason.push(text);
            }
            self.verdict.far += u64::from(far);
            self.verdict.far_sorted += u64::from(far && there);
        }
    }

    /// Chutes that a parcel may be decided for: by the tunnel's one code or, unless there were
    /// several, the one that a re-scanner read.
    fn allowed(&self, parcel: &TruthParcel) -> Option<BTreeSet<u16>> {
        let chutes = single(parcel).filter_map(|code| self.law.chutes_of(code, parcel));
        chutes.reduce(|all, one| &all | &one)
    }

    /// Nobody with a code goes round more often than it may, unless an alarm tells why.
    fn lap(&mut self, name: &str, parcel: &TruthParcel) {
        let (laps, Some(most)) = (self.laps.at(parcel.index).before, self.law.laps_max()) else {
            return;
        };
        let read = u64::from(!in_time(&parcel.read).is_empty());
        let told = self.journal.alarms.iter().any(|(_, alarm)| *alarm == Alarm::RoundInVain);
        if parcel.place == Place::Round && laps + read > most && !told {
            self.verdict.endless.push(format!("{name}: lap {} of {most}", laps + 1));
        }
    }

    /// What was read settles some reasons.
    fn reasons(
        &mut self,
        name: &str,
        story: &Story,
        codes: &BTreeSet<&String>,
        (unread, late): (bool, bool),
    ) {
        for reason in story.ended.iter().chain(&story.round) {
            let known = codes.iter().all(|code| self.law.chutes(code).is_some());
            let right = match *reason {
                "no_read" => unread,
                "cut_off" => late,
                "multi_code" => codes.len() > 1,
                "no_manifest" => !codes.is_empty() && !known,
                _ => true,
            };
            if !right {
                self.verdict.wrong_reason.push(format!("{name}: {reason}, but codes {codes:?}"));
            }
        }
    }

    /// Where a parcel lies against where the journal says it does.
    fn place(&mut self, name: &str, story: &Story, parcel: &TruthParcel) {
        let (said, ended) = (story.landed.first().copied(), !story.ended.is_empty());
        let (round, open) = (!story.round.is_empty(), story.open_at.is_some());
        let agrees = match parcel.place {
            Place::Chute(number) => {
                !ended && !round && (said == Some(number) || (open && said.is_none()))
            }
            Place::End => said.is_none() && !round && (ended || open),
            Place::Round => said.is_none() && !ended && (round || open),
            Place::Waiting | Place::OnLine | Place::Sliding(_) | Place::Taken => {
                said.is_none() && !ended && !round
            }
        };
        if !agrees {
            let text = format!(
                "{name}: {:?}, said {said:?}, ended {:?}, went round {:?}",
                parcel.place, story.ended, story.round
            );
            self.verdict.wrong_unreported.push(text);
        }
    }

    /// A parcel in a chute that is not its own was brought there by the plant, and an alarm tells.
    fn wrong_place(&mut self, name: &str, (id, story): (u64, &Story), parcel: &TruthParcel) {
        let Place::Chute(number) = parcel.place else { return };
        let own = self.law.chutes_of(&parcel.waybill, parcel);
        let lap = self.laps.at(parcel.index);
        let sure = own.clone().filter(|_| in_time(&parcel.read).len() == 1);
        let on_lap = self.law.on_lap(sure, lap.before, lap.repeated);
        if own.into_iter().chain(on_lap).flatten().any(|chute| chute == number) {
            return;
        }
        let ahead = parcel.gap_mm.is_some_and(|gap| gap <= STICKS_MM);
        if ahead && parcel.read == ReadTruth::Pending {
            self.verdict.stuck += 1;
            return;
        }
        self.verdict.wrong_mechanical += 1;
        let text = || format!("{name}, plant parcel {}: in chute {number}", parcel.index);
        // That a bed took it says nothing of why.
        let pushed = |contact: &Contact| !matches!(contact.with, With::Bed(_));
        let moved = parcel.contacts.iter().any(pushed) || parcel.fault.is_some();
        if !moved && !self.near.is_near(parcel.index) {
            self.verdict.unexplained.push(text());
        }
        let landed_at = parcel.landed_at.unwrap_or_default();
        let told = |alarm: &Alarm| match alarm {
            Alarm::Unconfirmed(other) | Alarm::Lost(other) => other.0 == id,
            Alarm::UnexpectedLanding(chute) => chute.0 == number,
            _ => false,
        };
        let until = landed_at.plus(ALARM);
        let alarmed = story.open_at.is_some_and(|at| at <= until)
            || self.journal.alarms.iter().any(|(at, alarm)| *at <= until && told(alarm));
        if !alarmed {
            self.verdict.unalarmed.push(text());
        }
    }

    /// A belief without a plant parcel must not end anywhere.
    fn phantom(&mut self, id: u64, story: &Story) {
        let Story { landed, ended, round, .. } = story;
        if !landed.is_empty() || !ended.is_empty() || !round.is_empty() {
            let text = format!(
                "parcel {id} is nothing; landed {landed:?}, ended {ended:?}, went round {round:?}"
            );
            self.verdict.wrong_unreported.push(text);
        } else if story.open_at.is_none() {
            self.verdict.lost.push(format!("parcel {id} is nothing, and nothing became of it"));
        }
    }

    /// A plant parcel that the journal does not know: only beside a fault, and never into a chute.
    fn unseen(&mut self, parcel: &TruthParcel) {
        let (index, place) = (parcel.index, parcel.place);
        if let Place::Chute(number) = place {
            if parcel.contacts.is_empty() {
                let text = format!("plant parcel {index}: unknown, and in chute {number}");
                self.verdict.wrong_unreported.push(text);
            } else {
                self.verdict.wrong_mechanical += 1;
            }
        }
        if parcel.inducted_at.is_some() && !self.near.is_near(index) {
            self.verdict.lost.push(format!("plant parcel {index}: unknown, {place:?}"));
        }
    }
}

/// The codes that a parcel may be decided by: the tunnel's one code and, unless there were several,
/// those of re-scanners.
fn single(parcel: &TruthParcel) -> impl Iterator<Item = &String> {
    let read = in_time(&parcel.read);
    let again = rescanned(parcel).filter(|_| read.len() <= 1);
    read.iter().filter(|_| read.len() == 1).chain(again)
}

/// Codes that a re-scanner gave for a parcel alone and in time.
fn rescanned(parcel: &TruthParcel) -> impl Iterator<Item = &String> {
    parcel.rescans.iter().filter_map(|read| match in_time(read) {
        [code] => Some(code),
        _ => None,
    })
}

/// The codes that a reader gave for a parcel in time.
pub(super) fn in_time(read: &ReadTruth) -> &[String] {
    match read {
        ReadTruth::Codes { codes, late: false } => codes,
        ReadTruth::Codes { late: true, .. } | ReadTruth::NoRead | ReadTruth::Pending => &[],
    }
}
