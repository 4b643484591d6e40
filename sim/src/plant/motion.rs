//! How parcels move, what they cut on their way, and how they leave the belt.

use super::eye::EyeRole;
use super::parcel::{Parcel, Pass};
use super::{Happening, MM, Nm, Plant};
use crate::truth::{BedFault, Place};
use registers::exchange::Side;
use units::{Counts, Micros};

/// Parcels that touch stay this far apart, so that no two ever overlap.
const CLEAR: Nm = MM;

/// One parcel's way in the present millisecond.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// When the millisecond began, in µs.
    start: u64,
    /// How far the parcel moves in it.
    way: Nm,
}

impl Way {
    /// When a point that is now `past` behind the moved edge was crossed.
    fn crossed(self, past: Nm) -> u64 {
        // Rounded up, so that an encoder read then has come as far as the edge has.
        let part = ((self.way - past).max(0) * 1_000).div_euclid(self.way.max(1)) + 1;
        self.start + part.clamp(1, 1_000).unsigned_abs()
    }
}

impl Plant {
    /// Moves every parcel, the most downstream one first.
    pub(super) fn move_parcels(&mut self, start: u64, out: &mut Vec<Happening>) {
        let mut parcels = core::mem::take(&mut self.parcels);
        let mut ahead = None;
        parcels.retain_mut(|parcel| {
            let stays = self.move_parcel(parcel, ahead, start, out);
            if stays {
                ahead = Some(parcel.tail());
            }
            stays
        });
        self.parcels = parcels;
    }

    /// Moves one parcel behind a tail `ahead`; false when it has left the belt.
    fn move_parcel(
        &mut self,
        parcel: &mut Parcel,
        ahead: Option<Nm>,
        start: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let stretch = self.stretches[parcel.stretch];
        let belt = &self.belts[stretch.belt];
        let sorter = stretch.belt + 1 == self.belts.len();
        let own = if sorter { parcel.body.running_ppm } else { 0 };
        let accelerated = stretch.wheels || belt.ramping();
        let mut way = parcel.motion(belt.carried(), stretch.extra_ppm + own, accelerated);
        if let Some(tail) = ahead {
            way = way.min(tail - CLEAR - parcel.head).max(0);
        }
        if way > 0 {
            parcel.head += way;
            let way = Way { start, way };
            self.cut_eyes(parcel, ahead, way, out);
            self.change_stretch(parcel);
        }
        // A bed may turn under a parcel that stands.
        self.pass_beds(parcel, start, out) && self.stays(parcel, start, out)
    }

    fn cut_eyes(
        &mut self,
        parcel: &mut Parcel,
        ahead: Option<Nm>,
        way: Way,
        out: &mut Vec<Happening>,
    ) {
        let bounce = self.profile.bounce_permille * 1_000;
        while let Some(eye) = self.eyes.get_mut(parcel.head_eye)
            && eye.at <= parcel.head
        {
            let at = way.crossed(parcel.head - eye.at);
            eye.cover(at, bounce, &mut self.streams.bounce, out);
            let role = eye.role;
            parcel.head_eye += 1;
            match role {
                EyeRole::Plain | EyeRole::Scale => {}
                EyeRole::Induction => self.induct(parcel, at, way.start),
                EyeRole::Reader => {
                    let gap = ahead.map(|tail| (tail - parcel.head) / MM);
                    self.truth.parcels[parcel.index].gap_mm = gap;
                }
            }
        }
        while let Some(eye) = self.eyes.get_mut(parcel.tail_eye)
            && eye.at <= parcel.tail()
        {
            let at = way.crossed(parcel.tail() - eye.at);
            eye.clear(at, bounce, &mut self.streams.bounce, out);
            let role = eye.role;
            parcel.tail_eye += 1;
            match role {
                EyeRole::Plain | EyeRole::Induction => {}
                EyeRole::Reader => {
                    let truth = &mut self.truth.parcels[parcel.index];
                    let facts = (&self.profile, &*self.items);
                    self.reader.tail(truth, parcel.index, at, facts, out);
                }
                EyeRole::Scale => {
                    if let Some(scale) = &mut self.scale {
                        scale.full_on(parcel.index, at);
                    }
                }
            }
        }
    }

    fn induct(&mut self, parcel: &Parcel, at: u64, start: u64) {
        let count = self.reference_count(at.saturating_sub(start));
        let truth = &mut self.truth.parcels[parcel.index];
        truth.place = Place::OnLine;
        truth.inducted_at = Some(Micros(at));
        truth.induct_count = Some(count);
    }

    /// What the reference node counts at `part` µs into the present millisecond.
    fn reference_count(&self, part: u64) -> Counts {
        let (offset, nm_per_count) = self.reference;
        let sorter = &self.belts[self.belts.len() - 1];
        let travel = sorter.travel_at(part.cast_signed());
        offset.plus(low_counts(super::belt::counts(travel, nm_per_count)))
    }

    fn change_stretch(&mut self, parcel: &mut Parcel) {
        while let Some(next) = self.stretches.get(parcel.stretch + 1)
            && next.from <= parcel.centre()
        {
            if next.belt != self.stretches[parcel.stretch].belt {
                let sigma = i64::from(self.profile.transfer_sigma_mm) * MM;
                parcel.slip += self.streams.slip.normal(sigma);
            }
            parcel.stretch += 1;
        }
    }

    /// Lets the bed under a parcel act on it; false when the bed sends it off the belt.
    fn pass_beds(&mut self, parcel: &mut Parcel, start: u64, out: &mut Vec<Happening>) -> bool {
        let Some(bed) = self.beds.get(parcel.bed) else { return true };
        if parcel.head < bed.plan.from {
            return true;
        }
        let begun = Pass { committed: bed.turned(), entered: start, decided: false };
        let pass = *parcel.pass.get_or_insert(begun);
        if !pass.decided {
            if parcel.centre() < i64::midpoint(bed.plan.from, bed.plan.to) {
                return true;
            }
            parcel.pass = Some(Pass { decided: true, ..pass });
            return self.decide(parcel, pass, start, out);
        }
        if bed.moved() {
            self.fault(parcel, BedFault::Brushed(parcel.bed));
        }
        if parcel.tail() >= self.beds[parcel.bed].plan.to {
            parcel.bed += 1;
            parcel.pass = None;
        }
        true
    }

    /// The centre is over the bed: it goes where the bed points; false when that is off the belt.
    fn decide(
        &mut self,
        parcel: &Parcel,
        pass: Pass,
        start: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let Pass { committed, entered, .. } = pass;
        let bed = &self.beds[parcel.bed];
        let (side, moved) = (bed.points_to(), bed.moved());
        let chute = side.and_then(|side: Side| bed.chute(side));
        if committed != side || (side.is_none() && moved) {
            self.fault(parcel, BedFault::HalfTurned(parcel.bed));
        }
        if side.is_none() {
            return true;
        }
        let Some(eye) = chute else {
            self.fault(parcel, BedFault::NoChute(parcel.bed));
            return true;
        };
        let number = self.chutes[eye].number;
        self.slides.begin(parcel.index, eye, number, entered, start);
        self.truth.parcels[parcel.index].place = Place::Sliding(number);
        self.uncover(parcel, start, out);
        false
    }

    /// A parcel that leaves the belt leaves the eyes that it covers.
    fn uncover(&mut self, parcel: &Parcel, start: u64, out: &mut Vec<Happening>) {
        for eye in &mut self.eyes[parcel.tail_eye..parcel.head_eye] {
            eye.clear(start + 1, 0, &mut self.streams.bounce, out);
        }
    }

    /// Whether the parcel is still on the belt; past its end it drops into the end chute.
    fn stays(&mut self, parcel: &Parcel, start: u64, out: &mut Vec<Happening>) -> bool {
        if parcel.centre() < self.drop {
            return true;
        }
        let truth = &mut self.truth.parcels[parcel.index];
        truth.place = Place::End;
        truth.landed_at = Some(Micros(start + super::STEP_US));
        self.uncover(parcel, start, out);
        false
    }

    /// The first fault of a parcel is kept.
    fn fault(&mut self, parcel: &Parcel, fault: BedFault) {
        self.truth.parcels[parcel.index].fault.get_or_insert(fault);
    }
}

/// The low 32 bits of a count, as a step for a wrapping counter.
pub fn low_counts(counts: i64) -> i32 {
    let [_, _, _, _, bytes @ ..] = counts.to_be_bytes();
    i32::from_be_bytes(bytes)
}
