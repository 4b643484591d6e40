//! What the profile makes happen: so often in a million, or once in so many hours.

use super::diverter::Defect;
use super::parcel::{Parcel, Trick};
use super::{Happening, MM, Nm, Plant};
use crate::plant_file::Profile;
use crate::rng::Rng;
use crate::scenario::Event;
use crate::truth::{Happened, Packaging};
use units::Micros;

/// Bags up to this weight are light, in grams.
const LIGHT_G: i64 = 500;
/// A diverted parcel drags one that is this close behind it.
const NEAR: Nm = 150 * MM;
/// One hour in µs.
const HOUR_US: u64 = 3_600_000_000;

/// What happens once in so many hours, with the next instant of each.
#[derive(Clone, Debug)]
pub(super) struct Fates {
    rng: Rng,
    /// When, how rarely (mean in hours), and what.
    list: Vec<(u64, u32, Event)>,
    /// The soonest.
    next: u64,
}

impl Fates {
    /// Nothing that happens.
    pub(super) const fn none(rng: Rng) -> Self {
        Self { rng, list: Vec::new(), next: u64::MAX }
    }

    /// Draws the first instants: one row for each drive, bed, eye and for the reader.
    pub(super) fn draw(mut self, plant: &Plant) -> Self {
        let profile = &plant.profile;
        let mut rows = Vec::new();
        for belt in plant.plans.iter() {
            let zone = belt.zone.clone();
            rows.push((profile.drive_trip_hours, Event::DriveTrip { zone, for_ms: None }));
        }
        for bed in &plant.beds {
            let diverter = bed.plan.name.clone();
            rows.push((profile.wheels_stop_hours, Event::WheelsStopped { diverter, for_ms: None }));
        }
        for (index, eye) in plant.eyes.iter().chain(&plant.landing_eyes).enumerate() {
            let name = eye.name.to_string();
            let event = if index % 2 == 0 {
                Event::EyeBlocked { eye: name, for_ms: None }
            } else {
                Event::EyeClear { eye: name, for_ms: None }
            };
            rows.push((profile.eye_stuck_hours, event));
        }
        rows.extend((0..plant.readers.len()).map(|scanner| {
            (profile.reader_dead_hours, Event::ReaderDead { scanner, for_ms: None })
        }));
        for (hours, event) in rows.into_iter().filter(|(hours, _)| *hours > 0) {
            let at = self.rng.exponential(u64::from(hours) * HOUR_US);
            self.list.push((at, hours, event));
        }
        self.settle();
        self
    }

    fn settle(&mut self) {
        self.next = self.list.iter().map(|(at, ..)| *at).min().unwrap_or(u64::MAX);
    }
}

/// When a belt's joint passes an eye next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joint {
    eye: usize,
    belt: usize,
    /// At which travel of the belt.
    next: Nm,
    /// Length of the whole belt.
    turn: Nm,
}

/// Where the joints of the belts are, for each eye that sees them.
pub(super) fn joints(plant: &Plant, rng: &mut Rng) -> Vec<Joint> {
    if plant.profile.joint_mm == 0 {
        return Vec::new();
    }
    let mut joints = Vec::new();
    for (belt, plan) in plant.plans.iter().enumerate() {
        // Up and back, and round the drums.
        let turn = 2 * (plan.to - plan.from) + 300 * MM;
        let offset = rng.between(0, turn - 1);
        for (eye, seen) in plant.eyes.iter().enumerate() {
            if (plan.from..plan.to).contains(&seen.at) {
                joints.push(Joint { eye, belt, next: offset + seen.at - plan.from, turn });
            }
        }
    }
    joints
}

impl Plant {
    /// Joints of belts pass the eyes on them.
    pub(super) fn pass_joints(&mut self, start: u64, out: &mut Vec<Happening>) {
        for joint in &mut self.joints {
            let belt = &self.belts[joint.belt];
            let (_, travel) = belt.segment();
            if travel >= joint.next {
                joint.next += joint.turn;
                let long = i64::from(self.profile.joint_mm) * MM;
                let takes = (long / belt.speed_mm_s().max(1)).unsigned_abs();
                self.eyes[joint.eye].blip(start + 1, start + 1 + takes.max(1_000), out);
            }
        }
    }

    /// What happens once in so many hours and is due.
    pub fn fate(&mut self, now: u64) -> Option<Event> {
        if now < self.fates.next {
            return None;
        }
        let fates = &mut self.fates;
        let (at, hours, event) = fates.list.iter_mut().find(|(at, ..)| *at <= now)?;
        *at = now + fates.rng.exponential(u64::from(*hours) * HOUR_US);
        let event = event.clone();
        fates.settle();
        Some(event)
    }

    /// Notes what the profile has drawn for a parcel; gives its place in the truth.
    pub(super) fn drawn(&mut self, event: Event, parcel: &Parcel, at: u64) -> usize {
        let number = self.truth.happened.len();
        let lasts = event.may_last();
        self.truth.happened.push(Happened {
            at: Micros(at),
            until: (!lasts).then_some(Micros(at)),
            event,
            done: true,
            drawn: true,
            at_mm: Some(parcel.head / MM),
            parcels: Vec::new(),
        });
        self.truth.touch(number, parcel.index);
        if lasts {
            self.to_repair.push(number);
        }
        number
    }

    /// What a bed that was commanded to turn draws.
    pub(super) fn draw_defect(&mut self, bed: usize, at: u64) {
        let Profile { no_turn_ppm, no_return_ppm, feedback_lies_ppm, .. } = self.profile;
        if no_turn_ppm + no_return_ppm + feedback_lies_ppm == 0 || self.beds[bed].defect().is_some()
        {
            return;
        }
        let rng = &mut self.streams.fates;
        let diverter = self.beds[bed].plan.name.clone();
        let (defect, event) = if rng.chance(no_turn_ppm) {
            // Half of them stay stuck until somebody resets them.
            let stays = rng.chance(500_000);
            (Defect::NoTurn { stays }, Event::NoTurn { diverter, for_ms: None })
        } else if rng.chance(no_return_ppm) {
            (Defect::NoReturn { stays: true }, Event::NoReturn { diverter, for_ms: None })
        } else if rng.chance(feedback_lies_ppm) {
            (Defect::Lies, Event::FeedbackLies { diverter, for_ms: None })
        } else {
            return;
        };
        let number = self.truth.happened.len();
        let stays = !matches!(defect, Defect::NoTurn { stays: false });
        let (done, drawn, at_mm) = (true, true, Some(self.beds[bed].plan.from / MM));
        let (at, until, parcels) = (Micros(at), (!stays).then_some(Micros(at)), Vec::new());
        self.truth.happened.push(Happened { at, until, event, done, drawn, at_mm, parcels });
        if stays {
            self.to_repair.push(number);
        }
        let sigma = self.profile.switch_sigma_permille;
        self.beds[bed].set_defect(Some((defect, number)), sigma, &mut self.streams.beds);
    }

    /// What a parcel that a bed sends off the belt draws.
    pub(super) fn draw_trick(&mut self, parcel: &Parcel, at: u64) -> Option<(Trick, usize)> {
        let profile = &self.profile;
        let light = parcel.body.packaging == Packaging::PolyBag && parcel.body.mass_g <= LIGHT_G;
        let not_gripped_ppm = if light { profile.not_gripped_ppm } else { 0 };
        let (skew_ppm, drag_permille) = (profile.skew_jam_ppm, profile.drag_permille);
        if not_gripped_ppm + skew_ppm + drag_permille == 0 {
            return None;
        }
        let rng = &mut self.streams.fates;
        let (trick, event) = if rng.chance(not_gripped_ppm) {
            (Trick::Slides, Event::NotGripped)
        } else if rng.chance(skew_ppm) {
            (Trick::Sticks, Event::SkewJam)
        } else if rng.chance(drag_permille * 1_000) {
            (Trick::Drags, Event::Drag)
        } else {
            return None;
        };
        // One that has nobody close behind it drags nobody: that is no event.
        if trick == Trick::Drags {
            return Some((trick, usize::MAX));
        }
        Some((trick, self.drawn(event, parcel, at)))
    }

    /// What in the truth a parcel is dragged by; `None` when it is too far behind.
    pub(super) fn dragged(
        &mut self,
        parcel: &Parcel,
        (tail, number): (Nm, usize),
        at: u64,
    ) -> Option<usize> {
        if tail - parcel.head >= NEAR {
            return None;
        }
        Some(if number == usize::MAX { self.drawn(Event::Drag, parcel, at) } else { number })
    }

    /// Whether the next parcel comes stuck to the one that is put on now, and how far over it.
    pub(super) fn draw_pair(&mut self) -> Option<Option<Nm>> {
        let Profile { touching_ppm, overlapped_ppm, .. } = self.profile;
        if touching_ppm + overlapped_ppm == 0 {
            return None;
        }
        let rng = &mut self.streams.pairs;
        if rng.chance(touching_ppm) {
            Some(None)
        } else if rng.chance(overlapped_ppm) {
            Some(Some(rng.between(40, 140) * MM))
        } else {
            None
        }
    }

    /// Whether the eye that a parcel's head has just reached does not see it.
    pub(super) fn draw_miss(&mut self) -> bool {
        let ppm = self.profile.missed_edge_ppm;
        ppm > 0 && self.streams.fates.chance(ppm)
    }

    /// Where a parcel has a hole or strap that an eye sees as a gap, behind its head.
    pub(super) fn draw_hole(&mut self, parcel: &Parcel) -> Option<(Nm, Nm)> {
        let profile = &self.profile;
        if profile.holes_permille == 0 || parcel.body.packaging == Packaging::PolyBag {
            return None;
        }
        let [low, high] = profile.hole_mm.map(i64::from);
        let rng = &mut self.streams.pairs;
        if !rng.chance(profile.holes_permille * 1_000) {
            return None;
        }
        let long = rng.between(low, high) * MM;
        let from = rng.between(50, 100) * MM;
        (from + long + 40 * MM < parcel.body.apparent).then_some((from, from + long))
    }

    /// A parcel's hole passes an eye that its head reached at `at`, while the belt keeps its speed.
    pub(super) fn show_hole(
        &mut self,
        eye: usize,
        parcel: &Parcel,
        at: u64,
        out: &mut Vec<Happening>,
    ) {
        let (Some((from, to)), belt) = (parcel.hole, self.stretches[parcel.stretch].belt) else {
            return;
        };
        let speed = self.belts[belt].speed_mm_s().max(1);
        // A nanometre at a millimetre a second takes a microsecond.
        let reaches = |way: Nm| at + (way / speed).unsigned_abs();
        self.eyes[eye].gap(reaches(from), reaches(to), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{D1, Rig, Z3, profile};
    use registers::points::{diverter, zone};

    /// Counts what happened, by a predicate.
    fn count(rig: &Rig, of: fn(&Event) -> bool) -> usize {
        rig.plant.truth.happened.iter().filter(|happened| of(&happened.event)).count()
    }

    fn within(what: &str, seen: usize, expected: usize) {
        let spread = 4 * expected.isqrt() + 1;
        assert!(seen.abs_diff(expected) <= spread, "{what}: {seen} of {expected}");
    }

    #[test]
    fn beds_fail_as_often_as_their_rates_say() {
        let rates = Profile {
            no_turn_ppm: 20_000,
            no_return_ppm: 10_000,
            feedback_lies_ppm: 5_000,
            ..profile("clean")
        };
        let mut rig = Rig::with(rates, 41, 1);
        for _ in 0..40_000 {
            rig.plant.draw_defect(0, 0);
            rig.plant.defect("D1", None);
        }
        within("no turn", count(&rig, |e| matches!(e, Event::NoTurn { .. })), 800);
        within("no return", count(&rig, |e| matches!(e, Event::NoReturn { .. })), 392);
        within("lies", count(&rig, |e| matches!(e, Event::FeedbackLies { .. })), 194);
        let stuck = rig.plant.truth.happened.iter().filter(|happened| {
            matches!(happened.event, Event::NoTurn { .. }) && happened.until.is_none()
        });
        within("half of those that do not turn stay so", stuck.count(), 400);
    }

    #[test]
    fn parcels_slide_stick_and_miss_as_often_as_their_rates_say() {
        let rates = Profile {
            not_gripped_ppm: 20_000,
            skew_jam_ppm: 10_000,
            missed_edge_ppm: 10_000,
            holes_permille: 50,
            hole_mm: [20, 60],
            ..profile("clean")
        };
        let mut rig = Rig::with(rates, 42, 1);
        let body = rig.plant.parcels[0].body.clone();
        let mut parcel = Parcel::new(0, 0, body);
        (parcel.body.apparent, parcel.body.packaging) = (300 * MM, Packaging::Carton);
        let holes: Vec<(Nm, Nm)> =
            (0..20_000).filter_map(|_| rig.plant.draw_hole(&parcel)).collect();
        within("holes", holes.len(), 1_000);
        assert!(holes.iter().all(|(from, to)| (20 * MM..=60 * MM).contains(&(to - from))));
        let misses = (0..20_000).filter(|_| rig.plant.draw_miss()).count();
        within("missed", misses, 200);
        (parcel.body.packaging, parcel.body.mass_g) = (Packaging::PolyBag, 300);
        for _ in 0..20_000 {
            rig.plant.draw_trick(&parcel, 0);
        }
        within("not gripped", count(&rig, |e| *e == Event::NotGripped), 400);
        within("skew", count(&rig, |e| *e == Event::SkewJam), 196);
        parcel.body.mass_g = 3_000;
        let before = count(&rig, |e| *e == Event::NotGripped);
        for _ in 0..5_000 {
            rig.plant.draw_trick(&parcel, 0);
        }
        assert_eq!(count(&rig, |e| *e == Event::NotGripped), before, "only light bags");
    }

    #[test]
    fn a_hole_is_a_gap_of_its_length_at_every_eye() {
        let rates = Profile { holes_permille: 1_000, hole_mm: [40, 40], ..profile("clean") };
        let mut rig = Rig::with(rates, 46, 20);
        rig.run(40_000);
        let edges = rig.edges(D1, diverter::EYE_ARRIVAL);
        let gaps: Vec<u64> = edges
            .windows(2)
            .filter(|pair| !pair[0].1 && pair[1].0 - pair[0].0 < 60_000)
            .map(|pair| pair[1].0 - pair[0].0)
            .collect();
        // 40 mm at 1.2 m/s; the shortest parcels have no room for it.
        assert!((8..=20).contains(&gaps.len()), "{gaps:?}");
        assert!(gaps.iter().all(|gap| gap.abs_diff(33_333) < 100), "{gaps:?}");
    }

    #[test]
    fn a_joint_is_seen_once_per_turn_and_lasts_as_long_as_it_is() {
        let rates = Profile { joint_mm: 12, ..profile("clean") };
        let mut rig = Rig::with(rates, 45, 1);
        rig.run(120_000);
        let edges = rig.edges(Z3, zone::EYE_B);
        let blips = edges.windows(2).filter(|pair| pair[0].1 && pair[1].0 - pair[0].0 <= 11_000);
        // 29.5 m at 1.2 m/s: once in 24.6 s.
        let blips = blips.count();
        assert!((4..=5).contains(&blips), "{blips} in two minutes: {edges:?}");
    }

    #[test]
    fn what_happens_by_the_hour_has_its_mean() {
        let rates = Profile { drive_trip_hours: 200, wheels_stop_hours: 300, ..profile("clean") };
        let mut rig = Rig::with(rates, 43, 1);
        let (mut trips, mut stops) = (0, 0);
        for hour in 0..50_000 {
            while let Some(event) = rig.plant.fate(hour * HOUR_US) {
                match event {
                    Event::DriveTrip { .. } => trips += 1,
                    _ => stops += 1,
                }
            }
        }
        // Three drives and six beds; an hour of waiting is lost with each.
        within("trips", trips, 3 * 50_000 * 1_000 / 200_500);
        within("wheels", stops, 6 * 50_000 * 1_000 / 300_500);
    }

    #[test]
    fn pairs_are_one_pulse_at_the_induction_eye_and_one_trigger_to_the_reader() {
        let rates = Profile { touching_ppm: 80_000, overlapped_ppm: 40_000, ..profile("clean") };
        let mut rig = Rig::with(rates, 44, 500);
        while !rig.plant.is_drained() {
            rig.step();
        }
        let parcels = &rig.plant.truth.parcels;
        let joined = parcels.iter().filter(|parcel| parcel.joined.is_some()).count();
        // Of n parcels n / 1.117 are put on first.
        within("pairs", joined, 500 * 117 / 1_117);
        let edges = rig.edges(Z3, zone::EYE_A);
        let gaps = edges.windows(2).filter(|pair| !pair[0].1 && pair[1].0 - pair[0].0 > 5_000);
        assert_eq!(gaps.count() + 1, parcels.len() - joined, "pulses");
        assert_eq!(count(&rig, |e| matches!(e, Event::Touch | Event::Overlap { .. })), joined);
    }
}
