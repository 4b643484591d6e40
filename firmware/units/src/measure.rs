//! Lengths, masses and speeds.

/// A length in millimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millimeters(pub i32);

impl Millimeters {
    /// The length in encoder counts at `counts_per_metre`.
    pub const fn to_counts(self, counts_per_metre: u32) -> crate::Distance {
        crate::Distance(self.0 as i64 * counts_per_metre as i64 / 1_000)
    }
}

/// A mass in grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grams(pub u32);

/// A speed in millimetres a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MmPerSecond(pub u32);

impl MmPerSecond {
    /// How far this speed carries in `span`, rounded down.
    #[expect(clippy::cast_possible_truncation, reason = "clamped first")]
    pub const fn travel(self, span: crate::Micros) -> Millimeters {
        let mm = span.0.saturating_mul(self.0 as u64) / 1_000_000;
        Millimeters(if mm > i32::MAX as u64 { i32::MAX } else { mm as i32 })
    }

    /// How long `distance` takes at this speed, rounded down; the end of time at standstill.
    #[expect(clippy::cast_sign_loss, reason = "negative distances return early")]
    pub const fn time_for(self, distance: Millimeters) -> crate::Micros {
        if distance.0 <= 0 {
            return crate::Micros::ZERO;
        }
        if self.0 == 0 {
            return crate::Micros::MAX;
        }
        crate::Micros(distance.0 as u64 * 1_000_000 / self.0 as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Distance, Micros};

    #[test]
    fn speed_converts_both_ways() {
        let speed = MmPerSecond(1_200);
        assert_eq!(speed.travel(Micros::from_millis(500)), Millimeters(600));
        assert_eq!(speed.time_for(Millimeters(600)), Micros::from_millis(500));
        assert_eq!(MmPerSecond(0).time_for(Millimeters(1)), Micros::MAX);
        assert_eq!(Millimeters(450).to_counts(1_000), Distance(450));
    }
}
