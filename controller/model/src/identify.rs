//! Reads and weights: whose they are.

use crate::decision::{Decision, ParcelEvent};
use crate::ids::{EyeId, ParcelId, ScannerId};
use crate::line::{Line, tell};
use crate::live::Brief;
use crate::parcel::{Fate, Identity, Parcel, Sighting};
use crate::reason::Reason;
use crate::rescan::Trigger;
use crate::signal::Read;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Grams, Position};

/// What a read means for a parcel.
pub(crate) enum Outcome {
    /// Exactly one code.
    Code(String),
    /// Nothing to go by.
    Unreadable(Reason),
}

/// Sorts a read by the number of its distinct codes.
pub(crate) fn outcome(read: Read) -> Outcome {
    match read {
        Read::NoRead => Outcome::Unreadable(Reason::NoRead),
        Read::TooLong => Outcome::Unreadable(Reason::CodeTooLong),
        Read::Codes(codes) => {
            let mut distinct: BTreeSet<String> =
                codes.into_iter().filter(|code| !code.is_empty()).collect();
            match (distinct.pop_first(), distinct.is_empty()) {
                (None, _) => Outcome::Unreadable(Reason::NoRead),
                (Some(code), true) => Outcome::Code(code),
                (Some(_), false) => Outcome::Unreadable(Reason::MultiCode),
            }
        }
    }
}

impl Line {
    /// Parcels whose head, from the induction eye on, may have been at `at` at a place of the tunnel.
    fn triggered(&self, place: Distance, at: Position, spread: Distance) -> Vec<ParcelId> {
        let limits = &self.layout.limits;
        let is = |parcel: &Parcel| {
            parcel.at(EyeId(0)).is_some_and(|seen| {
                parcel.base(limits, seen).behind(limits, place, spread).holds(at)
            })
        };
        let may = |brief: &Brief| brief.headed_at(limits, place, at, spread);
        self.memory.live.pick(may, is).map(|parcel| parcel.id).collect()
    }

    /// Takes a reader's answer for one trigger.
    pub(crate) fn read(&mut self, trigger: Trigger, read: Read, out: &mut Vec<Decision>) {
        let Trigger { scanner, head: at, spread } = trigger;
        if scanner != ScannerId(0) {
            return self.rescan(trigger, read, out);
        }
        let owners = self.triggered(self.layout.scanner.at, at, spread);
        match owners.as_slice() {
            [] => {
                self.memory.counters.unowned_reads += 1;
                self.second_label(at, &read, out);
            }
            [one] => self.identify(*one, outcome(read), out),
            several => {
                for id in several {
                    self.doubt(*id, Reason::Uncertain, out);
                }
            }
        }
    }

    /// A code that was triggered inside a body whose own code is another one: two parcels that
    /// touch, of which the eyes make one.
    fn second_label(&mut self, at: Position, read: &Read, out: &mut Vec<Decision>) {
        let Read::Codes(codes) = read else { return };
        let limits = &self.layout.limits;
        let inside = |parcel: &&Parcel| {
            parcel.at(EyeId(0)).is_some_and(|seen| {
                let behind = at.since(seen.head.plus(self.layout.scanner.at));
                // Seen as one so far or not: the longest pulse that it made is the body.
                let pulses = parcel.track.seen.iter().filter_map(Sighting::length);
                let length = pulses.chain(parcel.track.length).max().unwrap_or(limits.length_max);
                behind.0 > 0 && behind <= length.plus(limits.tolerance)
            })
        };
        let other = |parcel: &Parcel| parcel.identity.code().is_none_or(|own| !codes.contains(own));
        let double = self.memory.live.values().find(inside).filter(|parcel| other(parcel));
        if let Some(id) = double.map(|parcel| parcel.id) {
            self.doubt(id, Reason::Touching, out);
        }
    }

    /// Gives a read to its parcel.
    fn identify(&mut self, id: ParcelId, outcome: Outcome, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        match (&parcel.identity, outcome) {
            (Identity::Unread, Outcome::Unreadable(reason)) => {
                self.change(id, |parcel| parcel.identity = Identity::Unreadable);
                self.set_aside(id, reason, out);
            }
            (Identity::Unread, Outcome::Code(code)) => {
                let open = parcel.fate == Fate::Open;
                let asked = Identity::Asked { code: code.clone() };
                self.change(id, |parcel| parcel.identity = asked);
                tell(out, id, ParcelEvent::Identified { code: code.clone() });
                if self.known_waybill(id, &code) {
                    self.set_aside(id, Reason::Duplicate, out);
                } else if open {
                    out.push(Decision::AskRoute { parcel: id, code });
                }
            }
            // A second answer in one window: the same code changes nothing, anything else makes the
            // first one doubtful.
            (known, Outcome::Code(code)) if known.code() == Some(&code) => {}
            (
                Identity::Unreadable
                | Identity::Asked { .. }
                | Identity::Unknown { .. }
                | Identity::Known { .. },
                Outcome::Code(_) | Outcome::Unreadable(_),
            ) => self.doubt(id, Reason::Uncertain, out),
        }
    }

    /// Whether a waybill is in a chute, or on the belt under an earlier parcel.
    pub(crate) fn known_waybill(&self, id: ParcelId, waybill: &String) -> bool {
        self.memory.landed.contains(waybill)
            || self.memory.live.range(..id).any(|(_, other)| {
                let found = other.identity.facts().map(|facts| &facts.waybill);
                other.identity.code() == Some(waybill) || found == Some(waybill)
            })
    }

    /// Asks again for every parcel that has not been answered; a second answer changes nothing.
    pub(crate) fn ask_again(&self, out: &mut Vec<Decision>) {
        for parcel in self.memory.live.values().filter(|parcel| parcel.fate == Fate::Open) {
            match &parcel.identity {
                Identity::Asked { code } => {
                    out.push(Decision::AskRoute { parcel: parcel.id, code: code.clone() });
                }
                Identity::Unread
                | Identity::Unreadable
                | Identity::Unknown { .. }
                | Identity::Known { .. } => {}
            }
        }
    }

    /// Takes a read that belongs to no open trigger: its neighbours may have lost or taken a code.
    pub(crate) fn unassigned(
        &mut self,
        scanner: ScannerId,
        at: Position,
        trigger: Option<u16>,
        out: &mut Vec<Decision>,
    ) {
        if trigger.is_some() {
            self.memory.counters.late_reads += 1;
            return;
        }
        if scanner != ScannerId(0) {
            return self.unassigned_rescan(scanner, out);
        }
        let place = self.layout.scanner.at;
        let passed = |id: &&ParcelId| {
            self.memory
                .live
                .get(id)
                .and_then(|parcel| parcel.at(EyeId(0)))
                .is_some_and(|seen| at.since(seen.head.plus(place)).0 >= 0)
        };
        // The belt keeps the order of numbers: those that passed the scanner come first.
        let before = self.memory.live.keys().take_while(passed).last().copied();
        let after = self.memory.live.keys().find(|id| !passed(id)).copied();
        for id in [before, after].into_iter().flatten() {
            self.doubt(id, Reason::UnassignedRead, out);
        }
    }

    /// Takes the scale's answer for one trigger; a weight of unknown owner is dropped.
    pub(crate) fn weighed(
        &mut self,
        at: Position,
        spread: Distance,
        weight: Option<Grams>,
        size_mm: [u16; 3],
        out: &mut Vec<Decision>,
    ) {
        let Some(place) = self.layout.dws else { return };
        let owners = self.triggered(place.at, at, spread);
        let [one] = owners.as_slice() else { return };
        let measure = |parcel: &mut Parcel| (parcel.weight, parcel.size_mm) = (weight, size_mm);
        if self.change(*one, measure).is_some() {
            tell(out, *one, ParcelEvent::Weighed { weight });
            self.weigh_again(*one, out);
        }
    }
}
