//! Every limit of a link, with its unit, its reason and what happens when it is reached.

use units::Micros;

/// Times of the links; the same for every bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimits {
    /// Exchanges in a row without a fitting answer before a node is down. Three: a single garbled
    /// frame is everyday, three are not.
    pub failures: u8,
    /// A silent node is asked again after this long; also the least time between two such tries
    /// on a bus, so that dead nodes cost the others one time-out in this time at most.
    pub probe: Micros,
    /// A node of a wrong kind or map is identified again after this long.
    pub recheck: Micros,
    /// Each node's status block is read this often.
    pub status: Micros,
    /// A latch round that did not map every node that waits is repeated after this long.
    pub latch: Micros,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            failures: 3,
            probe: Micros::from_secs(1),
            recheck: Micros::from_secs(5),
            status: Micros::from_secs(1),
            latch: Micros::from_millis(500),
        }
    }
}
