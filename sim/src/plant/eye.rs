//! A photo-eye: what covers it and how its contact bounces.

use super::{Happening, Nm, What};
use crate::rng::Rng;

/// What the plant does besides when something cuts an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EyeRole {
    /// Nothing.
    Plain,
    /// The parcel counts as inducted.
    Induction,
    /// The reader looks here.
    Reader,
    /// The scale's belt begins here.
    Scale,
}

/// Bounces of a contact: one to three within this time after the edge, in µs.
const BOUNCE_US: [u64; 2] = [5_000, 20_000];

/// An eye and the node input that it is wired to.
#[derive(Clone, Debug)]
pub struct Eye {
    /// Where it really looks; for an eye over a chute, anything.
    pub at: Nm,
    /// What it is for.
    pub role: EyeRole,
    station: usize,
    input: u8,
    covering: u32,
    settled: u64,
}

impl Eye {
    /// Builds an uncovered eye.
    pub const fn new(at: Nm, role: EyeRole, station: usize, input: u8) -> Self {
        Self { at, role, station, input, covering: 0, settled: 0 }
    }

    /// A parcel begins to cover the eye.
    pub fn cover(&mut self, at: u64, bounce_ppm: u32, rng: &mut Rng, out: &mut Vec<Happening>) {
        self.covering += 1;
        if self.covering == 1 {
            self.edge(true, at, bounce_ppm, rng, out);
        }
    }

    /// A parcel ceases to cover the eye.
    pub fn clear(&mut self, at: u64, bounce_ppm: u32, rng: &mut Rng, out: &mut Vec<Happening>) {
        self.covering = self.covering.saturating_sub(1);
        if self.covering == 0 {
            self.edge(false, at, bounce_ppm, rng, out);
        }
    }

    fn edge(
        &mut self,
        level: bool,
        at: u64,
        bounce_ppm: u32,
        rng: &mut Rng,
        out: &mut Vec<Happening>,
    ) {
        let (station, input) = (self.station, self.input);
        let mut change = |at, level| {
            out.push(Happening { at, what: What::Level { station, input, level } });
        };
        // While the contact still bounces from the edge before, this one is not seen.
        let at = at.max(self.settled);
        change(at, level);
        self.settled = at;
        if !rng.chance(bounce_ppm) {
            return;
        }
        for _ in 0..=rng.below(3) {
            let from = self.settled.max(at + BOUNCE_US[0]);
            let off = rng.span([from + 1, from.max(at + BOUNCE_US[1] - 6_000) + 1]);
            let on = off + rng.span([300, 1_500]);
            change(off, !level);
            change(on, level);
            self.settled = on;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(out: &[Happening]) -> Vec<(u64, bool)> {
        out.iter()
            .map(|happening| match happening.what {
                What::Level { level, .. } => (happening.at, level),
                What::Device { .. } => panic!("an eye has no device"),
            })
            .collect()
    }

    #[test]
    fn overlapping_covers_make_one_pulse() {
        let (mut rng, mut out) = (Rng::stream(1, "eye"), Vec::new());
        let mut eye = Eye::new(0, EyeRole::Plain, 3, 1);
        eye.cover(10, 0, &mut rng, &mut out);
        eye.cover(20, 0, &mut rng, &mut out);
        eye.clear(30, 0, &mut rng, &mut out);
        eye.clear(40, 0, &mut rng, &mut out);
        assert_eq!(levels(&out), [(10, true), (40, false)]);
    }

    #[test]
    fn bounces_end_at_the_level_within_twenty_ms_or_so() {
        let mut rng = Rng::stream(2, "eye");
        let mut pulses = [0; 4];
        for _ in 0..500 {
            let mut out = Vec::new();
            let mut eye = Eye::new(0, EyeRole::Plain, 0, 0);
            eye.cover(1_000, 1_000_000, &mut rng, &mut out);
            let levels = levels(&out);
            assert_eq!(levels[0], (1_000, true));
            assert!(levels.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
            let (last, level) = levels[levels.len() - 1];
            assert!(level && (6_000..=21_001).contains(&last), "{levels:?}");
            pulses[levels.len() / 2] += 1;
        }
        assert_eq!(pulses[0], 0);
        assert!(pulses[1..].iter().all(|n| (120..220).contains(n)), "{pulses:?}");
    }
}
