//! The people on the floor: who notices what, when somebody is there, and how long it takes.
//!
//! They see lamps, piles and standing parcels, and hear the alarms that the harness gives them; what
//! the controller thinks they cannot know. A crew is a few pairs of legs: each task goes to whoever
//! is free first, with the walk from where that one was.

use crate::plant_file::PeopleTruth;
use crate::rng::Rng;

/// What somebody has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Put something right that a person can see or reset: a jam, a stuck bed, a dirty eye.
    Repair,
    /// Change the bag of a chute.
    Bag,
    /// Change the cage of a chute.
    Cage,
    /// Empty the slide of a chute.
    Slide,
    /// Press a button.
    Press,
}

/// A stretch of work, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stint {
    /// When somebody is there and begins.
    pub begins: u64,
    /// When it is done.
    pub ends: u64,
}

/// The crew and the bench.
#[derive(Clone, Debug)]
pub struct People {
    numbers: PeopleTruth,
    /// When each of the crew is free, and where, in mm.
    crew: Vec<(u64, i64)>,
    /// When the bench is free.
    bench: u64,
    rng: Rng,
}

impl People {
    /// Builds a crew of so many, at the panel.
    pub fn new(workers: u32, numbers: PeopleTruth, rng: Rng) -> Self {
        let crew = (0..workers).map(|_| (0, 0)).collect();
        Self { numbers, crew, bench: 0, rng }
    }

    /// Whether anybody is there at all.
    pub const fn is_empty(&self) -> bool {
        self.crew.is_empty()
    }

    /// How long it takes until somebody notices, in µs.
    fn notice(&mut self) -> u64 {
        let [median, most] = self.numbers.notice_ms.map(|ms| ms.cast_signed());
        let sigma = i64::from(self.numbers.notice_sigma_permille);
        self.rng.log_normal(median, sigma).clamp(1_000, most.max(1_000)).unsigned_abs() * 1_000
    }

    /// A time between its least and most whose median is given, in µs.
    fn takes(&mut self, [median, least, most]: [u64; 3]) -> u64 {
        let drawn = self.rng.log_normal(median.cast_signed(), 300).unsigned_abs();
        drawn.clamp(least, most.max(least)) * 1_000
    }

    /// Sends whoever is free first to `at_mm`; with a `call` nobody has to notice first. `None` when
    /// there is nobody.
    pub fn send(&mut self, now: u64, at_mm: i64, task: Task, call: bool) -> Option<Stint> {
        let noticed = if call { now } else { now + self.notice() };
        let speed = i64::from(self.numbers.walk_mm_s.max(1));
        let there = |(free, from): &(u64, i64)| {
            let walk = from.abs_diff(at_mm) * 1_000_000 / speed.unsigned_abs();
            noticed.max(*free) + walk
        };
        let person = (0..self.crew.len()).min_by_key(|person| there(&self.crew[*person]))?;
        let begins = there(&self.crew[person]);
        let stint = self.here(begins, task);
        self.crew[person] = (stint.ends, at_mm);
        Some(stint)
    }

    /// The work of somebody who stands beside it already.
    pub fn here(&mut self, begins: u64, task: Task) -> Stint {
        let takes = match task {
            Task::Repair => self.numbers.jam_ms,
            Task::Bag => self.numbers.bag_ms,
            Task::Cage => self.numbers.cage_ms,
            Task::Slide => self.numbers.slide_ms,
            Task::Press => self.numbers.press_ms,
        };
        Stint { begins, ends: begins + self.takes(takes) }
    }

    /// When the bench has done with a parcel that lies ready for it from now on; `None` when nobody
    /// works there.
    pub fn bench(&mut self, now: u64) -> Option<u64> {
        if self.crew.is_empty() {
            return None;
        }
        self.bench = self.bench.max(now) + self.rng.span(self.numbers.bench_ms) * 1_000;
        Some(self.bench)
    }

    /// The instants, in µs, at which hands cut the eye of a chute during a change.
    pub fn hands(&mut self, work: Stint) -> Vec<u64> {
        let times = self.rng.span(self.numbers.hands);
        (0..times).map(|_| self.rng.span([work.begins, work.ends])).collect()
    }

    /// How many pieces the next bag, cage or slide takes.
    pub fn capacity(&mut self, pieces: [u64; 2]) -> u64 {
        self.rng.span(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(workers: u32) -> People {
        People::new(workers, PeopleTruth::default(), Rng::stream(5, "people"))
    }

    #[test]
    fn they_notice_after_twenty_seconds_in_the_median_and_three_minutes_at_most() {
        let mut people = people(1);
        let mut waits: Vec<u64> = (0..4_001).map(|_| people.notice() / 1_000).collect();
        waits.sort_unstable();
        let median = waits[2_000];
        assert!((19_000..21_000).contains(&median), "median {median} ms");
        assert!(waits[4_000] <= 180_000);
        // exp(0.6): 84.1 % below 36.4 s.
        assert!((34_500..38_500).contains(&waits[3_364]), "{} ms", waits[3_364]);
    }

    #[test]
    fn one_person_does_one_thing_after_the_other_and_walks_between() {
        let mut people = people(1);
        let first = people.send(0, 8_000, Task::Bag, true).expect("somebody");
        assert_eq!(first.begins, 10_000_000, "8 m at 0.8 m/s");
        let takes = (first.ends - first.begins) / 1_000;
        assert!((30_000..=90_000).contains(&takes), "{takes} ms");
        let second = people.send(0, 4_000, Task::Repair, true).expect("somebody");
        assert_eq!(second.begins, first.ends + 5_000_000);
        let mut two = self::people(2);
        two.send(0, 8_000, Task::Bag, true);
        assert_eq!(two.send(0, 4_000, Task::Repair, true).expect("the other").begins, 5_000_000);
        assert_eq!(self::people(0).send(0, 0, Task::Bag, true), None);
    }

    #[test]
    fn the_bench_manages_about_180_an_hour() {
        let mut people = people(1);
        let mut done = 0;
        let mut last = 0;
        while last < 3_600_000_000 {
            last = people.bench(0).expect("somebody");
            done += 1;
        }
        assert!((170..=190).contains(&done), "{done} an hour");
    }

    #[test]
    fn hands_cut_the_eye_two_to_five_times_in_a_change() {
        let mut people = people(1);
        let work = Stint { begins: 1_000, ends: 45_000_000 };
        for _ in 0..200 {
            let hands = people.hands(work);
            assert!((2..=5).contains(&hands.len()), "{hands:?}");
            assert!(hands.iter().all(|at| (work.begins..=work.ends).contains(at)));
        }
    }
}
