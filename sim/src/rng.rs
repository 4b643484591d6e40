//! One small deterministic generator and integer samplers.
//!
//! Each subsystem draws from a stream of its own, named by the run's seed and the subsystem, so
//! that a draw more in one place moves nothing in another. No floats: the same bits everywhere.

/// A stream of pseudo-random numbers (xoshiro256**, seeded by SplitMix64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// Builds the stream of the subsystem `name` in the run with `seed`.
    pub fn stream(seed: u64, name: &str) -> Self {
        let mut state = name.bytes().fold(seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(17)
        });
        Self { state: core::array::from_fn(|_| split_mix(&mut state)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let result = self.state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = self.state[1] << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.bits().to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// The next 16 bits.
    pub fn half_word(&mut self) -> u16 {
        let [a, b, ..] = self.bits().to_be_bytes();
        u16::from_be_bytes([a, b])
    }

    /// A number from 0 to `n` − 1; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// An index into something with `len` places; 0 when there is none.
    pub fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(len)).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = high.abs_diff(low).saturating_add(1);
        low.wrapping_add(self.below(span).cast_signed())
    }

    /// A span of time from `low` to `high`, both included.
    pub fn span(&mut self, [low, high]: [u64; 2]) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Happens `ppm` times in a million.
    pub fn chance(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// A standard normal number in 65,536ths (sum of twelve uniforms, so within ± 6 σ).
    fn unit_normal(&mut self) -> i64 {
        const MEAN: i64 = 12 * 65_535 / 2;
        let mut sum = 0i64;
        for _ in 0..3 {
            for half in self.bits().to_be_bytes().as_chunks().0 {
                sum += i64::from(u16::from_be_bytes(*half));
            }
        }
        sum - MEAN
    }

    /// A normal number with mean 0.
    pub fn normal(&mut self, sigma: i64) -> i64 {
        (self.unit_normal() * sigma) / 65_536
    }

    /// A log-normal number; `sigma_permille` is the σ of its natural logarithm.
    pub fn log_normal(&mut self, median: i64, sigma_permille: i64) -> i64 {
        /// log2(e) in 65,536ths.
        const LOG2_E: i64 = 94_548;
        let exponent = self.unit_normal() * sigma_permille / 1_000 * LOG2_E / 65_536;
        let (whole, part) = (exponent >> 16, exponent & 0xFFFF);
        // 2^part by a parabola through 0, 1/2 and 1: within 0.3 %.
        let power = 65_536 + ((part * (43_025 + ((22_511 * part) >> 16))) >> 16);
        let scaled = median * power;
        let shift = 16 - whole;
        if shift >= 0 { scaled >> shift.min(62) } else { scaled << (-shift).min(20) }
    }

    /// Time until the next of what happens once in `mean` (exponentially distributed).
    pub fn exponential(&mut self, mean: u64) -> u64 {
        /// ln(2) in 65,536ths.
        const LN_2: u64 = 45_426;
        let drawn = u64::from(self.word()) + 1;
        let whole = drawn.ilog2();
        let part = ((drawn << 16) >> whole) & 0xFFFF;
        // log2(1 + part) by a parabola through 0, 1/2 and 1: within 0.01.
        let log = (u64::from(whole) << 16) + ((part * (88_242 - ((22_706 * part) >> 16))) >> 16);
        let wide = u128::from((32 << 16) - log.min(32 << 16)) * u128::from(LN_2) * u128::from(mean);
        u64::try_from(wide >> 32).unwrap_or(u64::MAX)
    }

    /// Brings `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_seed_and_name() {
        let draw = |seed, name| Rng::stream(seed, name).bits();
        assert_eq!(draw(7, "feed"), draw(7, "feed"));
        assert_ne!(draw(7, "feed"), draw(8, "feed"));
        assert_ne!(draw(7, "feed"), draw(7, "reader"));
    }

    #[test]
    fn normal_has_its_mean_and_sigma() {
        let mut rng = Rng::stream(1, "normal");
        let draws: Vec<i64> = (0..40_000).map(|_| rng.normal(8_000)).collect();
        let mean = draws.iter().sum::<i64>() / 40_000;
        let variance = draws.iter().map(|x| (x - mean).pow(2)).sum::<i64>() / 40_000;
        assert!(mean.abs() < 150, "mean {mean}");
        assert!((7_800..8_200).contains(&variance.isqrt()), "sigma {}", variance.isqrt());
    }

    #[test]
    fn log_normal_has_its_median_and_spread() {
        let mut rng = Rng::stream(1, "log-normal");
        let mut draws: Vec<i64> = (0..20_001).map(|_| rng.log_normal(2_400, 350)).collect();
        draws.sort_unstable();
        // exp(±0.35): 15.9 % below 1,691 and above 3,406.
        let at = |permille: usize| draws[draws.len() * permille / 1_000];
        assert!((2_350..2_450).contains(&at(500)), "median {}", at(500));
        assert!((1_640..1_740).contains(&at(159)), "lower {}", at(159));
        assert!((3_300..3_510).contains(&at(841)), "upper {}", at(841));
    }

    #[test]
    fn exponential_has_its_mean_and_median() {
        let mut rng = Rng::stream(1, "exponential");
        let mut draws: Vec<u64> = (0..40_001).map(|_| rng.exponential(1_000_000)).collect();
        draws.sort_unstable();
        let mean = draws.iter().sum::<u64>() / 40_001;
        assert!((980_000..1_020_000).contains(&mean), "mean {mean}");
        assert!((675_000..712_000).contains(&draws[20_000]), "median {}", draws[20_000]);
    }

    #[test]
    fn bounds_and_chances_hold() {
        let mut rng = Rng::stream(3, "bounds");
        let mut hits = 0;
        for _ in 0..100_000 {
            assert!((-3..=3).contains(&rng.between(-3, 3)));
            assert!((5..=20).contains(&rng.span([5, 20])));
            hits += u32::from(rng.chance(30_000));
        }
        assert!((2_800..3_200).contains(&hits), "{hits} of 3,000");
        assert_eq!((rng.below(0), rng.between(4, 4)), (0, 4));
    }
}
