//! Slides into the chutes: a diverted parcel until it has passed its landing eye.

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
        self.under_way.push(Slide { parcel, eye, chute, cuts, leaves, landed: false });
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
