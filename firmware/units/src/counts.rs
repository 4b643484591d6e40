//! Encoder counts as a node sees them (32 bit, wrapping) and positions as the host sees them.

/// A raw encoder reading of one node: 32 bit, wrapping, started anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts(pub u32);

impl Counts {
    /// Signed distance from `earlier` to this reading, across the wrap.
    ///
    /// Right while the two readings are less than 2³¹ counts apart (2,147 km at 1 mm a count).
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// This reading moved by `distance` counts, across the wrap.
    #[must_use]
    pub const fn plus(self, distance: i32) -> Self {
        Self(self.0.wrapping_add_signed(distance))
    }

    /// Whether this reading is at `target` or past it.
    pub const fn reached(self, target: Self) -> bool {
        self.since(target) >= 0
    }
}

/// Names one encoder of the line; positions of different encoders never mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncoderId(pub u8);

/// A signed span in counts of one encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub i64);

impl Distance {
    /// The magnitude.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Both spans together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The span as the node's 32-bit difference; clamped at the limits of `i32`.
    #[expect(clippy::cast_possible_truncation, reason = "clamped first")]
    pub const fn clamp_i32(self) -> i32 {
        if self.0 > i32::MAX as i64 {
            i32::MAX
        } else if self.0 < i32::MIN as i64 {
            i32::MIN
        } else {
            self.0 as i32
        }
    }

    /// The span as an unsigned 16-bit register value; clamped to 0..=65,535.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
    pub const fn clamp_u16(self) -> u16 {
        if self.0 <= 0 {
            0
        } else if self.0 > u16::MAX as i64 {
            u16::MAX
        } else {
            self.0 as u16
        }
    }
}

/// A widened encoder position on the host: 64 bit, per encoder, never wraps.
///
/// Two positions compare and subtract only when they belong to the same encoder; anything else is
/// a defect of the program and panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Whose counts these are.
    pub encoder: EncoderId,
    /// Counts in the line's frame of that encoder.
    pub at: i64,
}

impl Position {
    /// Builds a position.
    pub const fn new(encoder: EncoderId, at: i64) -> Self {
        Self { encoder, at }
    }

    /// Distance from `other` to this position.
    ///
    /// # Panics
    /// When the two positions belong to different encoders.
    #[must_use]
    pub fn since(self, other: Self) -> Distance {
        assert!(self.encoder == other.encoder, "positions of different encoders do not mix");
        Distance(self.at - other.at)
    }

    /// This position moved downstream by `distance` (upstream when negative).
    #[must_use]
    pub const fn plus(self, distance: Distance) -> Self {
        Self { encoder: self.encoder, at: self.at + distance.0 }
    }

    /// This position moved upstream by `distance`.
    #[must_use]
    pub const fn minus(self, distance: Distance) -> Self {
        Self { encoder: self.encoder, at: self.at - distance.0 }
    }

    /// The raw reading whose low 32 bits this position carries.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the low 32 bits are what is wanted"
    )]
    pub const fn low(self) -> Counts {
        Counts(self.at as u32)
    }

    /// The position nearest to `self` whose low 32 bits are `raw`: widens a node's reading.
    #[must_use]
    pub const fn widen(self, raw: Counts) -> Self {
        Self { encoder: self.encoder, at: self.at + raw.since(self.low()) as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_compare_across_the_wrap() {
        assert!(Counts(3).reached(Counts(u32::MAX - 3)));
        assert!(!Counts(u32::MAX - 3).reached(Counts(3)));
        assert_eq!(Counts(u32::MAX).plus(2), Counts(1));
    }

    #[test]
    fn widening_takes_the_nearest_position() {
        let near = Position::new(EncoderId(0), 0x1_0000_0005);
        assert_eq!(near.widen(Counts(u32::MAX)).at, 0xFFFF_FFFF);
        assert_eq!(near.widen(Counts(9)).at, 0x1_0000_0009);
        assert_eq!(near.widen(Counts(9)).low(), Counts(9));
    }

    #[test]
    #[should_panic(expected = "different encoders")]
    fn encoders_do_not_mix() {
        let _ = Position::new(EncoderId(0), 1).since(Position::new(EncoderId(1), 1));
    }
}
