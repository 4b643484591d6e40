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

/// A wheel bed.
#[derive(Clone, Debug)]
pub struct Bed {
    /// What it is made of.
    pub plan: BedPlan,
    outputs: [bool; 2],
    target: i64,
    angle: i64,
    rate: i64,
}

impl Bed {
    /// Builds a bed that stands straight.
    pub const fn new(plan: BedPlan) -> Self {
        Self { plan, outputs: [false; 2], target: 0, angle: 0, rate: FULL }
    }

    /// One of the node's two turn outputs changed; both on is home, as the valve has it.
    pub fn output(&mut self, side: Side, on: bool, sigma_permille: u32, rng: &mut Rng) {
        match side {
            Side::Left => self.outputs[0] = on,
            Side::Right => self.outputs[1] = on,
        }
        let target = match self.outputs {
            [true, false] => -FULL,
            [false, true] => FULL,
            [false, false] | [true, true] => 0,
        };
        if target != self.target {
            self.target = target;
            let switch = self.plan.switch_us;
            let spread = rng.normal(switch * i64::from(sigma_permille) / 1_000);
            self.rate = FULL * 1_000 / (switch + spread).max(10_000);
        }
    }

    /// Turns the bed on by one millisecond that ends at `end`.
    pub fn step(&mut self, end: u64, out: &mut Vec<Happening>) {
        if self.angle == self.target {
            return;
        }
        let was = self.at_home();
        self.angle += (self.target - self.angle).clamp(-self.rate, self.rate);
        if was != self.at_home() {
            let (station, level) = (self.plan.station, self.at_home());
            out.push(Happening { at: end, what: What::Level { station, input: HOME, level } });
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
        let plan =
            BedPlan { from: 0, to: 350, extra_ppm: 0, switch_us: 200_000, station: 4, sides };
        Bed::new(plan)
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
