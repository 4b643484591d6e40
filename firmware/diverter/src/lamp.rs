//! A chute's lamp: off, steady or blinking, by the node's own clock.

use registers::points::diverter::{BLINK_MS, LAMP_BLINK, LAMP_OFF, LAMP_STEADY};
use units::Micros;

const HALF: u64 = BLINK_MS.saturating_mul(1_000);

/// What the host wants of a lamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lamp {
    /// Dark.
    #[default]
    Off,
    /// Lit.
    Steady,
    /// Lit every other half period; lamps of one node are lit together.
    Blink,
}

impl Lamp {
    /// The lamp behind an output's value.
    pub(crate) const fn from_value(value: u32) -> Option<Self> {
        match value {
            LAMP_OFF => Some(Self::Off),
            LAMP_STEADY => Some(Self::Steady),
            LAMP_BLINK => Some(Self::Blink),
            _ => None,
        }
    }

    /// Whether it is lit at `now`.
    pub(crate) fn is_lit(self, now: Micros) -> bool {
        match self {
            Self::Off => false,
            Self::Steady => true,
            Self::Blink => half(now) & 1 == 0,
        }
    }

    /// When it changes by itself.
    pub(crate) fn next_change(self, now: Micros) -> Option<Micros> {
        match self {
            Self::Off | Self::Steady => None,
            Self::Blink => Some(Micros(half(now).saturating_add(1).saturating_mul(HALF))),
        }
    }
}

/// Half periods since the clock's origin.
fn half(now: Micros) -> u64 {
    now.0.checked_div(HALF).unwrap_or_default()
}
