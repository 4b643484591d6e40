//! A node's own clock: another origin and a slightly wrong rate.

use crate::rng::Rng;
use units::Micros;

/// The wrap of a node's millisecond counter, in µs.
const WRAP_US: u64 = (1 << 32) * 1_000;

/// How a node's clock follows from the world's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    origin: u64,
    /// What the node's clock makes of a million µs.
    rate: u64,
}

impl Clock {
    /// Draws a clock; one in four wraps its milliseconds within the first minute.
    pub fn draw(rng: &mut Rng, drift_ppm: u32) -> Self {
        let before_wrap = if rng.chance(250_000) {
            rng.span([1_000_000, 60_000_000])
        } else {
            rng.span([60_000_000, WRAP_US])
        };
        let drift = i64::from(drift_ppm);
        let rate = 1_000_000u64.saturating_add_signed(rng.between(-drift, drift));
        Self { origin: WRAP_US - before_wrap, rate }
    }

    /// What the node's clock shows at `now`.
    pub fn shows(self, now: u64) -> Micros {
        let (whole, part) = (now / 1_000_000, now % 1_000_000);
        Micros(self.origin + whole * self.rate + part * self.rate / 1_000_000)
    }

    /// The first instant at which the node's clock shows `reading` or more.
    pub fn reaches(self, reading: Micros) -> u64 {
        let Some(since) = reading.0.checked_sub(self.origin) else { return 0 };
        let (whole, part) = (since / self.rate, since % self.rate);
        whole * 1_000_000 + (part * 1_000_000).div_ceil(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instant_found_is_the_first_one() {
        let mut rng = Rng::stream(1, "clock");
        for _ in 0..2_000 {
            let clock = Clock::draw(&mut rng, 10_000);
            let now = rng.below(1 << 40);
            let reading = clock.shows(now);
            let found = clock.reaches(reading);
            assert!(clock.shows(found) >= reading && found <= now, "{clock:?} {now}");
            assert!(found == 0 || clock.shows(found - 1) < reading, "{clock:?} {now}");
        }
        let clock = Clock { origin: 500, rate: 1_000_000 };
        assert_eq!((clock.reaches(Micros(3)), clock.reaches(Micros(700))), (0, 200));
    }

    #[test]
    fn some_clocks_wrap_soon() {
        let mut rng = Rng::stream(2, "clock");
        let soon =
            (0..1_000).filter(|_| Clock::draw(&mut rng, 0).shows(60_000_000).0 >= WRAP_US).count();
        assert!((200..300).contains(&soon), "{soon}");
    }
}
