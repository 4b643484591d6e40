//! A wheel bed: how far it is turned.

use super::{Happening, Nm, What};
use crate::rng::Rng;
use registers::exchange::Side;
use registers::points::diverter::HOME;

/// Angle of a bed that is turned all the way to the right; to the left it is negative.
const FULL: i64 = 1_000_000;
/// From here on a bed that is reached sends the parcel to its side.
const TURNED: i64 = 900_000;
/// From here on a parcel whose centre is over it goes to its side.
const HALF: i64 = 500_000;
/// Up to here the home contact is made.
const HOME_UP_TO: i64 = 50_000;
/// From here on it drags at what stands on it.
const MOVED: i64 = 100_000;

/// What a bed is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BedPlan {
    /// What its diverter is called.
    pub name: String,
    /// Where it begins.
    pub from: Nm,
    /// Where it ends.
    pub to: Nm,
    /// Its wheels are faster than the belt by this much.
    pub extra_ppm: i64,
    /// How long its wheels take to turn, in µs.
    pub switch_us: i64,
    /// The station that drives it.
    pub station: usize,
    /// Chutes to its left and right, as indices of landing eyes.
    pub sides: [Option<usize>; 2],
}

/// What is wrong with a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It does not turn.
    NoTurn {
        /// Until it is put right, not just once.
        stays: bool,
    },
    /// Turned, it does not return.
    NoReturn {
        /// Until it is put right, not just once.
        stays: bool,
    },
    /// Its wheels stand.
    Stopped,
    /// It takes this long to turn, in µs.
    Slow(i64),
    /// Its home contact stays as it is.
    Lies,
}

/// A wheel bed.
#[derive(Clone, Debug)]
pub struct Bed {
    /// What it is made of.
    pub plan: BedPlan,
    /// What is wrong with it, and since what in the truth.
    defect: Option<(Defect, usize)>,
    /// Whether a command has met that.
    met: bool,
    /// What its home contact shows.
    home: bool,
    outputs: [bool; 2],
    target: i64,
    angle: i64,
    rate: i64,
}

impl Bed {
    /// Builds a bed that stands straight.
    pub const fn new(plan: BedPlan) -> Self {
        Self {
            plan,
            defect: None,
            met: false,
            home: true,
            outputs: [false; 2],
            target: 0,
            angle: 0,
            rate: FULL,
        }
    }

    /// One of the node's two turn outputs changed; both on is home, as the valve has it.
    pub fn output(&mut self, side: Side, on: bool, sigma_permille: u32, rng: &mut Rng) {
        match side {
            Side::Left => self.outputs[0] = on,
            Side::Right => self.outputs[1] = on,
        }
        self.follow(sigma_permille, rng);
    }

    /// The angle that its outputs ask for.
    const fn asked(&self) -> i64 {
        match self.outputs {
            [true, false] => -FULL,
            [false, true] => FULL,
            [false, false] | [true, true] => 0,
        }
    }

    /// Something becomes wrong with it, or all is right again.
    pub fn set_defect(
        &mut self,
        defect: Option<(Defect, usize)>,
        sigma_permille: u32,
        rng: &mut Rng,
    ) {
        (self.defect, self.met) = (defect, false);
        self.follow(sigma_permille, rng);
    }

    /// It turns slower than it was built, to so much of a thousand.
    pub const fn slow_down(&mut self, permille: i64) {
        self.plan.switch_us = self.plan.switch_us * permille / 1_000;
    }

    /// What is wrong with it, and since what in the truth.
    pub const fn defect(&self) -> Option<(Defect, usize)> {
        self.defect
    }

    /// Turns towards what the outputs ask for, if it can.
    fn follow(&mut self, sigma_permille: u32, rng: &mut Rng) {
        let mut target = self.asked();
        let mut switch = self.plan.switch_us;
        match self.defect.map(|(defect, _)| defect) {
            Some(Defect::NoTurn { .. }) if target != 0 && self.target == 0 => {
                (target, self.met) = (0, true);
            }
            Some(Defect::NoReturn { .. }) if target == 0 && self.target != 0 => {
                (target, self.met) = (self.target, true);
            }
            Some(Defect::Slow(slow)) => switch = slow,
            Some(
                Defect::NoTurn { .. } | Defect::NoReturn { .. } | Defect::Stopped | Defect::Lies,
            )
            | None => {}
        }
        if target != self.target {
            self.target = target;
            let spread = rng.normal(switch * i64::from(sigma_permille) / 1_000);
            self.rate = FULL * 1_000 / (switch + spread).max(10_000);
        }
    }

    /// Turns the bed on by one millisecond that ends at `end`.
    pub fn step(&mut self, end: u64, out: &mut Vec<Happening>) {
        if self.angle == self.target {
            return;
        }
        self.angle += (self.target - self.angle).clamp(-self.rate, self.rate);
        self.show_home(end, out);
    }

    /// The home contact follows the wheels, unless it lies.
    pub fn show_home(&mut self, at: u64, out: &mut Vec<Happening>) {
        let level = self.at_home();
        if self.home != level && !matches!(self.defect, Some((Defect::Lies, _))) {
            self.home = level;
            let station = self.plan.station;
            out.push(Happening { at, what: What::Level { station, input: HOME, level } });
        }
    }

    /// Whether its wheels turn with the belt.
    pub const fn drives(&self) -> bool {
        !matches!(self.defect, Some((Defect::Stopped, _)))
    }

    /// A defect that is there once is over when the command that met it is.
    pub fn recover(&mut self) {
        let over = match self.defect {
            // What it missed is over with the command, and what hangs is freed by the next one.
            Some((Defect::NoTurn { stays: false }, _)) => self.outputs == [false; 2],
            Some((Defect::NoReturn { stays: false }, _)) => self.outputs != [false; 2],
            _ => false,
        };
        if self.met && over {
            self.defect = None;
        }
    }

    /// Whether the home contact is made.
    pub const fn at_home(&self) -> bool {
        self.angle.abs() <= HOME_UP_TO
    }

    /// The side to which it sends a parcel whose head reaches it now.
    pub const fn turned(&self) -> Option<Side> {
        self.side(TURNED)
    }

    /// The side to which it sends a parcel whose centre is over it now.
    pub const fn points_to(&self) -> Option<Side> {
        self.side(HALF)
    }

    /// Whether it drags at what stands on it.
    pub const fn moved(&self) -> bool {
        self.angle.abs() >= MOVED
    }

    /// Whether it stands still.
    pub const fn rests(&self) -> bool {
        self.angle == self.target
    }

    const fn side(&self, from: i64) -> Option<Side> {
        if self.angle <= -from {
            Some(Side::Left)
        } else if self.angle >= from {
            Some(Side::Right)
        } else {
            None
        }
    }

    /// The landing eye on one side.
    pub const fn chute(&self, side: Side) -> Option<usize> {
        match side {
            Side::Left => self.plan.sides[0],
            Side::Right => self.plan.sides[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bed() -> Bed {
        let sides = [Some(0), Some(1)];
        let (extra_ppm, switch_us) = (0, 200_000);
        let name = "D1".to_owned();
        Bed::new(BedPlan { name, from: 0, to: 350, extra_ppm, switch_us, station: 4, sides })
    }

    #[test]
    fn it_turns_within_its_switch_time_and_opens_the_home_contact() {
        let (mut bed, mut rng, mut out) = (bed(), Rng::stream(1, "bed"), Vec::new());
        bed.output(Side::Left, true, 0, &mut rng);
        let mut reached = [None; 3];
        for ms in 1..=250u64 {
            bed.step(ms * 1_000, &mut out);
            for (slot, is) in reached.iter_mut().zip([
                bed.points_to().is_some(),
                bed.turned().is_some(),
                bed.rests(),
            ]) {
                if is && slot.is_none() {
                    *slot = Some(ms);
                }
            }
        }
        assert_eq!(reached, [Some(100), Some(180), Some(200)]);
        assert_eq!(bed.turned(), Some(Side::Left));
        let home = What::Level { station: 4, input: HOME, level: false };
        assert_eq!(out, [Happening { at: 11_000, what: home }]);
        bed.output(Side::Right, true, 0, &mut rng);
        (0..200).for_each(|_| bed.step(0, &mut out));
        assert!(bed.at_home() && bed.rests(), "both outputs on is home");
    }

    #[test]
    fn the_switch_time_varies_by_its_sigma() {
        let (mut rng, mut out) = (Rng::stream(2, "bed"), Vec::new());
        let times: Vec<i64> = (0..400)
            .map(|_| {
                let mut bed = bed();
                bed.output(Side::Right, true, 30, &mut rng);
                let mut ms = 0;
                while !bed.rests() {
                    bed.step(0, &mut out);
                    ms += 1;
                }
                ms
            })
            .collect();
        let mean = times.iter().sum::<i64>() / 400;
        let variance = times.iter().map(|t| (t - mean).pow(2)).sum::<i64>() / 400;
        assert!((199..=202).contains(&mean), "{mean}");
        assert!((25..=49).contains(&variance), "{variance} ms²");
    }
}
