//! Host time in microseconds and node time in milliseconds.

/// Microseconds on the owner's monotonic clock; the origin is the owner's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);
    /// Later than every instant that occurs.
    pub const MAX: Self = Self(u64::MAX);

    /// Builds a span from milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Builds a span from whole seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000
    }

    /// This instant moved later by `span`, saturating.
    #[must_use]
    pub const fn plus(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant moved earlier by `span`, saturating at the origin.
    #[must_use]
    pub const fn minus(self, span: Self) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The span since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// A node's own millisecond counter, 32 bit, wrapping.
///
/// Node oscillators drift by up to 1 %, so only differences within one node mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Millis(pub u32);

impl Millis {
    /// The node-clock reading that belongs to `now` on the node's own microsecond clock.
    #[expect(clippy::cast_possible_truncation, reason = "the counter wraps by contract")]
    pub const fn of(now: Micros) -> Self {
        Self((now.0 / 1_000) as u32)
    }

    /// Milliseconds from `earlier` to this reading, across the wrap; negative when it is earlier.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millis_differences_survive_the_wrap() {
        assert_eq!(Millis(5).since(Millis(u32::MAX - 4)), 10);
        assert_eq!(Millis(u32::MAX).since(Millis(1)), -2);
    }

    #[test]
    fn spans_saturate_instead_of_wrapping() {
        assert_eq!(Micros::ZERO.minus(Micros(1)), Micros::ZERO);
        assert_eq!(Micros::MAX.plus(Micros(1)), Micros::MAX);
        assert_eq!(Micros(3).since(Micros(5)), Micros::ZERO);
    }
}
