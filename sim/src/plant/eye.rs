//! A photo-eye: what covers it and how its contact bounces.

use super::{Happening, Nm, What};
use crate::rng::Rng;
use std::sync::Arc;

/// What the plant does besides when something cuts an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EyeRole {
    /// Nothing.
    Plain,
    /// The parcel counts as inducted.
    Induction,
    /// This reader looks here; 0 is the tunnel's.
    Reader(usize),
    /// The scale's belt begins here.
    Scale,
}

/// Bounces of a contact: one to three within this time after the edge, in µs.
const BOUNCE_US: [u64; 2] = [5_000, 20_000];

/// What an eye shows of what it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The truth.
    Good,
    /// Always something there.
    Blocked,
    /// Never anything there.
    Clear,
}

/// An eye and the node input that it is wired to.
#[derive(Clone, Debug)]
pub struct Eye {
    /// Where it really looks; for an eye over a chute, anything.
    pub at: Nm,
    /// What it is for.
    pub role: EyeRole,
    /// What it is called.
    pub name: Arc<str>,
    /// Heads are seen so late and tails so early: a dirty lens.
    pub blind: Nm,
    /// What is wrong with it, as its place in the truth; what passes then is touched by it.
    pub trouble: Option<usize>,
    station: usize,
    input: u8,
    covering: u32,
    settled: u64,
    sight: Sight,
    shown: bool,
    /// It will not see the next thing that cuts it.
    misses: bool,
    /// It does not see what cuts it now.
    missing: bool,
}

impl Eye {
    /// Builds an uncovered eye.
    pub fn new(at: Nm, role: EyeRole, name: &str, station: usize, input: u8) -> Self {
        Self {
            at,
            role,
            name: name.into(),
            blind: 0,
            trouble: None,
            station,
            input,
            covering: 0,
            settled: 0,
            sight: Sight::Good,
            shown: false,
            misses: false,
            missing: false,
        }
    }

    /// A parcel begins to cover the eye.
    pub fn cover(&mut self, at: u64, bounce_ppm: u32, rng: &mut Rng, out: &mut Vec<Happening>) {
        self.covering += 1;
        if self.covering == 1 {
            self.missing = core::mem::take(&mut self.misses);
            self.edge(!self.missing, at, bounce_ppm, rng, out);
        }
    }

    /// A parcel ceases to cover the eye.
    pub fn clear(&mut self, at: u64, bounce_ppm: u32, rng: &mut Rng, out: &mut Vec<Happening>) {
        self.covering = self.covering.saturating_sub(1);
        if self.covering == 0 {
            self.edge(false, at, bounce_ppm, rng, out);
            if core::mem::take(&mut self.missing) {
                self.trouble = None;
            }
        }
    }

    /// The eye will not see the next thing that cuts it.
    pub const fn miss(&mut self) {
        self.misses = true;
    }

    /// Whether something is there.
    pub const fn is_covered(&self) -> bool {
        self.covering > 0
    }

    /// The eye shows something else from now on.
    pub fn turn(&mut self, sight: Sight, at: u64, out: &mut Vec<Happening>) {
        self.sight = sight;
        let level = match sight {
            Sight::Good => self.covering > 0 && !self.missing,
            Sight::Blocked => true,
            Sight::Clear => false,
        };
        self.show(level, at.max(self.settled), out);
    }

    /// The contact changes `pulses` times there and back within `span` µs.
    pub fn chatter(
        &mut self,
        pulses: u32,
        at: u64,
        span: u64,
        rng: &mut Rng,
        out: &mut Vec<Happening>,
    ) {
        let level = self.shown;
        let mut from = at.max(self.settled);
        for left in (1..=u64::from(pulses)).rev() {
            let share = (at + span).saturating_sub(from) / left;
            let off = from + rng.below(share / 2 + 1) + 1;
            let on = off + 1 + rng.below(share / 2 + 1);
            self.show(!level, off, out);
            self.show(level, on, out);
            from = on;
        }
        self.settled = from;
    }

    /// Something short passes the eye.
    pub fn blip(&mut self, from: u64, to: u64, out: &mut Vec<Happening>) {
        if self.sight == Sight::Good && !self.shown && from > self.settled && to > from {
            self.show(true, from, out);
            self.show(false, to, out);
            self.settled = to;
        }
    }

    /// What covers the eye has a gap from one instant to another.
    pub fn gap(&mut self, from: u64, to: u64, out: &mut Vec<Happening>) {
        if self.sight == Sight::Good && self.shown && from > self.settled && to > from {
            self.show(false, from, out);
            self.show(true, to, out);
            self.settled = to;
        }
    }

    fn show(&mut self, level: bool, at: u64, out: &mut Vec<Happening>) {
        if self.shown != level {
            self.shown = level;
            let (station, input) = (self.station, self.input);
            out.push(Happening { at, what: What::Level { station, input, level } });
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
        if self.sight != Sight::Good || self.shown == level {
            return;
        }
        // While the contact still bounces from the edge before, this one is not seen.
        let at = at.max(self.settled);
        self.show(level, at, out);
        self.settled = at;
        if !rng.chance(bounce_ppm) {
            return;
        }
        for _ in 0..=rng.below(3) {
            let from = self.settled.max(at + BOUNCE_US[0]);
            let off = rng.span([from + 1, from.max(at + BOUNCE_US[1] - 6_000) + 1]);
            let on = off + rng.span([300, 1_500]);
            self.show(!level, off, out);
            self.show(level, on, out);
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
        let mut eye = Eye::new(0, EyeRole::Plain, "eye", 3, 1);
        eye.cover(10, 0, &mut rng, &mut out);
        eye.cover(20, 0, &mut rng, &mut out);
        eye.clear(30, 0, &mut rng, &mut out);
        eye.clear(40, 0, &mut rng, &mut out);
        assert_eq!(levels(&out), [(10, true), (40, false)]);
    }

    #[test]
    fn a_stuck_eye_shows_no_parcel_and_comes_back_with_the_truth() {
        let (mut rng, mut out) = (Rng::stream(3, "eye"), Vec::new());
        let mut eye = Eye::new(0, EyeRole::Plain, "eye", 3, 1);
        eye.turn(Sight::Blocked, 10, &mut out);
        eye.cover(20, 0, &mut rng, &mut out);
        eye.clear(30, 0, &mut rng, &mut out);
        eye.turn(Sight::Good, 40, &mut out);
        eye.turn(Sight::Clear, 50, &mut out);
        eye.cover(60, 0, &mut rng, &mut out);
        eye.turn(Sight::Good, 70, &mut out);
        eye.clear(80, 0, &mut rng, &mut out);
        assert_eq!(levels(&out), [(10, true), (40, false), (70, true), (80, false)]);
    }

    #[test]
    fn a_missed_pulse_is_one_and_chatter_ends_where_it_began() {
        let (mut rng, mut out) = (Rng::stream(4, "eye"), Vec::new());
        let mut eye = Eye::new(0, EyeRole::Plain, "eye", 3, 1);
        eye.miss();
        for at in [100, 200] {
            eye.cover(at, 0, &mut rng, &mut out);
            eye.clear(at + 50, 0, &mut rng, &mut out);
        }
        assert_eq!(levels(&out), [(200, true), (250, false)]);
        out.clear();
        eye.chatter(5, 1_000, 50_000, &mut rng, &mut out);
        let levels = levels(&out);
        assert_eq!((levels.len(), levels[9].1), (10, false));
        assert!(levels.windows(2).all(|pair| pair[0].0 < pair[1].0), "{levels:?}");
        assert!(levels[9].0 <= 51_100, "{levels:?}");
    }

    #[test]
    fn bounces_end_at_the_level_within_twenty_ms_or_so() {
        let mut rng = Rng::stream(2, "eye");
        let mut pulses = [0; 4];
        for _ in 0..500 {
            let mut out = Vec::new();
            let mut eye = Eye::new(0, EyeRole::Plain, "eye", 0, 0);
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
