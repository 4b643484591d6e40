//! What a scenario makes happen to the plant, and how it ends.

use super::diverter::Defect;
use super::eye::{Eye, Sight};
use super::parcel::{Hold, Parcel, Trick};
use super::{Happening, MM, Nm, Plant};
use crate::scenario::Event;
use crate::truth::{Happened, ReadTruth};
use units::{Counts, Micros};

/// What becomes wrong with an eye.
#[derive(Clone, Copy, Debug)]
enum EyeFault {
    Stuck(Sight),
    Dirty(Nm),
    Misses,
    Chatters { pulses: u32, span: u64 },
}

impl Plant {
    /// Makes an event of the plant happen at `at`, the end of the last step; `number` is its place in
    /// the truth. Gives whether it could be done.
    ///
    /// Events of nodes, buses, drives and the host are no business of the plant and are not done.
    pub fn begin(
        &mut self,
        (number, event): (usize, &Event),
        parcel: Option<usize>,
        at: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let ms = |ms: u64| ms * 1_000;
        match event {
            Event::PutOn { place_mm, length_mm, waybill } => {
                let body = (i64::from(*place_mm) * MM, i64::from(*length_mm) * MM);
                let laid = self.lay_foreign(body, waybill.clone(), at, out);
                laid.inspect(|parcel| self.truth.touch(number, *parcel)).is_some()
            }
            Event::EyeBlocked { eye, .. } => {
                self.eye_fault(number, eye, EyeFault::Stuck(Sight::Blocked), at, out)
            }
            Event::EyeClear { eye, .. } => {
                self.eye_fault(number, eye, EyeFault::Stuck(Sight::Clear), at, out)
            }
            Event::EyeDirty { eye, by_mm, .. } => {
                self.eye_fault(number, eye, EyeFault::Dirty(i64::from(*by_mm) * MM), at, out)
            }
            Event::EyeMiss { eye } => self.eye_fault(number, eye, EyeFault::Misses, at, out),
            Event::EyeBounce { eye, pulses, in_ms } => {
                let fault = EyeFault::Chatters { pulses: *pulses, span: ms(*in_ms) };
                self.eye_fault(number, eye, fault, at, out)
            }
            Event::Hand { chute, times, in_ms } => {
                let fault = EyeFault::Chatters { pulses: *times, span: ms(*in_ms) };
                self.eye_fault(number, &format!("chute-{chute}"), fault, at, out)
            }
            Event::ChuteFull { chute, .. } => {
                let blocked = EyeFault::Stuck(Sight::Blocked);
                self.eye_fault(number, &format!("full-{chute}"), blocked, at, out)
            }
            Event::EndFull { .. } => {
                self.end_slide.set_blocked(true, at, out);
                true
            }
            Event::BagChange { chute } => self.change_now(*chute, at),
            Event::ReaderDead { scanner, .. } => {
                let reader = self.readers.get_mut(*scanner);
                reader.map(|reader| reader.dead = Some(number)).is_some()
            }
            Event::ScaleDead { .. } => {
                self.scale.as_mut().is_some_and(|scale| scale.dead.replace(number).is_none())
            }
            Event::NoTurn { diverter, for_ms } => {
                self.defect(diverter, Some((Defect::NoTurn { stays: for_ms.is_some() }, number)))
            }
            Event::NoReturn { diverter, for_ms } => {
                self.defect(diverter, Some((Defect::NoReturn { stays: for_ms.is_some() }, number)))
            }
            Event::WheelsStopped { diverter, .. } => {
                self.defect(diverter, Some((Defect::Stopped, number)))
            }
            Event::SlowSwitch { diverter, switch_ms, .. } => {
                let slow = Defect::Slow(i64::from(*switch_ms) * 1_000);
                self.defect(diverter, Some((slow, number)))
            }
            Event::FeedbackLies { diverter, .. } => {
                self.defect(diverter, Some((Defect::Lies, number)))
            }
            _ => parcel.is_some_and(|parcel| self.happen_to(parcel, (number, event), at, out)),
        }
    }

    /// Makes a parcel's event happen.
    fn happen_to(
        &mut self,
        parcel: usize,
        (number, event): (usize, &Event),
        at: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let done = match event {
            Event::TakeOff => self.take_off(parcel, at, out),
            Event::Touch | Event::Overlap { .. } => {
                let over = match event {
                    Event::Overlap { by_mm } => Some(i64::from(*by_mm) * MM),
                    _ => None,
                };
                let carrier = self.lay_up(parcel, over, at, out);
                carrier.inspect(|carrier| self.truth.touch(number, *carrier)).is_some()
            }
            Event::Rotate => self.rotate(parcel, at, out),
            Event::Read { result, scanner } => {
                let waits = self.truth.parcels.get(parcel).is_some_and(|truth| {
                    truth.read_by(*scanner) == Some(&ReadTruth::Pending) && !truth.is_final()
                });
                let reader = self.readers.get_mut(*scanner).filter(|_| waits);
                reader.map(|reader| reader.faults.push((parcel, *result))).is_some()
            }
            Event::Hold { for_ms } => self.on_belt(parcel).is_some_and(|place| {
                self.parcels[place].hold = Hold::Hand(at + for_ms * 1_000);
                true
            }),
            Event::Slip { by_mm } => self.on_belt(parcel).is_some_and(|place| {
                self.parcels[place].slip += i64::from(*by_mm) * MM;
                true
            }),
            Event::NotGripped => self.trick(parcel, Trick::Slides, number),
            Event::SkewJam => self.trick(parcel, Trick::Sticks, number),
            Event::Drag => self.trick(parcel, Trick::Drags, number),
            _ => return false,
        };
        if done {
            self.truth.touch(number, parcel);
        }
        done
    }

    fn trick(&mut self, parcel: usize, trick: Trick, number: usize) -> bool {
        self.on_belt(parcel).is_some_and(|place| {
            self.parcels[place].trick = Some((trick, number));
            true
        })
    }

    /// Puts an event's trouble right at `at`, the end of the last step.
    pub fn end(&mut self, (number, event): (usize, &Event), at: u64, out: &mut Vec<Happening>) {
        match event {
            Event::EyeBlocked { eye, .. }
            | Event::EyeClear { eye, .. }
            | Event::EyeDirty { eye, .. } => {
                if let Some(eye) = self.eye_named(eye).filter(|eye| eye.trouble == Some(number)) {
                    (eye.trouble, eye.blind) = (None, 0);
                    eye.turn(Sight::Good, at, out);
                }
                self.look_anew();
            }
            Event::ChuteFull { chute, .. } => {
                let full = format!("full-{chute}");
                if let Some(eye) = self.eye_named(&full) {
                    eye.trouble = None;
                    eye.turn(Sight::Good, at, out);
                }
            }
            Event::EndFull { .. } => self.end_slide.set_blocked(false, at, out),
            Event::SkewJam => {
                for parcel in self.truth.happened[number].parcels.clone() {
                    let parcel = usize::try_from(parcel).unwrap_or(usize::MAX);
                    let place = self.on_belt(parcel);
                    if place.is_some_and(|place| self.parcels[place].hold == Hold::Mouth) {
                        self.take_off(parcel, at, out);
                    }
                }
            }
            Event::ReaderDead { scanner, .. } => {
                if let Some(reader) = self.readers.get_mut(*scanner) {
                    reader.dead = None;
                }
            }
            Event::ScaleDead { .. } => {
                if let Some(scale) = &mut self.scale {
                    scale.dead = None;
                }
            }
            Event::NoTurn { diverter, .. }
            | Event::NoReturn { diverter, .. }
            | Event::WheelsStopped { diverter, .. }
            | Event::SlowSwitch { diverter, .. }
            | Event::FeedbackLies { diverter, .. } => {
                let still = |bed: &super::Bed| {
                    bed.plan.name == *diverter && bed.defect().is_some_and(|(_, by)| by == number)
                };
                if self.beds.iter().any(still) {
                    self.defect(diverter, None);
                    self.beds.iter_mut().for_each(|bed| bed.show_home(at, out));
                }
            }
            _ => {}
        }
    }

    /// The eye with this name, on the line or over a chute.
    fn eye_named(&mut self, name: &str) -> Option<&mut Eye> {
        let over = self.landing_eyes.iter_mut().chain(self.full_eyes.iter_mut().flatten());
        let eyes = self.eyes.iter_mut().chain(over);
        eyes.into_iter().find(|eye| *eye.name == *name)
    }

    fn eye_fault(
        &mut self,
        number: usize,
        name: &str,
        fault: EyeFault,
        at: u64,
        out: &mut Vec<Happening>,
    ) -> bool {
        let mut rng = self.streams.eyes.clone();
        let Some(eye) = self.eye_named(name) else { return false };
        match fault {
            EyeFault::Stuck(sight) => eye.turn(sight, at, out),
            EyeFault::Dirty(blind) => eye.blind = blind,
            EyeFault::Misses => eye.miss(),
            EyeFault::Chatters { pulses, span } => eye.chatter(pulses, at, span, &mut rng, out),
        }
        match fault {
            EyeFault::Stuck(_) | EyeFault::Dirty(_) | EyeFault::Misses => {
                eye.trouble = Some(number);
            }
            EyeFault::Chatters { .. } => {}
        }
        self.streams.eyes = rng;
        self.look_anew();
        self.touch_covering(number, name);
        true
    }

    /// What lies under an eye when something happens to it is touched by that.
    fn touch_covering(&mut self, number: usize, name: &str) {
        let Some(eye) = self.eyes.iter().position(|eye| *eye.name == *name) else { return };
        for parcel in &self.parcels {
            if (parcel.tail_eye..parcel.head_eye).contains(&eye) {
                self.truth.touch(number, parcel.index);
            }
        }
    }

    pub(super) fn defect(&mut self, diverter: &str, defect: Option<(Defect, usize)>) -> bool {
        let sigma = self.profile.switch_sigma_permille;
        let mut beds = self.beds.iter_mut().filter(|bed| bed.plan.name == *diverter);
        let rng = &mut self.streams.beds;
        beds.next().is_some_and(|bed| {
            bed.set_defect(defect, sigma, rng);
            true
        })
    }

    /// Notes that something happens.
    pub fn note(&mut self, happened: Happened) {
        self.truth.happened.push(happened);
    }

    /// Notes that what has this place in the truth is over.
    pub fn over(&mut self, number: usize, at: Micros) {
        self.truth.happened[number].until = Some(at);
    }

    /// Notes that it could not be done.
    pub fn undone(&mut self, number: usize, at: Micros) {
        self.truth.happened[number].done = false;
        self.over(number, at);
    }

    /// The parcels that an eye of the line looks at now, by their places in the truth.
    pub fn under(&self, name: &str) -> Vec<u64> {
        let Some(eye) = self.eyes.iter().position(|eye| *eye.name == *name) else {
            return Vec::new();
        };
        let covers = |parcel: &&Parcel| (parcel.tail_eye..parcel.head_eye).contains(&eye);
        let index = |parcel: &Parcel| parcel.index.try_into().unwrap_or(u64::MAX);
        self.parcels.iter().filter(covers).map(index).collect()
    }

    /// Whether an eye or chute is called so.
    pub fn has_eye(&self, name: &str) -> bool {
        let over = self.landing_eyes.iter().chain(self.full_eyes.iter().flatten());
        self.eyes.iter().chain(over).any(|eye| *eye.name == *name)
    }

    /// The chute with this number, by its landing eye.
    pub fn chute_named(&self, number: u16) -> Option<usize> {
        self.chutes.iter().position(|chute| chute.number == number)
    }

    /// Whether a diverter is called so.
    pub fn has_diverter(&self, name: &str) -> bool {
        self.beds.iter().any(|bed| bed.plan.name == *name)
    }

    /// The belt of the zone that is called so.
    pub fn belt_named(&self, zone: &str) -> Option<usize> {
        self.plans.iter().position(|belt| belt.zone == *zone)
    }

    /// The reference node counts nothing, or from another start.
    pub const fn set_reference(&mut self, start: Counts, stands: Option<Counts>) {
        self.reference.0 = start;
        self.reference_stands = stands;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{D1, Rig, Z3};
    use crate::truth::{Place, With};
    use registers::exchange::Side;
    use registers::points::{diverter, zone};

    /// A clean line; event 0 happens when the head of the first parcel reaches `at_mm`.
    fn rig(at_mm: Nm, parcel: Option<usize>, event: &Event) -> (Rig, bool) {
        let mut rig = Rig::new("clean", 3, 4);
        rig.run_to(at_mm);
        let done = begin(&mut rig, parcel, event);
        (rig, done)
    }

    fn begin(rig: &mut Rig, parcel: Option<usize>, event: &Event) -> bool {
        let number = rig.plant.truth.happened.len();
        let (at, event) = (Micros(rig.now), event.clone());
        let (until, at_mm, done, drawn, parcels) = (None, None, true, false, Vec::new());
        rig.plant.note(Happened { at, until, event: event.clone(), done, drawn, at_mm, parcels });
        let (now, mut out) = (rig.now, Vec::new());
        let done = rig.plant.begin((number, &event), parcel, now, &mut out);
        rig.out.extend(out);
        done
    }

    fn places(rig: &Rig) -> Vec<Place> {
        rig.plant.truth.parcels.iter().map(|parcel| parcel.place).collect()
    }

    #[test]
    fn a_parcel_taken_off_leaves_the_eyes_it_covers_and_comes_nowhere() {
        let (mut rig, done) = rig(1_550, Some(0), &Event::TakeOff);
        assert!(done && !begin(&mut rig, Some(0), &Event::TakeOff), "once");
        let tunnel = rig.edges(Z3, zone::EYE_B);
        assert_eq!(tunnel.len(), 2, "{tunnel:?}");
        assert_eq!(tunnel[1], (rig.now + 1, false));
        rig.run(25_000);
        assert_eq!(places(&rig)[0], Place::Taken);
        assert!(places(&rig)[1..].iter().all(|place| *place == Place::End));
        assert_eq!(rig.plant.truth.happened[0].parcels, [0]);
        assert!(rig.plant.is_drained());
    }

    #[test]
    fn a_parcel_put_on_was_never_inducted_and_needs_room() {
        let put_on = |place_mm| Event::PutOn { place_mm, length_mm: 200, waybill: None };
        let (mut rig, done) = rig(4_000, None, &put_on(4_300));
        assert!(done);
        assert!(!begin(&mut rig, None, &put_on(4_350)), "no room");
        assert!(!begin(&mut rig, None, &put_on(14_700)), "no belt");
        rig.run(25_000);
        let foreign = rig.plant.truth.happened[0].parcels[0];
        let foreign = &rig.plant.truth.parcels[usize::try_from(foreign).expect("small")];
        assert_eq!((foreign.place, foreign.inducted_at, foreign.row), (Place::End, None, None));
        assert_eq!(rig.edges(D1, diverter::EYE_ARRIVAL).len(), 10, "five parcels pass D1");
    }

    #[test]
    fn a_held_parcel_comes_later_by_as_much_and_a_slip_is_made_on_the_way() {
        let arrival = |event: Option<&Event>| {
            let mut rig = Rig::new("clean", 3, 1);
            rig.run_to(3_000);
            assert!(event.is_none_or(|event| begin(&mut rig, Some(0), event)));
            rig.run_to(4_700);
            rig.edges(D1, diverter::EYE_ARRIVAL)[0].0.cast_signed()
        };
        let free = arrival(None);
        let held = arrival(Some(&Event::Hold { for_ms: 400 })) - free;
        assert!((399_000..=402_000).contains(&held), "{held} µs");
        let slipped = arrival(Some(&Event::Slip { by_mm: -120 })) - free;
        assert!((98_000..=102_000).contains(&slipped), "{slipped} µs for 120 mm at 1.2 m/s");
    }

    #[test]
    fn parcels_pushed_together_make_one_pulse_and_an_overlapped_one_goes_with_its_carrier() {
        for (event, together) in [(Event::Touch, false), (Event::Overlap { by_mm: 100 }, true)] {
            let (mut rig, done) = rig(4_000, Some(1), &event);
            assert!(done);
            rig.run_to(4_550);
            rig.turn(D1, Side::Left, true);
            while rig.plant.truth.parcels[0].place == Place::OnLine {
                rig.step();
            }
            rig.turn(D1, Side::Left, false);
            rig.run(20_000);
            // A gap of a millimetre is no gap to a node that debounces.
            let arrival = rig.edges(D1, diverter::EYE_ARRIVAL);
            let gap = arrival[2].0 - arrival[1].0;
            assert!(together == (arrival.len() == 6) && (together || gap < 1_000), "{arrival:?}");
            let second = if together { Place::Chute(1) } else { Place::End };
            assert_eq!(places(&rig)[..2], [Place::Chute(1), second], "{event:?}");
            assert_eq!(rig.plant.truth.happened[0].parcels, [0, 1]);
        }
    }

    #[test]
    fn a_lens_too_dirty_for_short_parcels_still_clears_behind_them() {
        let dirty = Event::EyeDirty { eye: "D1".to_owned(), by_mm: 160, for_ms: None };
        let (mut rig, done) = rig(3_000, None, &dirty);
        assert!(done);
        rig.run(25_000);
        let edges = rig.edges(D1, diverter::EYE_ARRIVAL);
        assert!(edges.len() <= 8 && edges.len().is_multiple_of(2), "{edges:?}");
        let eye = rig.plant.eye_named("D1").expect("there");
        assert!(!eye.is_covered(), "{edges:?}");
    }

    #[test]
    fn a_turned_parcel_is_as_long_as_it_was_wide() {
        let (mut rig, done) = rig(2_500, Some(0), &Event::Rotate);
        assert!(done);
        let [long, wide, _] = rig.first().size_mm;
        assert_eq!((rig.first().apparent_mm, long > wide), (wide, true));
        rig.run_to(5_200);
        let [(head, true), (tail, false), ..] = rig.edges(D1, diverter::EYE_ARRIVAL)[..] else {
            panic!("one pulse");
        };
        let length = (tail - head).cast_signed() * 12 / 10_000;
        assert!((length - wide).abs() <= 2, "{length} mm, {wide} expected");
    }

    #[test]
    fn what_is_not_gripped_goes_on_and_what_sticks_in_the_mouth_stays() {
        for (event, first, with) in [
            (Event::NotGripped, Place::End, With::NotGripped(0)),
            (Event::SkewJam, Place::OnLine, With::Mouth(1)),
        ] {
            let (mut rig, done) = rig(4_550, Some(0), &event);
            assert!(done);
            rig.turn(D1, Side::Left, true);
            rig.run_to(5_100);
            rig.run(300);
            rig.turn(D1, Side::Left, false);
            rig.run(20_000);
            assert_eq!(rig.first().place, first);
            assert!(rig.first().contacts.iter().any(|contact| contact.with == with));
            assert!(rig.edges(D1, diverter::EYE_LEFT).is_empty());
            let passed = places(&rig)[1] == Place::End;
            assert_eq!(passed, first == Place::End, "a jam holds up what comes behind");
            // A person clears it.
            begin(&mut rig, Some(0), &Event::TakeOff);
            rig.run(20_000);
            assert!(rig.plant.is_drained());
        }
    }

    #[test]
    fn a_bed_that_does_not_turn_lets_the_parcel_pass_and_turns_again_afterwards() {
        let event = Event::NoTurn { diverter: "D1".to_owned(), for_ms: None };
        let (mut rig, done) = rig(4_550, None, &event);
        assert!(done);
        rig.turn(D1, Side::Left, true);
        rig.run(900);
        rig.turn(D1, Side::Left, false);
        assert!(rig.edges(D1, diverter::HOME).is_empty());
        rig.turn(D1, Side::Left, true);
        rig.run(250);
        assert_eq!(rig.plant.beds[0].turned(), Some(Side::Left));
        assert_eq!(rig.plant.truth.happened[0].parcels, [0]);
    }

    #[test]
    fn a_bed_that_does_not_return_hangs_until_it_is_put_right() {
        let event = Event::NoReturn { diverter: "D1".to_owned(), for_ms: Some(1) };
        let (mut rig, _) = rig(4_550, None, &event);
        rig.turn(D1, Side::Left, true);
        rig.run(900);
        rig.turn(D1, Side::Left, false);
        rig.run(9_000);
        assert_eq!(rig.plant.beds[0].turned(), Some(Side::Left));
        assert!(places(&rig).iter().all(|place| matches!(place, Place::Chute(1))));
        let (now, mut out) = (rig.now, Vec::new());
        rig.plant.end((0, &event), now, &mut out);
        rig.run(250);
        assert!(rig.plant.beds[0].at_home());
        assert_eq!(rig.edges(D1, diverter::HOME).len(), 2);
    }

    #[test]
    fn wheels_that_stand_keep_the_parcel_and_a_lying_contact_stays_as_it_is() {
        let event = Event::WheelsStopped { diverter: "D1".to_owned(), for_ms: None };
        let (mut rig, _) = rig(4_550, None, &event);
        rig.run(15_000);
        assert_eq!(places(&rig), [Place::OnLine; 4]);
        let (now, mut out) = (rig.now, Vec::new());
        rig.plant.end((0, &event), now, &mut out);
        let event = Event::FeedbackLies { diverter: "D1".to_owned(), for_ms: None };
        begin(&mut rig, None, &event);
        rig.turn(D1, Side::Left, true);
        rig.run(300);
        assert!(rig.edges(D1, diverter::HOME).is_empty());
        rig.plant.end((1, &event), rig.now, &mut out);
        assert_eq!(out.len(), 1, "the contact opens when it tells the truth again");
    }
}
