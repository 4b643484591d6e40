//! How parcels move, what they cut on their way, and how they leave the belt.

use super::chute::Pile;
use super::eye::EyeRole;
use super::parcel::{Hold, Parcel, Pass, Trick};
use super::{Happening, MM, Nm, Plant};
use crate::scenario::Event;
use crate::truth::{BedFault, Contact, Place, With};
use registers::exchange::Side;
use units::{Counts, Micros};

/// Parcels that touch stay this far apart, so that no two ever overlap.
pub(super) const CLEAR: Nm = MM;

/// The parcel ahead of the one that moves.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    index: usize,
    tail: Nm,
    /// How far it moved in this millisecond.
    way: Nm,
}

/// A parcel that has just been sent off the belt takes what lies on it, or close behind, with it.
#[derive(Clone, Copy, Debug)]
struct Taker {
    index: usize,
    tail: Nm,
    /// Its landing eye.
    eye: usize,
    /// What in the truth makes it drag the next one.
    drags: Option<usize>,
}

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
        let (mut ahead, mut taker) = (None, None);
        parcels.retain_mut(|parcel| {
            if let Some(taker) = taker.take()
                && self.is_taken(parcel, taker, start, out)
            {
                return false;
            }
            let before = parcel.head;
            let stays = self.move_parcel(parcel, ahead.as_ref(), (start, &mut taker), out);
            if stays {
                let way = parcel.head - before;
                ahead = Some(Ahead { index: parcel.index, tail: parcel.tail(), way });
            }
            stays
        });
        self.parcels = parcels;
    }

    /// Whether the parcel goes off the belt with the one ahead that has just done so.
    fn is_taken(
        &mut self,
        parcel: &Parcel,
        taker: Taker,
        start: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let carrier = u64::try_from(taker.index).unwrap_or(u64::MAX);
        let with = match taker.drags {
            _ if parcel.hold == Hold::On(taker.index) => With::RidesOn(carrier),
            Some(trouble) => match self.dragged(parcel, (taker.tail, trouble), start) {
                Some(trouble) => {
                    self.truth.touch(trouble, taker.index);
                    self.truth.touch(trouble, parcel.index);
                    With::DraggedBy(carrier)
                }
                None => return false,
            },
            None => return false,
        };
        self.contact(parcel, start, with);
        self.send_off(parcel, taker.eye, start, start, out);
        true
    }

    /// Moves one parcel behind the one ahead; false when it has left the belt.
    fn move_parcel(
        &mut self,
        parcel: &mut Parcel,
        ahead: Option<&Ahead>,
        (start, taker): (u64, &mut Option<Taker>),
        out: &mut Vec<Happening>,
    ) -> bool {
        let way = self.way(parcel, ahead, start);
        parcel.head += way;
        if parcel.head < parcel.free_to {
            debug_assert!(parcel.head < self.free_to(parcel), "something looks at it already");
            return true;
        }
        if way > 0 {
            let way = Way { start, way };
            self.cut_eyes(parcel, ahead.map(|ahead| ahead.tail), way, out);
            self.change_stretch(parcel);
        }
        // A bed may turn under a parcel that stands.
        let stays = self.pass_beds(parcel, (start, taker), out) && self.stays(parcel, start, out);
        parcel.free_to = self.free_to(parcel);
        stays
    }

    /// Where the head of a parcel is when the next thing along the line looks at it: an eye that it
    /// comes to or leaves, another belt, a bed, or the end. A bed looks at what is over it at all
    /// times.
    fn free_to(&self, parcel: &Parcel) -> Nm {
        let long = parcel.body.apparent;
        let covers = self.eyes.get(parcel.tail_eye).filter(|_| parcel.tail_eye < parcel.head_eye);
        let places = [
            self.eyes.get(parcel.head_eye).map(|eye| eye.at + eye.blind),
            covers.map(|eye| eye.at - eye.blind + long),
            self.stretches.get(parcel.stretch + 1).map(|next| next.from + long / 2),
            self.beds.get(parcel.bed).map(|bed| bed.plan.from),
        ];
        places.into_iter().flatten().fold(self.drop + long / 2, Nm::min)
    }

    /// Eyes have changed where they look: everybody on the belts is looked at once more.
    pub(super) fn look_anew(&mut self) {
        self.parcels.iter_mut().for_each(|parcel| parcel.free_to = Nm::MIN);
    }

    /// How far a parcel moves.
    fn way(&mut self, parcel: &mut Parcel, ahead: Option<&Ahead>, start: u64) -> Nm {
        match (parcel.hold, ahead) {
            (Hold::Free, _) => {}
            (Hold::Hand(until), _) if start < until => return 0,
            (Hold::Mouth, _) => return 0,
            (Hold::On(carrier) | Hold::Beside(carrier), Some(ahead)) if ahead.index == carrier => {
                return ahead.way;
            }
            // The hand is gone, or what carried it is.
            (Hold::Hand(_) | Hold::On(_) | Hold::Beside(_), _) => parcel.hold = Hold::Free,
        }
        let stretch = self.stretches[parcel.stretch];
        if stretch.wheels && self.wheels_stand(parcel, start) {
            return 0;
        }
        let belt = &self.belts[stretch.belt];
        let sorter = stretch.belt + 1 == self.belts.len();
        let own = if sorter { parcel.body.running_ppm } else { 0 };
        let accelerated = stretch.wheels || belt.ramping();
        let mut way = parcel.motion(belt.carried(), stretch.extra_ppm + own, accelerated);
        if let Some(ahead) = ahead {
            let room = ahead.tail - CLEAR - parcel.head;
            if room < way {
                way = room.max(0);
                self.contact(parcel, start, With::Ahead(ahead.index.try_into().unwrap_or(0)));
            }
        }
        way
    }

    /// Whether the parcel lies on wheels that stand.
    fn wheels_stand(&mut self, parcel: &Parcel, start: u64) -> bool {
        let Some(bed) = self.beds.get(parcel.bed).filter(|bed| !bed.drives()) else {
            return false;
        };
        if let Some((_, trouble)) = bed.defect() {
            self.truth.touch(trouble, parcel.index);
        }
        self.contact(parcel, start, With::WheelsStopped(parcel.bed));
        true
    }

    /// Notes what a parcel came into contact with; the same thing again is the same contact.
    pub(super) fn contact(&mut self, parcel: &Parcel, at: u64, with: With) {
        let contacts = &mut self.truth.parcels[parcel.index].contacts;
        if contacts.last().is_none_or(|last| last.with != with) {
            contacts.push(Contact { at: Micros(at), at_mm: parcel.head / MM, with });
        }
    }

    fn cut_eyes(
        &mut self,
        parcel: &mut Parcel,
        ahead: Option<Nm>,
        way: Way,
        out: &mut Vec<Happening>,
    ) {
        let bounce = self.profile.bounce_permille * 1_000;
        while let Some(eye) = self.eyes.get(parcel.head_eye)
            && eye.at + eye.blind <= parcel.head
        {
            self.reach_eye(parcel, ahead, way, out);
        }
        // A dirty lens may see the tail of a short parcel before its head.
        while parcel.tail_eye < parcel.head_eye
            && let Some(eye) = self.eyes.get_mut(parcel.tail_eye)
            && eye.at - eye.blind <= parcel.tail()
        {
            let at = way.crossed(parcel.tail() - eye.at + eye.blind);
            eye.clear(at, bounce, &mut self.streams.bounce, out);
            let role = eye.role;
            parcel.tail_eye += 1;
            match role {
                EyeRole::Plain | EyeRole::Induction => {}
                EyeRole::Reader(reader) => self.read(reader, parcel.index, at, out),
                EyeRole::Scale => {
                    if let Some(scale) = &mut self.scale {
                        scale.full_on(parcel.index, at);
                    }
                }
            }
        }
    }

    /// A parcel's head has reached its next eye.
    fn reach_eye(
        &mut self,
        parcel: &mut Parcel,
        ahead: Option<Nm>,
        way: Way,
        out: &mut Vec<Happening>,
    ) {
        let (index, bounce) = (parcel.head_eye, self.profile.bounce_permille * 1_000);
        let misses = self.draw_miss();
        let eye = &mut self.eyes[index];
        let at = way.crossed(parcel.head - eye.at - eye.blind);
        let misses = misses && !eye.is_covered();
        if misses {
            eye.miss();
        }
        eye.cover(at, bounce, &mut self.streams.bounce, out);
        if let Some(trouble) = eye.trouble {
            self.truth.touch(trouble, parcel.index);
        }
        let role = eye.role;
        if misses {
            let eye = eye.name.to_string();
            self.drawn(Event::EyeMiss { eye }, parcel, at);
        }
        parcel.head_eye += 1;
        if parcel.hole.is_some() {
            self.show_hole(index, parcel, at, out);
        }
        match role {
            EyeRole::Plain | EyeRole::Scale | EyeRole::Reader(1..) => {}
            EyeRole::Induction => self.induct(parcel, at, way.start),
            EyeRole::Reader(0) => {
                let gap = ahead.map(|tail| (tail - parcel.head) / MM);
                self.truth.parcels[parcel.index].gap_mm = gap;
            }
        }
    }

    /// A parcel's tail has left a reader; parcels that stick together are one trigger to the tunnel's.
    fn read(&mut self, reader: usize, index: usize, at: u64, out: &mut Vec<Happening>) {
        let facts = (&self.profile, &*self.items);
        if reader != 0 {
            self.readers[reader].tail(&mut self.truth.parcels[index], index, at, facts, out);
            return;
        }
        if self.pairs.iter().any(|(carrier, _)| *carrier == index) {
            return;
        }
        let pair = self.pairs.iter().position(|(_, rider)| *rider == index);
        if let Some(pair) = pair {
            let (carrier, _) = self.pairs.remove(pair);
            if let Ok([first, second]) = self.truth.parcels.get_disjoint_mut([carrier, index]) {
                self.readers[0].tails((first, carrier), (second, index), at, facts, out);
            }
        } else {
            self.readers[0].tail(&mut self.truth.parcels[index], index, at, facts, out);
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
        if let Some(count) = self.reference_stands {
            return count;
        }
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
    fn pass_beds(
        &mut self,
        parcel: &mut Parcel,
        (start, taker): (u64, &mut Option<Taker>),
        out: &mut Vec<Happening>,
    ) -> bool {
        let Some(bed) = self.beds.get(parcel.bed) else { return true };
        if parcel.head < bed.plan.from {
            return true;
        }
        let begun = Pass { committed: bed.turned(), entered: start, decided: false };
        let pass = *parcel.pass.get_or_insert(begun);
        if let Some((_, trouble)) = bed.defect() {
            self.truth.touch(trouble, parcel.index);
        }
        if !pass.decided {
            if parcel.centre() < i64::midpoint(bed.plan.from, bed.plan.to) + parcel.late {
                return true;
            }
            parcel.pass = Some(Pass { decided: true, ..pass });
            return self.decide(parcel, pass, (start, taker), out);
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
        parcel: &mut Parcel,
        pass: Pass,
        (start, taker): (u64, &mut Option<Taker>),
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
        let mut drags = None;
        let trick = match parcel.trick.take() {
            Some(trick) => Some(trick),
            None if self.piles.get(eye).is_some_and(Pile::is_at_the_mouth) => {
                Some((Trick::Sticks, self.drawn(Event::SkewJam, parcel, start)))
            }
            None => self.draw_trick(parcel, start),
        };
        match trick {
            Some((Trick::Slides, _)) => {
                self.contact(parcel, start, With::NotGripped(parcel.bed));
                return true;
            }
            Some((Trick::Sticks, _)) => {
                self.contact(parcel, start, With::Mouth(self.chutes[eye].number));
                parcel.hold = Hold::Mouth;
                return true;
            }
            Some((Trick::Drags, trouble)) => drags = Some(trouble),
            None => {}
        }
        self.contact(parcel, start, With::Bed(parcel.bed));
        self.send_off(parcel, eye, entered, start, out);
        *taker = Some(Taker { index: parcel.index, tail: parcel.tail(), eye, drags });
        false
    }

    /// A parcel leaves the belt towards a chute.
    fn send_off(
        &mut self,
        parcel: &Parcel,
        eye: usize,
        entered: u64,
        start: u64,
        out: &mut Vec<Happening>,
    ) {
        let number = self.chutes[eye].number;
        self.slides.begin(parcel.index, eye, number, entered, start);
        self.linger(eye);
        self.truth.parcels[parcel.index].place = Place::Sliding(number);
        self.uncover(parcel, start, out);
    }

    /// A parcel that leaves the belt leaves the eyes that it covers.
    pub(super) fn uncover(&mut self, parcel: &Parcel, start: u64, out: &mut Vec<Happening>) {
        for eye in &mut self.eyes[parcel.tail_eye..parcel.head_eye] {
            eye.clear(start + 1, 0, &mut self.streams.bounce, out);
        }
    }

    /// Whether the parcel is still on the belt; past its end it drops into the end chute, or comes onto
    /// the return.
    fn stays(&mut self, parcel: &Parcel, start: u64, out: &mut Vec<Happening>) -> bool {
        if parcel.centre() < self.drop {
            return true;
        }
        let at = start + super::STEP_US;
        let fills = self.profile.chutes_fill || self.round.is_some();
        if fills && self.end_slide.pieces >= self.end_slide.takes {
            self.contact(parcel, start, With::Overflow);
        }
        let place = if let Some(round) = &mut self.round {
            round.take(parcel.index, parcel.body.clone(), at);
            self.show_round(at, out);
            Place::Round
        } else {
            Place::End
        };
        if self.profile.chutes_fill && place == Place::End {
            self.end_slide.change(self.end_slide.pieces + 1, at, out);
            self.to_bench.push((parcel.index, parcel.body.clone()));
        }
        let truth = &mut self.truth.parcels[parcel.index];
        truth.place = place;
        truth.landed_at = Some(Micros(at));
        self.uncover(parcel, start, out);
        false
    }

    /// The full eye of the return sees how many parcels are on it.
    pub(super) fn show_round(&mut self, at: u64, out: &mut Vec<Happening>) {
        let Some(round) = &self.round else { return };
        self.end_slide.change(round.pieces(), at, out);
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
