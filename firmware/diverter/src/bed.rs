//! The bed: home or turned.

use registers::exchange::Side;
use units::{Counts, Micros};

/// Longest way of the wheels back home, worn or in low air (350 ms), with the contact's debouncing.
/// On that way they can be turned again: what matters is that they obey, and after this time the
/// home contact must show it.
const RETURN_MAX: Micros = Micros::from_millis(500);

/// What the wheels are commanded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bed {
    /// Straight, or on the way back there. Ends with a firing.
    Home {
        /// When they were released; `None` since boot.
        released: Option<Micros>,
    },
    /// Turned for one parcel. Ends at its release count and at nothing else: a bed that came home
    /// earlier would turn under the parcel.
    Turned {
        /// Which way.
        side: Side,
        /// When the turn output drops.
        release_at: Counts,
    },
}

impl Default for Bed {
    fn default() -> Self {
        Self::Home { released: None }
    }
}

impl Bed {
    /// Comes home when the release count is reached.
    pub(crate) fn tick(&mut self, count: Counts, now: Micros) {
        if self.release_at().is_some_and(|release_at| count.reached(release_at)) {
            *self = Self::Home { released: Some(now) };
        }
    }

    /// Whether the wheels may be turned: no parcel is on them, and they are home or on the way.
    pub(crate) fn is_free(&self, home: bool, now: Micros) -> bool {
        match *self {
            Self::Turned { .. } => false,
            Self::Home { released } => {
                home || released.is_some_and(|at| now.since(at) <= RETURN_MAX)
            }
        }
    }

    /// Whether the wheels are commanded to `side`.
    pub(crate) fn turns(&self, side: Side) -> bool {
        match *self {
            Self::Home { .. } => false,
            Self::Turned { side: turned, .. } => turned == side,
        }
    }

    /// The release count, while turned.
    pub(crate) fn release_at(&self) -> Option<Counts> {
        match *self {
            Self::Home { .. } => None,
            Self::Turned { release_at, .. } => Some(release_at),
        }
    }
}
