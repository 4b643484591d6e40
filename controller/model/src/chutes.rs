//! The line at its chutes: contacts, loads, lamps, and who may still come.

use crate::alarm::Alarm;
use crate::chute::{
    Around, Bar, ChangeBy, ChuteCause, ChuteEvent, ChuteMemory, ChuteState, Content, FaultedBy,
    Lamp, tell_of,
};
use crate::decision::Decision;
use crate::ids::{ChuteNo, Tag};
use crate::layout::{Change, ChutePlace};
use crate::limits;
use crate::line::Line;
use crate::live::Brief;
use crate::parcel::{Fate, Parcel, Stage};
use crate::signal::ChuteContact;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use units::{Distance, Grams, Micros, Position};

impl Line {
    /// When a chute's state may change by itself.
    pub(crate) fn chute_deadline(&self) -> Option<Micros> {
        let blocked = self
            .memory
            .at_chutes
            .iter()
            .filter(|(_, memory)| memory.full_eye.is_some() || memory.landing_eye.is_some());
        let of = |(chute, memory): (&ChuteNo, &ChuteMemory)| {
            memory.next_deadline(&self.layout.chute(*chute)?.care, self.memory.now)
        };
        blocked.filter_map(of).min()
    }

    /// What is known of a chute.
    ///
    /// # Panics
    /// When the chute is not of this layout.
    pub(crate) fn at_chute(&self, chute: ChuteNo) -> &ChuteMemory {
        &self.memory.at_chutes[&chute]
    }

    /// Gives every chute of the layout a memory; a new one has the state that follows.
    pub(crate) fn furnish_chutes(&mut self) {
        let numbers: Vec<ChuteNo> = self.layout.chutes.iter().map(|place| place.number).collect();
        for number in numbers {
            let new = !self.memory.at_chutes.contains_key(&number);
            self.memory.at_chutes.entry(number).or_default();
            if new {
                self.turn_chute(number, ChuteCause::Node, &mut Vec::new());
            }
        }
    }

    fn around(&self, place: &ChutePlace) -> Around {
        let plan = self.memory.plans.last();
        Around {
            now: self.memory.now,
            diverter_on: self.diverter_on(place.diverter),
            wants_bag: plan.is_some_and(|plan| plan.plan.bagged.contains(&place.number)),
        }
    }

    /// Lets a chute's state follow from what is known: the one place where a chute changes it.
    pub(crate) fn turn_chute(
        &mut self,
        chute: ChuteNo,
        cause: ChuteCause,
        out: &mut Vec<Decision>,
    ) {
        let Some(place) = self.layout.chute(chute) else { return };
        let around = self.around(place);
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let (from, to) = (memory.state, memory.follows(&place.care, around));
        if from == to {
            return;
        }
        (memory.state, memory.since, memory.cause) = (to, around.now, cause);
        tell_of(out, chute, ChuteEvent::State { from, to, cause });
        self.alarm_chute(chute, to, out);
    }

    /// Calls for people where a chute's state does; a diverter that is down has an alarm of its own.
    fn alarm_chute(&mut self, chute: ChuteNo, state: ChuteState, out: &mut Vec<Decision>) {
        let (faulted, waits) = match state {
            ChuteState::Faulted { by: FaultedBy::Jam } => (true, false),
            ChuteState::Full { .. } => (false, true),
            ChuteState::Faulted { by: FaultedBy::Diverter | FaultedBy::Person }
            | ChuteState::Idle
            | ChuteState::Filling
            | ChuteState::Locked { .. }
            | ChuteState::Buffered { .. } => (false, false),
        };
        let alarms = [(Alarm::ChuteFaulted(chute), faulted), (Alarm::ChuteWaits(chute), waits)];
        for (alarm, stands) in alarms {
            if stands {
                self.raise(alarm, out);
            } else {
                self.clear(alarm, out);
            }
        }
    }

    /// Lets every chute's state follow.
    pub(crate) fn turn_chutes(&mut self, cause: ChuteCause, out: &mut Vec<Decision>) {
        for at in 0..self.layout.chutes.len() {
            self.turn_chute(self.layout.chutes[at].number, cause, out);
        }
    }

    /// Takes a contact of a chute.
    pub(crate) fn chute_contact(
        &mut self,
        chute: ChuteNo,
        contact: ChuteContact,
        active: bool,
        out: &mut Vec<Decision>,
    ) {
        let now = self.memory.now;
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let cause = match contact {
            ChuteContact::Full => {
                // Told again at every connect: it is blocked since it was first seen so.
                memory.full_eye = active.then(|| memory.full_eye.unwrap_or(now));
                ChuteCause::Eye
            }
            ChuteContact::Lock => {
                memory.switch = active;
                ChuteCause::Switch
            }
            // A button acts when it is pressed.
            ChuteContact::Button if !active => return,
            ChuteContact::Button if memory.change.is_some() => {
                return self.end_change(chute, ChuteCause::Button, out);
            }
            ChuteContact::Button => {
                memory.change = Some(ChangeBy::Button);
                memory.buffered = 0;
                ChuteCause::Button
            }
        };
        self.turn_chute(chute, cause, out);
    }

    /// A change is over: what had no label was taken away.
    pub(crate) fn end_change(
        &mut self,
        chute: ChuteNo,
        cause: ChuteCause,
        out: &mut Vec<Decision>,
    ) {
        let from = self.belt_now(self.memory.now);
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        memory.change = None;
        if memory.content.label.is_none() {
            let old =
                core::mem::replace(&mut memory.content, Content { from, ..Content::default() });
            let (pieces, grams) = (old.pieces, old.grams);
            memory.before = Some(old);
            tell_of(out, chute, ChuteEvent::Emptied { pieces, grams });
        }
        self.turn_chute(chute, cause, out);
    }

    /// Notes an edge of a chute's landing eye.
    pub(crate) fn note_landing_eye(
        &mut self,
        chute: ChuteNo,
        active: bool,
        out: &mut Vec<Decision>,
    ) {
        let now = self.memory.now;
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        memory.landing_eye = active.then_some(now);
        self.turn_chute(chute, ChuteCause::Eye, out);
    }

    /// Counts a landing into what lies in the chute; `pulse` says where the belt stood at it.
    pub(crate) fn load_chute(
        &mut self,
        chute: ChuteNo,
        pulse: Option<Position>,
        weight: Option<Grams>,
        out: &mut Vec<Decision>,
    ) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let earlier = pulse.zip(memory.content.from).is_some_and(|(at, from)| at.since(from).0 < 0);
        let content = match &mut memory.before {
            Some(before) if earlier => before,
            Some(_) | None => &mut memory.content,
        };
        content.gain(weight);
        if let (true, Some(label)) = (content.closed, content.label.clone()) {
            let (pieces, grams) = (content.pieces, content.grams);
            tell_of(out, chute, ChuteEvent::BagClosed { label, pieces, grams });
        }
        if memory.change.is_some() {
            memory.buffered = memory.buffered.saturating_add(1);
        }
        self.turn_chute(chute, ChuteCause::Landing, out);
    }

    /// Whether hands may be in a chute: nothing that is known comes there, and its lamp says so.
    pub(crate) fn hands_in(&self, chute: ChuteNo) -> bool {
        let memory = self.at_chute(chute);
        match memory.state {
            ChuteState::Full { .. } | ChuteState::Locked { .. } => memory.lamp == Lamp::Steady,
            ChuteState::Idle
            | ChuteState::Filling
            | ChuteState::Buffered { .. }
            | ChuteState::Faulted { .. } => false,
        }
    }

    /// Whether a pulse in a chute may be a hand's: its bag is, or is about to be, changed.
    pub(crate) fn changing(&self, chute: ChuteNo) -> bool {
        match self.at_chute(chute).state {
            ChuteState::Full { .. }
            | ChuteState::Locked { .. }
            | ChuteState::Buffered { .. }
            | ChuteState::Faulted { .. } => true,
            ChuteState::Idle | ChuteState::Filling => false,
        }
    }

    /// Chutes into which something comes that cannot be stopped any more.
    pub(crate) fn coming(&self) -> BTreeSet<ChuteNo> {
        let committed = |brief: &&Brief| match brief.stage {
            Stage::Armed | Stage::Fired | Stage::MayHaveFired => true,
            Stage::Open | Stage::Assigned | Stage::ToEnd => false,
        };
        let committed = self.memory.live.briefs().filter(committed);
        // An arm that was asked back may have fired before the node heard of it.
        let asked_back = self.memory.arms.values().filter_map(|arm| {
            self.layout.chute_at(arm.plan.diverter, arm.plan.side).map(|place| place.number)
        });
        committed.filter_map(|brief| brief.chute).chain(asked_back).collect()
    }

    /// How many parcels are decided for a chute and have not landed.
    pub(crate) fn decided_for(&self, chute: ChuteNo) -> u32 {
        let meant = self.memory.live.briefs();
        let meant = meant.filter(|brief| brief.chute == Some(chute)).count();
        u32::try_from(meant).unwrap_or(u32::MAX)
    }

    /// Lets every lamp follow its chute's state and what still comes.
    pub(crate) fn adjust_lamps(&mut self, out: &mut Vec<Decision>) {
        let quiet = |memory: &ChuteMemory| memory.state.takes() && memory.lamp == Lamp::Off;
        let buffered = |memory: &ChuteMemory| memory.change.is_some();
        if self.memory.at_chutes.values().all(|found| quiet(found) && !buffered(found)) {
            return;
        }
        let coming = self.coming();
        for (chute, memory) in &mut self.memory.at_chutes {
            let lamp = match memory.state {
                ChuteState::Idle | ChuteState::Filling | ChuteState::Faulted { .. } => Lamp::Off,
                ChuteState::Buffered { .. } => Lamp::Steady,
                ChuteState::Full { .. } | ChuteState::Locked { .. } if coming.contains(chute) => {
                    Lamp::Blink
                }
                ChuteState::Full { .. } | ChuteState::Locked { .. } => Lamp::Steady,
            };
            if lamp != memory.lamp {
                memory.lamp = lamp;
                out.push(Decision::Lamp { chute: *chute, lamp });
            }
        }
    }

    /// Takes the parcels away from chutes that take nothing any more, as long as that is safe.
    ///
    /// An arm whose latest instant has passed stays: its node refuses it, or the parcel lands and
    /// belongs to what lies in the chute.
    pub(crate) fn leave_closed_chutes(&mut self, out: &mut Vec<Decision>) {
        if self.memory.at_chutes.values().all(|memory| memory.state.takes()) {
            return;
        }
        let closed = |brief: &Brief| {
            let found = brief.chute.and_then(|chute| self.memory.at_chutes.get(&chute));
            found.is_some_and(|found| !found.state.takes())
        };
        let stranded: Vec<_> = self
            .memory
            .live
            .briefs()
            .filter(|brief| closed(brief))
            .filter_map(|brief| self.memory.live.get(&brief.id))
            .filter_map(|parcel| {
                let (choice, tag) = match &parcel.fate {
                    Fate::Assigned(choice) => (choice, None),
                    Fate::Armed { choice, tag } => (choice, Some(*tag)),
                    Fate::Open
                    | Fate::Fired { .. }
                    | Fate::MayHaveFired { .. }
                    | Fate::ToEnd { .. } => return None,
                };
                let bar = self.memory.at_chutes.get(&choice.chute)?.state.bar()?;
                let stoppable = tag.is_none_or(|tag| self.stoppable(parcel, tag));
                stoppable.then_some((parcel.id, bar, tag))
            })
            .collect();
        for (id, bar, tag) in stranded {
            if let Some(tag) = tag {
                self.cancel_arm(tag, out);
            }
            self.rechoose(id, bar, out);
        }
    }

    /// Whether an arm can still be asked back in time.
    fn stoppable(&self, parcel: &Parcel, tag: Tag) -> bool {
        self.memory.arms.get(&tag).is_some_and(|arm| {
            self.diverter_on(arm.plan.diverter)
                && self
                    .send_by(parcel, arm.plan.diverter)
                    .is_some_and(|send_by| send_by >= self.memory.now)
        })
    }

    /// Why a chute has no place for another parcel, whatever the parcel; `None` when it has.
    pub(crate) fn no_place(&self, chute: ChuteNo, parcel: &Parcel) -> Option<Bar> {
        let place = self.layout.chute(chute)?;
        let memory = self.at_chute(chute);
        if let Some(bar) = memory.state.bar() {
            return Some(bar);
        }
        let mine = u32::from(parcel.fate.chute() == Some(chute));
        let most = match (memory.change, place.care.change) {
            (Some(_), Change::Buffered { pieces }) => {
                Some(u32::from(pieces.saturating_sub(memory.buffered)))
            }
            (Some(_), Change::Locked) | (None, _) => {
                let most = place.care.pieces_max.map(u32::from);
                most.map(|most| most.saturating_sub(memory.content.pieces))
            }
        };
        if most.is_some_and(|most| self.decided_for(chute).saturating_sub(mine) >= most) {
            return Some(Bar::Full);
        }
        self.over_rate(place, parcel).then_some(Bar::Rate)
    }

    /// Whether another parcel would exceed the chute's rate limit now.
    fn over_rate(&self, place: &ChutePlace, parcel: &Parcel) -> bool {
        let Some(rate) = place.care.rate else { return false };
        let recent = self.at_chute(place.number).recent.iter();
        let recent = recent.filter(|(at, _)| self.memory.now.since(*at) < rate.span);
        let (mut count, mut length) = (0u16, self.length_of(parcel).0);
        for (_, one) in recent {
            count += 1;
            length += one.0;
        }
        count >= rate.parcels || rate.length.is_some_and(|most| length > most.0)
    }

    /// Length of a parcel; the longest one while it is not known.
    fn length_of(&self, parcel: &Parcel) -> Distance {
        parcel.track.length.unwrap_or(self.layout.limits.length_max)
    }

    /// Notes a decision for a chute with a rate limit.
    pub(crate) fn note_rate(&mut self, chute: ChuteNo, parcel: &Parcel) {
        let Some(rate) = self.layout.chute(chute).and_then(|place| place.care.rate) else { return };
        let (now, length) = (self.memory.now, self.length_of(parcel));
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        while memory.recent.len() >= limits::RATE_MAX
            || memory.recent.front().is_some_and(|(at, _)| now.since(*at) >= rate.span)
        {
            memory.recent.pop_front();
        }
        memory.recent.push_back((now, length));
    }

    /// Counts a pulse of somebody's hand.
    pub(crate) fn note_hand(&mut self, chute: ChuteNo) {
        if let Some(memory) = self.memory.at_chutes.get_mut(&chute) {
            memory.counts.hands += 1;
        }
    }

    /// Counts that a parcel went elsewhere because of a chute.
    pub(crate) fn count_bar(&mut self, chute: ChuteNo, bar: Bar) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        match bar {
            Bar::Full => memory.counts.barred_full += 1,
            Bar::Locked => memory.counts.barred_locked += 1,
            Bar::Rate => memory.counts.barred_rate += 1,
            Bar::Late | Bar::Off => {}
        }
    }
}
