//! The plant's physics, one test for each row; and what other tests here need.

use super::*;
use crate::truth::{BedFault, Packaging, ReadTruth, TruthParcel};

/// A profile of the shipped plant.
pub(crate) fn profile(name: &str) -> Profile {
    plant_file().profile[name].clone()
}

pub(crate) fn plant_file() -> PlantFile {
    PlantFile::parse(include_str!("../../plants/factory-line.plant.toml")).expect("shipped")
}

pub(crate) fn item(index: usize) -> Item {
    Item { waybill: format!("YT{:013}", index * 7_919 + 1_000_000) }
}

pub(crate) fn truth_parcel(index: usize) -> TruthParcel {
    TruthParcel {
        index: u64::try_from(index).expect("small"),
        joined: None,
        again_of: None,
        lap_of: None,
        waybill: item(index).waybill,
        row: Some(index),
        size_mm: [300, 200, 100],
        apparent_mm: 300,
        mass_g: 1_800,
        packaging: Packaging::Carton,
        fed_at: Micros(0),
        inducted_at: None,
        induct_count: None,
        gap_mm: None,
        read: ReadTruth::Pending,
        rescans: Vec::new(),
        place: Place::Waiting,
        landed_at: None,
        fault: None,
        contacts: Vec::new(),
    }
}

/// A plant on which parcels run without any node.
pub(crate) struct Rig {
    pub(crate) plant: Plant,
    pub(crate) now: u64,
    pub(crate) out: Vec<Happening>,
    /// Least room seen between two parcels.
    least: Nm,
    plans: std::collections::BTreeSet<(u64, Work)>,
}

impl Rig {
    pub(crate) fn with(profile: Profile, seed: u64, parcels: u64) -> Self {
        let line = include_str!("../../../controller/examples/factory-line.toml");
        let line = line_file::LineFile::parse(line).expect("shipped");
        let file = plant_file();
        let blueprint = crate::blueprint::Blueprint::draw(&line, &file, seed).expect("they fit");
        let items: Vec<Item> = (0..300).map(item).collect();
        let (feed, parcels) = (Feed::Saturated, Some(parcels));
        let run = Run { seed, profile, feed, parcels, items: items.into() };
        let mut plant = Plant::new(blueprint.plant, &file, run);
        // The infeed waits until the faster belts behind it have come to speed.
        for (belt, mm_s) in [(2, 1_200), (1, 900)] {
            plant.drive(belt, mm_s);
        }
        let mut rig =
            Self { plant, now: 0, out: Vec::new(), least: Nm::MAX, plans: Default::default() };
        rig.run(3_000);
        rig.plant.drive(0, 600);
        rig
    }

    pub(crate) fn new(name: &str, seed: u64, parcels: u64) -> Self {
        Self::with(profile(name), seed, parcels)
    }

    pub(crate) fn turn(&mut self, station: usize, side: Side, on: bool) {
        self.plant.turn(station, side, on, self.now);
    }

    pub(crate) fn step(&mut self) {
        self.plant.step(self.now, &mut self.out);
        self.now += STEP_US;
        self.people();
        for pair in self.plant.parcels.windows(2) {
            self.least = self.least.min(pair[0].tail() - pair[1].head);
        }
    }

    /// People do what they see, without any node.
    fn people(&mut self) {
        if self.plant.has_calls() {
            self.plans.extend(self.plant.see(self.now));
        }
        while let Some((_, work)) = self.plans.first().copied().filter(|(at, _)| *at <= self.now) {
            self.plans.pop_first();
            if let Work::Repair(number) = work {
                let event = self.plant.truth.happened[number].event.clone();
                self.plant.end((number, &event), self.now, &mut self.out);
                self.plant.over(number, Micros(self.now));
            } else {
                self.plant.work(work, self.now, &mut self.out);
            }
        }
    }

    pub(crate) fn run(&mut self, ms: u32) {
        (0..ms).for_each(|_| self.step());
    }

    /// Runs until the head of the first parcel reaches `at_mm`.
    pub(crate) fn run_to(&mut self, at_mm: Nm) {
        while self.plant.parcels.first().is_none_or(|first| first.head < at_mm * MM) {
            assert!(self.now < 60_000_000, "it never comes to {at_mm} mm");
            self.step();
        }
    }

    pub(crate) fn first(&self) -> &TruthParcel {
        &self.plant.truth.parcels[0]
    }

    /// Edges of an input so far: when, and to which level.
    pub(crate) fn edges(&self, station: usize, input: u8) -> Vec<(u64, bool)> {
        let mut edges: Vec<(u64, bool)> = self
            .out
            .iter()
            .filter_map(|happening| match happening.what {
                What::Level { station: s, input: i, level } if (s, i) == (station, input) => {
                    Some((happening.at, level))
                }
                What::Level { .. } | What::Device { .. } => None,
            })
            .collect();
        edges.sort_unstable();
        edges
    }
}

/// Stations of the shipped line, in its order of nodes.
pub(crate) const Z3: usize = 2;
pub(crate) const D1: usize = 3;
pub(crate) const PANEL: usize = 9;

fn sigma(values: &[i64]) -> (i64, i64) {
    let count = i64::try_from(values.len()).expect("small");
    let mean = values.iter().sum::<i64>() / count;
    (mean, (values.iter().map(|value| (value - mean).pow(2)).sum::<i64>() / count).isqrt())
}

/// How far the sorter belt travels while the first parcel's head comes from `from` to `to`.
fn travel(rig: &mut Rig, from: Nm, to: Nm) -> Nm {
    rig.run_to(from);
    let before = (rig.plant.belts[2].segment().1, rig.plant.parcels[0].head);
    rig.run_to(to);
    let moved = rig.plant.parcels[0].head - before.1;
    (rig.plant.belts[2].segment().1 - before.0) - moved
}

#[test]
fn a_clean_parcel_moves_with_its_belt() {
    for seed in 0..5 {
        // Between the tunnel and the first bed there is nothing but belt.
        assert!(travel(&mut Rig::new("clean", seed, 1), 700, 4_000).abs() < MM / 100);
    }
}

#[test]
fn transfers_slip_by_their_sigma() {
    let profile = Profile { transfer_sigma_mm: 8, ..profile("clean") };
    let slips: Vec<i64> = (0..300)
        .map(|seed| {
            let mut rig = Rig::with(profile.clone(), seed, 1);
            let before = Rig::with(super::tests::profile("clean"), seed, 1);
            assert_eq!(before.first().apparent_mm, rig.first().apparent_mm);
            rig.run_to(-200);
            let parcel = &mut rig.plant.parcels[0];
            parcel.slip = 0;
            // It lags while its centre is still on the slower belt: only what is beyond counts.
            let half = parcel.body.apparent / 2;
            let (head, from) = (parcel.head, rig.plant.belts[2].segment().1);
            rig.run_to(2_000);
            let slow = half - head;
            let belt = rig.plant.belts[2].segment().1 - from;
            (rig.plant.parcels[0].head - head - (belt - slow / 3)) / (MM / 10)
        })
        .collect();
    let (mean, sigma) = sigma(&slips);
    assert!(mean.abs() <= 15, "mean {mean} tenths of a mm");
    assert!((70..=90).contains(&sigma), "σ {sigma} tenths of a mm");
}

#[test]
fn parcels_have_a_speed_of_their_own() {
    let profile = Profile { running_sigma_ppm: 3_000, ..profile("clean") };
    let gains: Vec<i64> = (0..200)
        .map(|seed| travel(&mut Rig::with(profile.clone(), seed, 1), 700, 4_700) / (MM / 10))
        .collect();
    let (mean, sigma) = sigma(&gains);
    // 0.3 % of 4 m.
    assert!(mean.abs() <= 25 && (105..=135).contains(&sigma), "{mean} ± {sigma} tenths of a mm");
}

#[test]
fn wheel_beds_are_faster_by_their_own_ratio_and_bags_less_so() {
    let (mut carton, bags) = (Rig::new("clean", 1, 1), profile("clean"));
    let saved = travel(&mut carton, 4_500, 5_900);
    // 350 mm at 1.085 of the belt's speed.
    assert!((-28 * MM..=-27 * MM).contains(&saved), "{saved} nm");
    let bags = Profile { bags_permille: 1_000, bag_slip_permille: [40, 40], ..bags };
    let saved = travel(&mut Rig::with(bags, 1, 1), 4_500, 5_900);
    assert!((-16 * MM..=-14 * MM).contains(&saved), "{saved} nm");
}

#[test]
fn parcels_slide_on_when_their_belt_stops() {
    let normal = Profile { stop_slip: true, ..profile("clean") };
    let slides: Vec<i64> = (0..60)
        .map(|seed| {
            let mut rig = Rig::with(normal.clone(), seed, 1);
            rig.run_to(2_500);
            rig.plant.drive(2, 0);
            let (head, from) = (rig.plant.parcels[0].head, rig.plant.belts[2].segment().1);
            rig.run(2_000);
            let belt = rig.plant.belts[2].segment().1 - from;
            (rig.plant.parcels[0].head - head - belt) / MM
        })
        .collect();
    assert!(slides.iter().all(|slide| (19..=60).contains(slide)), "{slides:?}");
    let (mean, _) = sigma(&slides);
    assert!((35..=45).contains(&mean), "mean {mean} mm");
}

#[test]
fn parcels_never_overlap_even_when_a_belt_stands() {
    let mut rig = Rig::new("normal", 4, 60);
    for stop in 0..12 {
        rig.run(2_500);
        rig.plant.drive(stop % 3, 0);
        rig.run(1_500);
        rig.plant.drive(stop % 3, [600, 900, 1_200][stop % 3]);
    }
    assert!(rig.plant.truth.parcels.len() >= 25);
    assert!(rig.least >= 0, "overlap of {} nm", -rig.least);
    // A belt that stands lets the parcels behind run up.
    assert!(rig.least < 30 * MM, "nothing ever touched: {} nm", rig.least);
}

#[test]
fn the_feed_leaves_its_room() {
    let mut rig = Rig::new("clean", 5, 40);
    rig.run(20_000);
    assert!((60 * MM..=75 * MM).contains(&rig.least), "least room {} nm", rig.least);
}

#[test]
fn eyes_see_head_and_tail_where_they_really_are() {
    let mut rig = Rig::new("clean", 6, 1);
    rig.run_to(3_000);
    let first = rig.first().clone();
    let edges = rig.edges(Z3, registers::points::zone::EYE_A);
    let [(head, true), (tail, false)] = edges[..] else { panic!("{edges:?}") };
    assert_eq!(first.inducted_at, Some(Micros(head)));
    // Half of the parcel crosses at 0.9 m/s, the other half at 1.2 m/s, give or take the offset.
    let length = first.apparent_mm.unsigned_abs() * 1_000;
    let expected = length * 1_000 / 2 / 900 + length * 1_000 / 2 / 1_200;
    assert!((tail - head).abs_diff(expected) < 5_000, "{} µs, {expected} expected", tail - head);
    let places: Vec<Nm> = rig.plant.eyes.iter().map(|eye| eye.at).collect();
    let nominal = [-1_130, -130, 0, 300, 900, 1_500, 4_450, 6_050, 7_650, 9_250, 10_850, 12_450];
    for (place, nominal) in places.iter().zip(nominal) {
        let off = (place - nominal * MM).abs();
        assert!((MM..=4 * MM).contains(&off), "eye at {nominal} mm is off by {off} nm");
    }
}

#[test]
fn a_turned_bed_sends_the_parcel_off_and_its_chute_sees_it_land() {
    for (side, chute, input) in [
        (Side::Left, 1, registers::points::diverter::EYE_LEFT),
        (Side::Right, 2, registers::points::diverter::EYE_RIGHT),
    ] {
        for seed in 0..20 {
            let mut rig = Rig::new("clean", seed, 1);
            rig.run_to(4_550);
            rig.turn(D1, side, true);
            rig.run_to(4_900);
            let entered = rig.now;
            while !rig.plant.parcels.is_empty() {
                rig.step();
            }
            assert_eq!(rig.first().place, Place::Sliding(chute));
            rig.run(2_000);
            assert_eq!((rig.first().place, rig.first().fault), (Place::Chute(chute), None));
            let edges = rig.edges(D1, input);
            let [(cut, true), (left, false)] = edges[..] else { panic!("{edges:?}") };
            assert!((448_000..=902_000).contains(&(cut - entered)), "{} µs", cut - entered);
            assert!((250_000..=700_000).contains(&(left - cut)), "{} µs", left - cut);
            assert_eq!(rig.first().landed_at, Some(Micros(cut)));
        }
    }
}

#[test]
fn a_bed_that_turns_too_late_takes_the_parcel_where_it_points_or_only_brushes_it() {
    // Where the head is when the bed begins to turn, and what becomes of the parcel.
    let check = |at, place, fault: Option<BedFault>| {
        let mut rig = Rig::new("clean", 3, 1);
        rig.run_to(at);
        rig.turn(D1, Side::Left, true);
        rig.run(1_500);
        rig.turn(D1, Side::Left, false);
        rig.run(12_000);
        assert_eq!((rig.first().place, rig.first().fault), (place, fault), "at {at} mm");
    };
    let half = Rig::new("clean", 3, 1).plant.parcels[0].body.apparent / MM / 2;
    let over_the_middle = 4_900 + 175 + half;
    check(4_640, Place::Chute(1), None);
    check(over_the_middle - 180, Place::Chute(1), Some(BedFault::HalfTurned(0)));
    check(over_the_middle - 60, Place::End, Some(BedFault::HalfTurned(0)));
    check(over_the_middle + 2, Place::End, Some(BedFault::Brushed(0)));
    check(5_300 + 2 * half, Place::End, None);
}

#[test]
fn what_nobody_diverts_ends_at_the_end() {
    let mut rig = Rig::new("normal", 8, 5);
    rig.run(25_000);
    assert!(rig.plant.truth.parcels.iter().all(|parcel| parcel.place == Place::End));
    assert!(rig.plant.is_drained());
    let heads = rig.edges(PANEL, registers::points::panel::EYE_END);
    assert!(heads.iter().filter(|(_, level)| *level).count() >= 5);
    assert!(heads.last().is_some_and(|(_, level)| !level), "the eye is clear in the end");
}

#[test]
fn a_second_parcel_on_the_scale_makes_it_give_an_error() {
    let mut errors = 0;
    for seed in 0..100 {
        let mut rig = Rig::new("clean", seed, 2);
        rig.run_to(340);
        let dws = rig.plant.scale.as_ref().expect("one").station();
        rig.plant.device(dws, b"T1\r", rig.now, &mut Vec::new());
        let result = |rig: &Rig| {
            rig.out.iter().find_map(|happening| match &happening.what {
                What::Device { bytes, .. } => Some(bytes.clone()),
                What::Level { .. } => None,
            })
        };
        while result(&rig).is_none() {
            rig.step();
        }
        let second = rig.plant.parcels[1].head >= 300 * MM;
        assert_eq!(result(&rig) == Some(b"1:E\r".to_vec()), second, "seed {seed}");
        errors += u32::from(second);
    }
    assert!((1..=99).contains(&errors), "{errors} of 100 with two on the scale");
}

/// Every parcel is in exactly one place, and nothing is in two.
fn nothing_is_lost(rig: &Rig, seed: u64) {
    let plant = &rig.plant;
    for (index, truth) in plant.truth.parcels.iter().enumerate() {
        let on_belt = plant.parcels.iter().filter(|parcel| parcel.index == index).count();
        let slides = plant.slides.under_way.iter();
        let sliding = slides.filter(|slide| slide.parcel == index && !slide.landed).count();
        let (belt, slide) = match truth.place {
            Place::Waiting | Place::OnLine => (1, 0),
            Place::Sliding(_) => (0, 1),
            Place::Chute(_) | Place::End | Place::Round | Place::Taken => (0, 0),
        };
        assert_eq!((on_belt, sliding), (belt, slide), "seed {seed}: {truth:?}");
    }
}

#[test]
fn the_plant_never_loses_a_parcel_whatever_goes_wrong() {
    for seed in 0..6 {
        let more = Profile {
            touching_ppm: 60_000,
            overlapped_ppm: 40_000,
            not_gripped_ppm: 100_000,
            skew_jam_ppm: 40_000,
            no_turn_ppm: 50_000,
            no_return_ppm: 20_000,
            drag_permille: 500,
            ..profile("bad")
        };
        let mut rig = Rig::with(more, seed, 60);
        let mut rng = Rng::stream(seed, "test");
        for _ in 0..300 {
            let bed = D1 + rng.index(6);
            let side = if rng.chance(500_000) { Side::Left } else { Side::Right };
            rig.turn(bed, side, true);
            rig.run(900);
            rig.turn(bed, side, false);
            if rng.chance(50_000) {
                let belt = rng.index(3);
                rig.plant.drive(belt, 0);
                rig.run(1_500);
                rig.plant.drive(belt, [600, 900, 1_200][belt]);
            }
            nothing_is_lost(&rig, seed);
        }
        for _ in 0..120 {
            if !rig.plant.is_drained() {
                rig.run(10_000);
            }
        }
        nothing_is_lost(&rig, seed);
        assert!(rig.plant.is_drained(), "seed {seed}: {:?}", rig.plant.parcels);
        assert!(rig.plant.truth.parcels.len() >= 60);
        println!("seed {seed}: {} things happened", rig.plant.truth.happened.len());
    }
}
