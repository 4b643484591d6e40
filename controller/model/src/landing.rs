//! Landing pulses: evidence for a firing, never a landing of their own.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{ChuteNo, EyeId, ParcelId};
use crate::limits;
use crate::line::{Line, tell};
use crate::live::Brief;
use crate::memory::LandingEye;
use crate::parcel::{Fate, Parcel, Stage};
use crate::reason::Reason;
use alloc::vec::Vec;
use units::{Millis, Position};

impl Line {
    /// Takes an edge at a chute's landing eye.
    pub(crate) fn landing(
        &mut self,
        chute: ChuteNo,
        active: bool,
        at: Position,
        ms: Millis,
        out: &mut Vec<Decision>,
    ) {
        if self.layout.chute(chute).is_none() {
            return;
        }
        self.told(at);
        self.note_landing_eye(chute, active, out);
        let before = self.memory.landings.get(&chute).copied();
        if !active {
            let Some(eye) = self.memory.landings.get_mut(&chute) else { return };
            let blocked_for = ms.since(eye.head);
            let long = blocked_for > limits::LANDING_BLOCKED_MS;
            if eye.blocked && long {
                eye.rested = Some(ms);
            }
            let merged =
                eye.blocked && eye.explained && !long && blocked_for > limits::LANDING_ONE_MS;
            eye.blocked = false;
            if merged {
                self.share_pulse(chute, at);
            }
            return;
        }
        // What comes right behind a long block is a resting parcel that moved.
        let rested = before.and_then(|eye| eye.rested);
        let shaken = rested.is_some_and(|end| (0..limits::REBOUND_MS).contains(&ms.since(end)));
        let again = before.is_some_and(|eye| {
            eye.explained && (0..limits::REBOUND_MS).contains(&ms.since(eye.head))
        });
        // Nothing comes any more and the lamp says so: it is the hand of whoever changes the bag.
        let hand = self.hands_in(chute);
        let owner = if shaken || hand { None } else { self.pulse_owner(chute, at) };
        let doubted = owner.is_none() && !shaken && !again && !hand;
        let gone = if doubted { self.gone_after_all(chute, at) } else { None };
        let explained =
            !hand && (owner.is_some() || gone.is_some() || again || self.maybe_owner(chute));
        let eye = LandingEye { head: ms, explained, blocked: true, rested: None };
        self.memory.landings.insert(chute, eye);
        match owner {
            Some(id) => self.note_pulse(id, chute, at, out),
            None if explained => {
                if let Some(id) = gone {
                    self.unconfirm(id, chute, out);
                }
            }
            None if self.changing(chute) => self.note_hand(chute),
            None => {
                self.memory.counters.unexpected_landings += 1;
                self.raise(Alarm::UnexpectedLanding(chute), out);
            }
        }
    }

    /// The oldest parcel fired to this chute whose count window holds `at` and that has no pulse yet.
    fn pulse_owner(&self, chute: ChuteNo, at: Position) -> Option<ParcelId> {
        let place = self.layout.diverter(self.layout.chute(chute)?.diverter);
        let waits = |fate: &Fate| match fate {
            Fate::Fired { choice, at: fired, pulse: None, .. } if choice.chute == chute => {
                let way = at.since(*fired);
                place.landing_from <= way && way <= place.landing_to
            }
            Fate::Fired { .. }
            | Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => false,
        };
        let may = |brief: &Brief| brief.stage == Stage::Fired;
        let mut owners = self.memory.live.pick(may, |parcel| waits(&parcel.fate));
        owners.next().map(|parcel| parcel.id)
    }

    /// The parcel that was fired to this chute and seen behind its bed, whose pulse comes all the same
    /// at `at`: somebody else may have been seen in its place.
    fn gone_after_all(&self, chute: ChuteNo, at: Position) -> Option<ParcelId> {
        let place = self.layout.diverter(self.layout.chute(chute)?.diverter);
        let waits = |parcel: &Parcel| {
            let way = parcel.at(place.eye).map(|seen| at.since(seen.head.plus(place.delay)));
            let fits = way.is_some_and(|way| place.landing_from <= way && way <= place.landing_to);
            fits && match parcel.fate {
                Fate::ToEnd { fired, .. } => fired == Some(chute),
                Fate::Open
                | Fate::Assigned(_)
                | Fate::Armed { .. }
                | Fate::Fired { .. }
                | Fate::MayHaveFired { .. } => false,
            }
        };
        let mut gone = self.memory.live.pick(|brief| brief.stage == Stage::ToEnd, waits);
        gone.next().map(|parcel| parcel.id)
    }

    /// Notes for whoever could have begun its own pulse before an explained one ended at `at` that
    /// the two have merged: a pulse longer than one parcel's stands for two landings.
    fn share_pulse(&mut self, chute: ChuteNo, at: Position) {
        let Some(place) = self.layout.chute(chute) else { return };
        let earliest = self.layout.diverter(place.diverter).landing_from;
        let changing = self.changing(chute);
        let arrival = self.layout.diverter(place.diverter).eye;
        let merged = self.memory.live.pick(
            |brief| brief.stage == Stage::Fired,
            |parcel| match &parcel.fate {
                Fate::Fired { choice, at: fired, pulse: None, .. } => {
                    choice.chute == chute
                        && !parcel.is_under(arrival)
                        && at.since(*fired) >= earliest
                }
                Fate::Fired { .. }
                | Fate::Open
                | Fate::Assigned(_)
                | Fate::Armed { .. }
                | Fate::MayHaveFired { .. }
                | Fate::ToEnd { .. } => false,
            },
        );
        for id in merged.map(|parcel| parcel.id).collect::<Vec<_>>() {
            self.change(id, |parcel| {
                if let Fate::Fired { shared, among_hands, .. } = &mut parcel.fate {
                    shared.get_or_insert(at);
                    *among_hands |= changing;
                }
            });
        }
    }

    /// Whether somebody may have been diverted here; a pulse then surprises nobody and proves nothing.
    fn maybe_owner(&self, chute: ChuteNo) -> bool {
        let is = |parcel: &Parcel| match &parcel.fate {
            Fate::MayHaveFired { choice, .. } => choice.chute == chute,
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::ToEnd { .. } => false,
        };
        self.memory.live.pick(|brief| brief.stage == Stage::MayHaveFired, is).next().is_some()
    }

    fn note_pulse(
        &mut self,
        id: ParcelId,
        chute: ChuteNo,
        position: Position,
        out: &mut Vec<Decision>,
    ) {
        let changing = self.changing(chute);
        let arrival = self.arrival_of(chute);
        let under = self
            .memory
            .live
            .get(&id)
            .is_some_and(|parcel| arrival.is_some_and(|eye| parcel.is_under(eye)));
        let noted = self.change(id, |parcel| {
            let Fate::Fired { pulse, among_hands, .. } = &mut parcel.fate else { return false };
            *pulse = Some(position);
            *among_hands = changing;
            true
        });
        if noted == Some(true) {
            tell(out, id, ParcelEvent::LandedProvisional { chute });
        }
        if under {
            // It stands: what slid down is rather one that had stuck on the bed ahead of it.
            self.doubt(id, Reason::Uncertain, out);
        }
    }

    /// The arrival eye of the diverter that serves a chute.
    fn arrival_of(&self, chute: ChuteNo) -> Option<EyeId> {
        self.layout.chute(chute).map(|place| self.layout.diverter(place.diverter).eye)
    }
}
