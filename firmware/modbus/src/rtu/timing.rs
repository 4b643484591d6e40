//! Times on a serial line.

use units::Micros;

/// Up to this speed the silence is 3.5 characters; above it is fixed (serial line guide 2.5.1.1).
const SCALED_UP_TO_BAUD: u32 = 19_200;
/// The silence above that speed.
const SILENCE_FIXED: Micros = Micros(1_750);

/// The speed of a serial line; all times are rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Bits a second; 0 counts as 1.
    pub baud: u32,
    /// Bits of one character with start, parity and stop: 11 for 8E1, 10 for 8N1.
    pub bits_per_char: u8,
}

impl Timing {
    /// The time of one character.
    pub fn char_time(self) -> Micros {
        self.half_chars(2)
    }

    /// The silence between two frames (t3.5).
    pub fn silence(self) -> Micros {
        if self.baud <= SCALED_UP_TO_BAUD { self.half_chars(7) } else { SILENCE_FIXED }
    }

    /// The time that `bytes` are on the wire.
    pub fn wire_time(self, bytes: usize) -> Micros {
        self.half_chars(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(2))
    }

    fn half_chars(self, n: u64) -> Micros {
        let bits = n.saturating_mul(u64::from(self.bits_per_char));
        Micros(bits.saturating_mul(500_000).div_ceil(u64::from(self.baud.max(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_common_lines() {
        let slow = Timing { baud: 9_600, bits_per_char: 11 };
        assert_eq!((slow.char_time(), slow.silence()), (Micros(1_146), Micros(4_011)));
        let edge = Timing { baud: 19_200, bits_per_char: 11 };
        assert_eq!(edge.silence(), Micros(2_006));
        let fast = Timing { baud: 115_200, bits_per_char: 11 };
        assert_eq!((fast.silence(), fast.wire_time(256)), (Micros(1_750), Micros(24_445)));
        let broken = Timing { baud: 0, bits_per_char: 11 };
        assert_eq!(broken.char_time(), Micros::from_secs(11));
        assert_eq!(fast.wire_time(0), Micros::ZERO);
    }
}
