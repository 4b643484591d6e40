//! Who holds the node, and until when.

use units::Micros;

/// The owner and its lease: free, or held by one owner until an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lease {
    /// Nobody holds the node: it is in its safe state. Ends with the first valid owner.
    #[default]
    Free,
    /// One owner holds it. Ends when that owner was silent for the lease.
    Held {
        /// Its word, never 0.
        owner: u16,
        /// When it ends unless it is renewed.
        until: Micros,
    },
}

impl Lease {
    /// Takes or renews the lease; false when another owner holds it or `owner` is 0.
    pub(crate) fn claim(&mut self, owner: u16, until: Micros) -> bool {
        let free = match *self {
            Self::Free => true,
            Self::Held { owner: holder, .. } => holder == owner,
        };
        if owner == 0 || !free {
            return false;
        }
        *self = Self::Held { owner, until };
        true
    }

    /// Ends the lease when it is over; true once at that moment.
    pub(crate) fn expire(&mut self, now: Micros) -> bool {
        match *self {
            Self::Held { until, .. } if until <= now => {
                *self = Self::Free;
                true
            }
            Self::Held { .. } | Self::Free => false,
        }
    }

    /// When it ends.
    pub(crate) const fn until(&self) -> Option<Micros> {
        match *self {
            Self::Free => None,
            Self::Held { until, .. } => Some(until),
        }
    }

    /// The owner's word, 0 = nobody.
    pub(crate) const fn owner(&self) -> u16 {
        match *self {
            Self::Free => 0,
            Self::Held { owner, .. } => owner,
        }
    }

    /// What is left in ms, rounded up, so that a held lease never reads 0.
    pub(crate) fn left_ms(&self, now: Micros) -> u16 {
        let left = self.until().map_or(Micros::ZERO, |until| until.since(now));
        u16::try_from(left.0.div_ceil(1_000)).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_owner_keeps_the_node_until_it_was_silent() {
        let mut lease = Lease::default();
        assert!(!lease.claim(0, Micros(10)));
        assert!(lease.claim(7, Micros(10)));
        assert!(!lease.claim(8, Micros(20)));
        assert!(lease.claim(7, Micros(30)));
        assert!(!lease.expire(Micros(29)));
        assert_eq!((lease.owner(), lease.left_ms(Micros(29))), (7, 1));
        assert!(lease.expire(Micros(30)));
        assert!(!lease.expire(Micros(31)));
        assert!(lease.claim(8, Micros(40)));
    }
}
