//! One belt with its drive and its travel.

use super::{MM, Nm};
use crate::rng::Rng;

/// What is physically true of a drive's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    /// Power is there; the drive follows its command.
    On,
    /// The emergency stop cut the power; the belt coasts with this deceleration in mm/s².
    Cut {
        /// How hard friction brakes it.
        coast: i64,
    },
    /// Power is back, but the drive waits for its command to be 0 once, so that nothing starts
    /// by itself.
    Locked,
}

/// A belt: how fast it moves and how far it has moved.
#[derive(Clone, Debug)]
pub struct Belt {
    accel: i64,
    decel: i64,
    coast_mm: [i64; 2],
    power: Power,
    command_um_s: i64,
    speed_um_s: i64,
    travel: Nm,
    before: Nm,
    ramping: bool,
    stopping: bool,
    starting: bool,
}

impl Belt {
    /// Builds a belt at rest; ramps in mm/s².
    pub fn new(accel: u32, decel: u32, coast_mm: [u32; 2]) -> Self {
        Self {
            accel: i64::from(accel.max(1)),
            decel: i64::from(decel.max(1)),
            coast_mm: coast_mm.map(|mm| i64::from(mm.max(1))),
            power: Power::On,
            command_um_s: 0,
            speed_um_s: 0,
            travel: 0,
            before: 0,
            ramping: false,
            stopping: false,
            starting: false,
        }
    }

    /// Takes a new speed command, in mm/s.
    pub fn command(&mut self, mm_s: u32) {
        self.command_um_s = i64::from(mm_s) * 1_000;
        if self.power == Power::Locked && mm_s == 0 {
            self.power = Power::On;
        }
    }

    /// The emergency stop cuts the drive's power or gives it back.
    pub fn power(&mut self, on: bool, rng: &mut Rng) {
        self.power = match (on, self.power) {
            (true, Power::Cut { .. }) if self.command_um_s == 0 => Power::On,
            (true, Power::Cut { .. }) => Power::Locked,
            (false, Power::On | Power::Locked) => {
                // v² = 2·a·s with the distance drawn anew for each stop.
                let distance = rng.between(self.coast_mm[0], self.coast_mm[1]);
                let speed = self.speed_um_s / 1_000;
                Power::Cut { coast: (speed * speed / (2 * distance)).max(200) }
            }
            (_, power) => power,
        };
    }

    /// Moves the belt on by one millisecond; true when a stop has just begun.
    pub fn step(&mut self) -> bool {
        let (target, down) = match self.power {
            Power::On => (self.command_um_s, self.decel),
            Power::Cut { coast } => (0, coast),
            Power::Locked => (0, self.decel),
        };
        let old = self.speed_um_s;
        // One mm/s² changes the speed by 1 µm/s in a millisecond, and 1 µm/s carries 1 nm in it.
        self.speed_um_s =
            if target >= old { target.min(old + self.accel) } else { target.max(old - down) };
        self.ramping = self.speed_um_s != old;
        self.before = self.travel;
        self.travel += self.speed_um_s;
        let stopping = target == 0 && old > 0;
        let begins = stopping && !self.stopping;
        self.stopping = stopping;
        self.starting = old == 0 && self.speed_um_s > 0;
        begins
    }

    /// How far a thing on the belt was carried in the last millisecond.
    pub const fn carried(&self) -> Nm {
        self.speed_um_s
    }

    /// Whether it began to move in the last millisecond.
    pub const fn starts(&self) -> bool {
        self.starting
    }

    /// Whether the speed changed in the last millisecond.
    pub const fn ramping(&self) -> bool {
        self.ramping
    }

    /// Travel since the beginning at `part` µs into the last millisecond.
    pub const fn travel_at(&self, part: i64) -> Nm {
        self.before + (self.travel - self.before) * part / 1_000
    }

    /// Travel at the beginning and at the end of the last millisecond.
    pub const fn segment(&self) -> (Nm, Nm) {
        (self.before, self.travel)
    }

    /// Speed now, in mm/s.
    pub const fn speed_mm_s(&self) -> i64 {
        self.speed_um_s / 1_000
    }

    /// Whether the belt stands and nothing is about to move it.
    pub fn rests(&self) -> bool {
        self.speed_um_s == 0
            && self.before == self.travel
            && (self.power != Power::On || self.command_um_s == 0)
    }
}

/// Whole counts in a travel of an encoder with `nm_per_count`.
pub const fn counts(travel: Nm, nm_per_count: Nm) -> i64 {
    travel.div_euclid(nm_per_count)
}

/// The span of one count of an encoder; `None` when it is no whole number of nanometres.
pub fn nm_per_count(counts_per_metre: u32) -> Option<Nm> {
    let metre = 1_000 * MM;
    let per = i64::from(counts_per_metre);
    (per > 0 && metre % per == 0).then(|| metre / per)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(belt: &mut Belt, ms: u32) -> Nm {
        let from = belt.travel;
        (0..ms).for_each(|_| {
            belt.step();
        });
        belt.travel - from
    }

    #[test]
    fn ramps_take_speed_over_acceleration() {
        let mut belt = Belt::new(500, 1_300, [300, 600]);
        belt.command(1_200);
        run(&mut belt, 2_400);
        assert_eq!(belt.speed_mm_s(), 1_200);
        assert!((1_438 * MM..1_442 * MM).contains(&belt.travel), "v²/2a = 1.44 m");
        belt.command(0);
        let way = run(&mut belt, 1_000);
        assert!(belt.rests());
        assert!((552 * MM..556 * MM).contains(&way), "v²/2a = 554 mm, not {way} nm");
    }

    #[test]
    fn an_emergency_stop_coasts_its_distance_and_locks_the_drive() {
        for seed in 0..20 {
            let mut rng = Rng::stream(seed, "coast");
            let mut belt = Belt::new(500, 1_300, [300, 600]);
            belt.command(1_200);
            run(&mut belt, 3_000);
            belt.power(false, &mut rng);
            let way = run(&mut belt, 3_000);
            assert!((295 * MM..605 * MM).contains(&way), "seed {seed}: {way} nm");
            belt.power(true, &mut rng);
            assert_eq!(run(&mut belt, 1_000), 0, "seed {seed}: restarted by itself");
            belt.command(0);
            belt.command(1_200);
            assert!(run(&mut belt, 1_000) > 0);
        }
    }

    #[test]
    fn a_stop_begins_once() {
        let mut belt = Belt::new(5_000, 5_000, [300, 600]);
        belt.command(900);
        assert_eq!((0..300).filter(|_| belt.step()).count(), 0);
        belt.command(0);
        assert_eq!((0..300).filter(|_| belt.step()).count(), 1);
    }

    #[test]
    fn positions_inside_a_millisecond_are_interpolated() {
        let mut belt = Belt::new(100_000, 5_000, [300, 600]);
        belt.command(1_000);
        run(&mut belt, 100);
        let (from, to) = belt.segment();
        assert_eq!(to - from, MM);
        assert_eq!(belt.travel_at(250), from + MM / 4);
        assert_eq!((counts(-1, MM), counts(MM, MM), nm_per_count(1_000)), (-1, 1, Some(MM)));
        assert_eq!(nm_per_count(0), None);
    }
}
