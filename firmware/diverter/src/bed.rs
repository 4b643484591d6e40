//! The bed: home or turned.

use registers::exchange::Side;
use units::Counts;

/// What the wheels are commanded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bed {
    /// Straight, or on the way back there (the home contact tells). Ends with a firing.
    #[default]
    Home,
    /// Turned for one parcel. Ends at its release count and at nothing else: a bed that came home
    /// earlier would turn under the parcel.
    Turned {
        /// Which way.
        side: Side,
        /// When the turn output drops.
        release_at: Counts,
    },
}

impl Bed {
    /// Comes home when the release count is reached.
    pub(crate) fn tick(&mut self, now: Counts) {
        *self = match *self {
            Self::Turned { release_at, .. } if now.reached(release_at) => Self::Home,
            Self::Turned { side, release_at } => Self::Turned { side, release_at },
            Self::Home => Self::Home,
        };
    }

    /// Whether the wheels are commanded to `side`.
    pub(crate) fn turns(&self, side: Side) -> bool {
        match *self {
            Self::Home => false,
            Self::Turned { side: turned, .. } => turned == side,
        }
    }

    /// The release count, while turned.
    pub(crate) fn release_at(&self) -> Option<Counts> {
        match *self {
            Self::Home => None,
            Self::Turned { release_at, .. } => Some(release_at),
        }
    }
}
