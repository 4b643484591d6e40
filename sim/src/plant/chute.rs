//! Slides into the chutes: a diverted parcel until it has passed its landing eye, and what piles up.

use super::{Happening, What};
use crate::plant_file::Holds;
use crate::rng::Rng;

/// A parcel on its way from a bed into a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// The parcel's place in the truth.
    pub parcel: usize,
    /// Its landing eye.
    pub eye: usize,
    /// The chute's number.
    pub chute: u16,
    /// When it cuts the eye, in µs.
    pub cuts: u64,
    /// When it leaves it.
    pub leaves: u64,
    /// Whether it has cut it.
    pub landed: bool,
    /// Whether it cuts it again when it bounces back.
    pub rebounds: bool,
}

/// What lies in a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pile {
    /// What stands under it.
    pub holds: Holds,
    /// Pieces in it.
    pub pieces: u64,
    /// Their mass in grams.
    pub grams: i64,
    /// How many it takes.
    pub limit: u64,
}

/// A bag takes no more than this, in grams.
const BAG_G: i64 = 25_000;
/// So many more find room on the slide of a chute that is full.
const ON_SLIDE: u64 = 8;

impl Pile {
    /// Builds an empty one that takes so many.
    pub const fn new(holds: Holds, limit: u64) -> Self {
        Self { holds, pieces: 0, grams: 0, limit }
    }

    /// How many pieces one takes, least and most.
    pub const fn takes(holds: Holds) -> [u64; 2] {
        match holds {
            Holds::Bag => [15, 30],
            Holds::Cage => [70, 100],
            Holds::Slide => [8, 12],
        }
    }

    /// Whether it is full.
    pub fn is_full(&self) -> bool {
        self.pieces >= self.limit || (self.holds == Holds::Bag && self.grams >= BAG_G)
    }

    /// Whether it is nearly full: pieces come to lie under the landing eye.
    pub const fn is_nearly_full(&self) -> bool {
        self.pieces * 100 >= self.limit * 85
    }

    /// Whether the pile has come up to the mouth, so that the next one sticks there.
    pub const fn is_at_the_mouth(&self) -> bool {
        self.pieces >= self.limit + ON_SLIDE
    }
}

/// The end slide, or what says that the return in its place is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndSlide {
    /// Station and input of its full eye.
    pub full_eye: (usize, u8),
    /// How many it takes.
    pub takes: u64,
    /// Parcels on it.
    pub pieces: u64,
    /// Something else blocks its eye.
    pub blocked: bool,
}

impl EndSlide {
    /// How many a slide takes.
    pub const TAKES: u64 = 15;

    /// One more lies on it, or one less, at an instant.
    pub fn change(&mut self, pieces: u64, at: u64, out: &mut Vec<Happening>) {
        let was = self.shows_full();
        self.pieces = pieces;
        self.show(was, at, out);
    }

    /// Something else blocks its eye, or does so no more.
    pub fn set_blocked(&mut self, blocked: bool, at: u64, out: &mut Vec<Happening>) {
        let was = self.shows_full();
        self.blocked = blocked;
        self.show(was, at, out);
    }

    const fn shows_full(&self) -> bool {
        self.blocked || self.pieces >= self.takes
    }

    fn show(&self, was: bool, at: u64, out: &mut Vec<Happening>) {
        let level = self.shows_full();
        if level != was {
            let (station, input) = self.full_eye;
            out.push(Happening { at, what: What::Level { station, input, level } });
        }
    }
}

/// How long slides take.
#[derive(Clone, Debug)]
pub struct Slides {
    first_edge_us: [u64; 2],
    pulse_us: [u64; 2],
    rng: Rng,
    /// Parcels on their way.
    pub under_way: Vec<Slide>,
}

/// The least time between leaving the belt and the landing eye, in µs.
const FALL_US: u64 = 100_000;

impl Slides {
    /// Builds empty slides; times in ms.
    pub fn new(first_edge_ms: [u64; 2], pulse_ms: [u64; 2], rng: Rng) -> Self {
        Self {
            first_edge_us: first_edge_ms.map(|ms| ms * 1_000),
            pulse_us: pulse_ms.map(|ms| ms * 1_000),
            rng,
            under_way: Vec::with_capacity(16),
        }
    }

    /// A parcel whose head reached the bed at `entered` leaves the belt at `now`.
    pub fn begin(&mut self, parcel: usize, eye: usize, chute: u16, entered: u64, now: u64) {
        let cuts = (entered + self.rng.span(self.first_edge_us)).max(now + FALL_US);
        let leaves = cuts + self.rng.span(self.pulse_us);
        self.under_way.push(Slide {
            parcel,
            eye,
            chute,
            cuts,
            leaves,
            landed: false,
            rebounds: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landings_keep_their_times() {
        let mut slides = Slides::new([450, 900], [250, 700], Rng::stream(1, "slides"));
        for parcel in 0..1_000 {
            slides.begin(parcel, 0, 1, 1_000_000, 1_250_000);
        }
        let within = |of: fn(&Slide) -> u64, low, high| {
            let (min, max) = slides
                .under_way
                .iter()
                .fold((u64::MAX, 0), |(min, max), slide| (min.min(of(slide)), max.max(of(slide))));
            assert!(min >= low && max <= high && max - min > (high - low) * 9 / 10, "{min} {max}");
        };
        within(|slide| slide.cuts - 1_000_000, 450_000, 900_000);
        within(|slide| slide.leaves - slide.cuts, 250_000, 700_000);
        slides.begin(0, 0, 1, 1_000_000, 9_000_000);
        let late = slides.under_way[1_000];
        assert_eq!(late.cuts, 9_100_000, "a parcel that stood on the bed lands after it left");
    }
}
