//! Outcomes: each parcel leaves the belt exactly once, and the equation ties at every step.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{ChuteNo, EyeId, ParcelId};
use crate::layout::{ChuteRole, LineEnd};
use crate::limits;
use crate::line::{Line, tell};
use crate::parcel::{Choice, Confidence, Fate, OpenKind, OpenParcel, Parcel};
use crate::reason::Reason;
use crate::view::Unmet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

impl Line {
    /// Counts a parcel made at the induction eye.
    pub(crate) fn count_induction(&mut self) {
        self.memory.tally.inducted += 1;
        self.memory.tally.on_line += 1;
        let ran = self.memory.running.total(self.memory.now);
        let recent = &mut self.memory.running.inductions;
        while recent.len() >= limits::INDUCTIONS_MAX
            || recent.front().is_some_and(|first| ran.since(*first) > limits::RATE_SPAN)
        {
            recent.pop_front();
        }
        recent.push_back(ran);
    }

    /// Takes a parcel off the belt.
    fn leave(&mut self, id: ParcelId) -> Option<Parcel> {
        let parcel = self.memory.live.take(id)?;
        self.memory.tally.on_line -= 1;
        Some(parcel)
    }

    /// Remembers that a parcel of these names lies in a chute; its laps are over. What lies in an
    /// exception chute may be inducted again.
    pub(crate) fn remember(&mut self, names: &[String], chute: ChuteNo) {
        let place = self.layout.chute(chute);
        let sorted = place.is_some_and(|place| place.role == ChuteRole::Sort);
        for waybill in names {
            self.memory.laps.remove(waybill);
            if sorted && self.memory.landed.len() < limits::LANDED_MAX {
                self.memory.landed.insert(waybill);
            }
        }
    }

    /// Ends a parcel in its chute.
    pub(crate) fn land(&mut self, id: ParcelId, choice: &Choice, out: &mut Vec<Decision>) {
        let Some(parcel) = self.leave(id) else { return };
        let (chute, alternate) = (choice.chute, choice.alternate);
        self.remember(&waybills(&parcel), chute);
        let tally = &mut self.memory.tally;
        if alternate {
            tally.landed_alternate += 1;
        } else {
            tally.landed_planned += 1;
        }
        if let Some(reason) = choice.reason {
            *tally.landed_for.entry(reason).or_insert(0) += 1;
        }
        *self.memory.chutes.entry(chute).or_insert(0) += 1;
        tell(out, id, ParcelEvent::Landed { chute, alternate });
        let pulse = match parcel.fate {
            Fate::Fired { pulse, shared, .. } => pulse.or(shared),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => None,
        };
        self.load_chute(chute, pulse, parcel.weight, out);
    }

    /// Ends a parcel's way at the end of the line.
    pub(crate) fn end(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        // Whoever arrives without a reason gets the one that is true.
        let missing = self.memory.live.get(&id).and_then(|parcel| match &parcel.fate {
            Fate::Open => Some(parcel.identity.late()),
            Fate::Assigned(_) => Some(Reason::ArmLate),
            Fate::Armed { .. } => Some(Reason::NotSeen),
            Fate::Fired { .. } => Some(Reason::DivertFailed),
            Fate::MayHaveFired { reason, .. } => Some(*reason),
            Fate::ToEnd { .. } => None,
        });
        if let Some(reason) = missing {
            self.cancel_arm_of(id, out);
            self.give_up(id, reason, out);
        }
        let Some(parcel) = self.leave(id) else { return };
        let reason = match parcel.fate {
            Fate::ToEnd { reason, fired: _ } => reason,
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. } => Reason::Uncertain,
        };
        match self.layout.end {
            LineEnd::Chute => {
                *self.memory.tally.end_landed.entry(reason).or_insert(0) += 1;
                tell(out, id, ParcelEvent::EndLanded { reason });
            }
            LineEnd::Return { laps_max, .. } => {
                *self.memory.tally.recirculated.entry(reason).or_insert(0) += 1;
                tell(out, id, ParcelEvent::Recirculated { reason });
                let passes = self.count_lap(&waybills(&parcel));
                if !reason.may_pass() || passes > laps_max {
                    self.raise(Alarm::RoundInVain, out);
                }
            }
        }
    }

    /// Ends a parcel that should have been seen at `eye`.
    pub(crate) fn lose(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.leave(id) else { return };
        self.memory.tally.lost += 1;
        tell(out, id, ParcelEvent::Lost { eye });
        self.keep_open(parcel, OpenKind::Lost { eye });
        self.raise(Alarm::Lost(id), out);
        self.watch_lost(eye, out);
    }

    /// Ends a parcel that was fired, or may have been, and that nothing confirms.
    pub(crate) fn unconfirm(&mut self, id: ParcelId, chute: ChuteNo, out: &mut Vec<Decision>) {
        let Some(parcel) = self.leave(id) else { return };
        self.memory.tally.unconfirmed += 1;
        self.remember(&waybills(&parcel), chute);
        tell(out, id, ParcelEvent::Unconfirmed { chute });
        self.keep_open(parcel, OpenKind::Unconfirmed { chute });
        self.raise(Alarm::Unconfirmed(id), out);
    }

    fn keep_open(&mut self, parcel: Parcel, kind: OpenKind) {
        if self.memory.open.len() < limits::OPEN_MAX {
            self.memory.open.insert(parcel.id, OpenParcel { parcel, kind });
        }
    }

    /// Puts a lost parcel that was seen again back on the belt: uncertain, and counted once.
    pub(crate) fn find_again(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let Some(open) = self.memory.open.remove(&id) else { return };
        self.memory.tally.lost -= 1;
        self.memory.tally.on_line += 1;
        self.memory.counters.found_again += 1;
        let mut parcel = open.parcel;
        parcel.confidence = Confidence::Uncertain;
        let known = match parcel.fate {
            Fate::ToEnd { .. } => true,
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. } => false,
        };
        self.memory.live.put(&self.layout, parcel);
        self.clear(Alarm::Lost(id), out);
        if !known {
            self.give_up(id, Reason::Uncertain, out);
        }
    }

    /// A person found an open parcel.
    pub(crate) fn resolve(
        &mut self,
        id: ParcelId,
        chute: Option<ChuteNo>,
        by: &str,
        out: &mut Vec<Decision>,
    ) {
        let Some(open) = self.memory.open.remove(&id) else {
            out.push(Decision::Refused { why: vec![Unmet::NotOpen(id)] });
            return;
        };
        match open.kind {
            OpenKind::Unconfirmed { .. } => {
                self.memory.tally.unconfirmed -= 1;
                self.clear(Alarm::Unconfirmed(id), out);
            }
            OpenKind::Lost { .. } => {
                self.memory.tally.lost -= 1;
                self.clear(Alarm::Lost(id), out);
            }
        }
        self.memory.tally.removed += 1;
        match chute {
            Some(chute) => {
                self.remember(&waybills(&open.parcel), chute);
                self.load_chute(chute, None, open.parcel.weight, out);
            }
            None => {
                for waybill in waybills(&open.parcel) {
                    self.memory.laps.remove(&waybill);
                    self.memory.landed.remove(&waybill);
                }
            }
        }
        tell(out, id, ParcelEvent::Removed { by: String::from(by) });
    }
}

/// The names under which a parcel would be a duplicate.
fn waybills(parcel: &Parcel) -> Vec<String> {
    let mut names: Vec<String> = parcel.identity.code().into_iter().cloned().collect();
    if let Some(facts) = parcel.identity.facts()
        && !names.contains(&facts.waybill)
    {
        names.push(facts.waybill.clone());
    }
    names
}
