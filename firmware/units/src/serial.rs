//! Serial-number arithmetic on 16-bit sequences (after RFC 1982).

/// A 16-bit sequence number that wraps; comparisons hold within half the circle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Serial(pub u16);

impl Serial {
    /// The number that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The number `n` places later.
    #[must_use]
    pub const fn plus(self, n: u16) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// The number before.
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }

    /// Signed distance from `earlier` to this number.
    pub const fn since(self, earlier: Self) -> i16 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// Whether this number lies in the inclusive range from `first` to `last`.
    pub const fn within(self, first: Self, last: Self) -> bool {
        self.since(first) >= 0 && last.since(self) >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_across_the_wrap() {
        let (first, last) = (Serial(u16::MAX - 1), Serial(2));
        assert!(Serial(0).within(first, last));
        assert!(Serial(u16::MAX).within(first, last));
        assert!(!Serial(3).within(first, last));
        assert!(!Serial(u16::MAX - 2).within(first, last));
        assert_eq!(Serial(0).prev(), Serial(u16::MAX));
    }
}
