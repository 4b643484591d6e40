//! One parcel on the line and how parcels are made.

use super::{MM, Nm};
use crate::plant_file::Profile;
use crate::rng::Rng;
use crate::truth::Packaging;
use registers::exchange::Side;

/// What does not change while a parcel is on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Length, width and height in mm.
    pub size_mm: [i64; 3],
    /// Length along the belt, as it lies.
    pub apparent: Nm,
    /// Carton or poly bag.
    pub packaging: Packaging,
    /// Mass in grams.
    pub mass_g: i64,
    /// Own speed on the sorter belt, parts in a million more than the belt's.
    pub running_ppm: i64,
    /// Loss of speed where it is accelerated, in parts in a million.
    pub bag_slip_ppm: i64,
}

/// A parcel over a wheel bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Which way the bed stood when the head reached it.
    pub committed: Option<Side>,
    /// When the head reached it, in µs.
    pub entered: u64,
    /// Whether the way has been decided.
    pub decided: bool,
}

/// A parcel on a belt.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Its place in the truth.
    pub index: usize,
    /// Position of its head along the line, 0 = induction eye.
    pub head: Nm,
    /// Its body.
    pub body: Body,
    /// Slip that it has still to make.
    pub slip: Nm,
    /// Stretch of the line under its centre.
    pub stretch: usize,
    /// First eye that its head has not reached.
    pub head_eye: usize,
    /// First eye that its tail has not left.
    pub tail_eye: usize,
    /// First bed that it has not passed.
    pub bed: usize,
    /// Its pass of that bed, once begun.
    pub pass: Option<Pass>,
    /// Whatever keeps it from going with its belt.
    pub hold: Hold,
    /// What it will do at its next bed, and since what in the truth.
    pub trick: Option<(Trick, usize)>,
    /// A gap in it, from and to behind its head.
    pub hole: Option<(Nm, Nm)>,
    /// It leaves a bed so much later.
    pub late: Nm,
    /// Nothing along the line looks at it before its head comes here; asked anew from there on.
    pub free_to: Nm,
}

/// What keeps a parcel from going with its belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing.
    Free,
    /// A hand, until this instant in µs.
    Hand(u64),
    /// It sticks in the mouth of a chute.
    Mouth,
    /// It lies on the one ahead, whose place in the truth this is.
    On(usize),
    /// It sticks to the one ahead, whose place in the truth this is.
    Beside(usize),
}

/// What a parcel does at its next bed that no bed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// It is not gripped.
    Slides,
    /// It sticks in the mouth.
    Sticks,
    /// It drags the next one with it.
    Drags,
}

impl Parcel {
    /// A parcel that begins its way with its head at `head`, ahead of every eye and bed.
    pub const fn new(index: usize, head: Nm, body: Body) -> Self {
        Self {
            index,
            head,
            body,
            slip: 0,
            stretch: 0,
            head_eye: 0,
            tail_eye: 0,
            bed: 0,
            pass: None,
            hold: Hold::Free,
            trick: None,
            hole: None,
            late: 0,
            free_to: Nm::MIN,
        }
    }

    /// Position of its tail.
    pub const fn tail(&self) -> Nm {
        self.head - self.body.apparent
    }

    /// Position of its centre.
    pub const fn centre(&self) -> Nm {
        self.head - self.body.apparent / 2
    }

    /// How far it moves while its belt carries `carried`; `extra_ppm` = the stretch is faster.
    pub fn motion(&mut self, carried: Nm, extra_ppm: i64, accelerated: bool) -> Nm {
        if carried == 0 {
            return 0;
        }
        let slip = if accelerated { self.body.bag_slip_ppm } else { 0 };
        let ppm = 1_000_000 + extra_ppm - slip;
        let mut way = carried * ppm / 1_000_000;
        if self.slip != 0 {
            // At most half as fast again or half as slow: it slides, it does not jump.
            let made = self.slip.clamp(-way / 2, way / 2);
            self.slip -= made;
            way += made;
        }
        way
    }
}

/// sin and cos of an angle up to 15°, in per mille.
fn turn(tenth_deg: i64) -> (i64, i64) {
    // θ in radians × 10⁶; sin θ = θ − θ³/6, cos θ = 1 − θ²/2 + … to a part in a thousand.
    let theta = tenth_deg * 17_453 / 10;
    let square = theta * theta / 1_000_000;
    let sine = theta - square * theta / 6_000_000;
    (sine / 1_000, (1_000_000 - square / 2) / 1_000)
}

fn length(rng: &mut Rng) -> i64 {
    match rng.below(100) {
        0..30 => rng.between(150, 249),
        30..80 => rng.between(250, 399),
        _ => rng.between(400, 600),
    }
}

/// Makes a parcel's body after the mix of the profile.
pub fn make(rng: &mut Rng, profile: &Profile) -> Body {
    let long = length(rng);
    let wide = long * rng.between(50, 85) / 100;
    let high = wide * rng.between(30, 80) / 100;
    let packaging = if rng.chance(profile.bags_permille * 1_000) {
        Packaging::PolyBag
    } else {
        Packaging::Carton
    };
    let angle = if rng.chance(profile.yaw_wide_permille * 1_000) {
        rng.between(0, 150)
    } else {
        rng.normal(i64::from(profile.yaw_sigma_tenth_deg)).abs().min(150)
    };
    let (sine, cosine) = turn(angle);
    let bag = rng.between(
        i64::from(profile.bag_slip_permille[0]) * 1_000,
        i64::from(profile.bag_slip_permille[1]) * 1_000,
    );
    Body {
        size_mm: [long, wide, high],
        apparent: (long * cosine + wide * sine) * (MM / 1_000),
        packaging,
        mass_g: rng.log_normal(1_800, 900).clamp(100, 30_000),
        running_ppm: rng.normal(i64::from(profile.running_sigma_ppm)),
        bag_slip_ppm: match packaging {
            Packaging::PolyBag => bag,
            Packaging::Carton => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::profile;

    #[test]
    fn the_mix_has_its_shares() {
        let (mut rng, normal) = (Rng::stream(5, "parcels"), profile("normal"));
        let bodies: Vec<Body> = (0..20_000).map(|_| make(&mut rng, &normal)).collect();
        let share = |of: &dyn Fn(&Body) -> bool| bodies.iter().filter(|body| of(body)).count() / 20;
        assert!((285..315).contains(&share(&|b| b.size_mm[0] < 250)));
        assert!((485..515).contains(&share(&|b| (250..400).contains(&b.size_mm[0]))));
        assert!((135..165).contains(&share(&|b| b.packaging == Packaging::PolyBag)));
        assert!((480..520).contains(&share(&|b| b.mass_g < 1_800)));
        assert!(bodies.iter().all(|b| (100..=30_000).contains(&b.mass_g)));
        let mean = bodies.iter().map(|b| b.size_mm[0]).sum::<i64>() / 20_000;
        assert!((318..327).contains(&mean), "mean length {mean} mm");
    }

    #[test]
    fn lying_askew_makes_it_longer() {
        assert_eq!(turn(0), (0, 1_000));
        let (sine, cosine) = turn(150);
        assert!((258..=259).contains(&sine) && (965..=966).contains(&cosine), "{sine} {cosine}");
        let (mut rng, normal) = (Rng::stream(6, "yaw"), profile("normal"));
        for _ in 0..5_000 {
            let body = make(&mut rng, &normal);
            let [long, ..] = body.size_mm;
            let apparent = body.apparent / MM;
            assert!(apparent >= long * 96 / 100 && apparent <= long * 119 / 100, "{body:?}");
        }
    }

    #[test]
    fn slip_is_made_over_a_way_and_never_backwards() {
        let mut rng = Rng::stream(7, "slip");
        let body = make(&mut rng, &profile("clean"));
        let mut parcel = Parcel { slip: -20 * MM, ..Parcel::new(0, 0, body) };
        let ways: Vec<Nm> = (0..200).map(|_| parcel.motion(MM, 0, false)).collect();
        assert!(ways.iter().all(|way| *way > 0));
        assert_eq!(ways.iter().sum::<Nm>(), 180 * MM);
        assert_eq!(parcel.motion(0, 0, true), 0);
        parcel.body.bag_slip_ppm = 40_000;
        assert_eq!(parcel.motion(MM, 100_000, true), MM * 106 / 100);
    }
}
