//! What people's hands do to parcels on the belts.
//!
//! A parcel that is lifted leaves the eyes that it covers, and one that is laid down covers those
//! above it: no parcel ever jumps past an eye unseen by the rules of the plant.

use super::feed::Label;
use super::motion::CLEAR;
use super::parcel::{Body, Hold, Parcel};
use super::{Happening, MM, Nm, Plant};
use crate::truth::{Packaging, Place, With};

impl Plant {
    /// Where a parcel on the belts is in their order.
    pub(super) fn on_belt(&self, parcel: usize) -> Option<usize> {
        self.parcels.iter().position(|on| on.index == parcel)
    }

    /// Position of the head of a parcel that is on the belts.
    pub fn head(&self, parcel: usize) -> Option<Nm> {
        self.on_belt(parcel).map(|at| self.parcels[at].head)
    }

    /// Takes a parcel off the belt or off the return for good.
    pub(super) fn take_off(&mut self, parcel: usize, at: u64, out: &mut Vec<Happening>) -> bool {
        let Some(place) = self.on_belt(parcel) else {
            // That it had gone round stays true of its last pass.
            let removed = self.round.as_mut().is_some_and(|round| round.remove(parcel));
            self.show_round(at, out);
            return removed;
        };
        let parcel = self.lift(place, at, out);
        self.truth.parcels[parcel.index].place = Place::Taken;
        true
    }

    /// Puts a foreign parcel onto the belt, where there is room for it; gives its place in the truth.
    pub(super) fn lay_foreign(
        &mut self,
        (head, length): (Nm, Nm),
        waybill: Option<String>,
        at: u64,
        out: &mut Vec<Happening>,
    ) -> Option<usize> {
        let bounds = self.plans[0].from + length..self.drop;
        if !bounds.contains(&head) || !self.is_free(head - length, head, None) {
            return None;
        }
        let size_mm = [length / MM, (length / MM * 3 / 4).max(1), (length / MM / 2).max(1)];
        let body = Body {
            size_mm,
            apparent: length,
            packaging: Packaging::Carton,
            mass_g: 1_800,
            running_ppm: 0,
            bag_slip_ppm: 0,
        };
        let row = waybill
            .as_ref()
            .and_then(|waybill| self.items.iter().position(|item| item.waybill == *waybill));
        let waybill = waybill.unwrap_or_else(|| self.infeed.stranger(&self.items));
        let index = self.enter(&Label { waybill, row }, &body, at);
        self.truth.parcels[index].place = Place::OnLine;
        self.lay(Parcel::new(index, head, body), at, out);
        Some(index)
    }

    /// Lays a parcel against the one ahead of it, or over its tail by `over`.
    pub(super) fn lay_up(
        &mut self,
        parcel: usize,
        over: Option<Nm>,
        at: u64,
        out: &mut Vec<Happening>,
    ) -> Option<usize> {
        let place = self.on_belt(parcel)?;
        let ahead = self.parcels.get(place.checked_sub(1)?)?;
        let (carrier, tail) = (ahead.index, ahead.tail());
        // On top it may reach no farther than the other's head.
        let over = over.map(|over| over.min(ahead.body.apparent));
        let mut lifted = self.lift(place, at, out);
        lifted.head = tail + over.unwrap_or(-CLEAR);
        if over.is_some() {
            lifted.hold = Hold::On(carrier);
        }
        self.lay(lifted, at, out);
        Some(carrier)
    }

    /// Turns a parcel by a quarter about its centre, where there is room for it.
    pub(super) fn rotate(&mut self, parcel: usize, at: u64, out: &mut Vec<Happening>) -> bool {
        let Some(place) = self.on_belt(parcel) else { return false };
        let [_, wide, _] = self.parcels[place].body.size_mm;
        let (centre, length) = (self.parcels[place].centre(), wide.max(1) * MM);
        let (tail, head) = (centre - length / 2, centre + length / 2);
        if !self.is_free(tail, head, Some(parcel)) {
            return false;
        }
        let mut lifted = self.lift(place, at, out);
        lifted.head = head;
        let [long, wide, high] = lifted.body.size_mm;
        lifted.body.size_mm = [wide, long, high];
        lifted.body.apparent = length;
        self.truth.parcels[lifted.index].apparent_mm = length / MM;
        self.lay(lifted, at, out);
        true
    }

    /// Whether nothing but `but` lies between `tail` and `head`.
    fn is_free(&self, tail: Nm, head: Nm, but: Option<usize>) -> bool {
        self.parcels.iter().all(|other| {
            Some(other.index) == but || other.tail() - CLEAR >= head || other.head + CLEAR <= tail
        })
    }

    /// Lifts the parcel at this place of the order.
    fn lift(&mut self, place: usize, at: u64, out: &mut Vec<Happening>) -> Parcel {
        let mut parcel = self.parcels.remove(place);
        self.uncover(&parcel, at, out);
        self.contact(&parcel, at, With::Hand);
        (parcel.hold, parcel.slip, parcel.pass) = (Hold::Free, 0, None);
        parcel
    }

    /// Lays a parcel down with its head where it says.
    fn lay(&mut self, mut parcel: Parcel, at: u64, out: &mut Vec<Happening>) {
        let (head, tail, centre) = (parcel.head, parcel.tail(), parcel.centre());
        let with = match parcel.hold {
            Hold::On(carrier) => With::RidesOn(carrier.try_into().unwrap_or(u64::MAX)),
            Hold::Free | Hold::Hand(_) | Hold::Mouth | Hold::Beside(_) => With::Hand,
        };
        self.contact(&parcel, at, with);
        parcel.free_to = Nm::MIN;
        parcel.head_eye = self.eyes.partition_point(|eye| eye.at + eye.blind <= head);
        let left = self.eyes.partition_point(|eye| eye.at - eye.blind <= tail);
        // A dirty lens may have lost sight of a short parcel that it has not seen yet.
        parcel.tail_eye = left.min(parcel.head_eye);
        for eye in &mut self.eyes[parcel.tail_eye..parcel.head_eye] {
            eye.cover(at + 1, 0, &mut self.streams.bounce, out);
        }
        parcel.stretch =
            self.stretches.partition_point(|stretch| stretch.from <= centre).max(1) - 1;
        parcel.bed = self.beds.partition_point(|bed| bed.plan.to <= tail);
        // A bed decides over what comes to it; what is laid down beyond its middle stays.
        let beyond = self.beds.get(parcel.bed).is_some_and(|bed| {
            centre >= Nm::midpoint(bed.plan.from, bed.plan.to) && head >= bed.plan.from
        });
        if beyond {
            parcel.pass = Some(super::parcel::Pass { committed: None, entered: at, decided: true });
        }
        let place = self.parcels.partition_point(|other| other.tail() > tail);
        self.parcels.insert(place, parcel);
    }
}
