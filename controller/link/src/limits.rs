//! Every limit of a link, with its unit, its reason and what happens when it is reached.

use units::Micros;

/// Times of the links; the same for every bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimits {
    /// Exchanges in a row without a fitting answer before a node is down. Five: on a line that
    /// garbles every tenth frame three in a row come every few minutes, five once in hours.
    pub failures: u8,
    /// A silent node is asked again after this long; also the least time between two such tries
    /// on a bus, so that dead nodes cost the others one time-out in this time at most.
    pub probe: Micros,
    /// ... and one time-out in this many polling cycles of the others at most, however many nodes
    /// are dead. A bus without any other node to poll tries by time alone.
    pub probe_cycles: u32,
    /// A node of a wrong kind or map is identified again after this long.
    pub recheck: Micros,
    /// Each node's status block is read this often.
    pub status: Micros,
    /// A latch round that did not map every node that waits is repeated after this long.
    pub latch: Micros,
    /// Nodes that share an encoder are compared by another latch this often.
    pub relatch: Micros,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            failures: 5,
            probe: Micros::from_secs(1),
            probe_cycles: 8,
            recheck: Micros::from_secs(5),
            status: Micros::from_secs(1),
            latch: Micros::from_millis(500),
            relatch: Micros::from_secs(5),
        }
    }
}

/// Arms that wait on the host for one node, as many as the node queues. One more is answered as not
/// taken.
pub(crate) const ARMS_QUEUED: usize = registers::status::ARMS_MAX;
/// Cancellations that wait for one node. One more turns them into a single "cancel all": every
/// arm then ends as cancelled, which no parcel is misled by.
pub(crate) const CANCELS_QUEUED: usize = 16;
/// Events handled and not yet acknowledged of one node. Acknowledging is what lets a node show
/// further entries, so that one block's worth is all that occurs; when the list is full, events
/// are left on the node.
pub(crate) const UNACKED_EVENTS: usize = 64;
/// Verdicts "wrong sequence" in a row before a command counts as not taken.
pub(crate) const RESYNCS: u8 = 3;
/// Reference readings kept for bracketing the readings of other buses.
pub(crate) const REFERENCE_READINGS: usize = 4;
/// ± in counts of a map from a latch: each node captures within one count of the frame's end.
pub(crate) const LATCH_SPREAD: i64 = 2;
/// Maps not wider than this (±, counts) survive a restart of the host.
pub(crate) const EXACT_SPREAD: i64 = 4;
/// Events handled whose mark is not in a record yet, before a record is asked for.
pub(crate) const LOOSE_EVENTS: u16 = 16;
/// A bracketed map is good enough for going online at this ± in counts; the model's own tolerance
/// is of that size.
pub(crate) const BRACKET_SPREAD: i64 = 40;
/// ... or after this long with whatever ± has been reached, which the model then takes into account.
pub(crate) const BRACKET_PATIENCE: Micros = Micros::from_secs(2);
/// Counts that two encoders of one belt may differ by, beyond the ± of their maps, before that is
/// an alarm and the node's map is taken anew.
pub(crate) const DRIFT_MAX: i64 = 2;
/// Times that settings are written before a node counts as having another map.
pub(crate) const SETTINGS_TRIES: u8 = 3;
/// Failures of a node's last 16 exchanges from which on it is degraded; half of the failures of a
/// line that garbles every third frame.
pub(crate) const DEGRADED_FROM: u32 = 3;
/// ... and up to which it is called well again.
pub(crate) const DEGRADED_UNTIL: u32 = 1;
/// Two devices that answer at one address within this time clash; the address is trusted again
/// after the same time without a sign of it.
pub(crate) const CLASH_SPAN: Micros = Micros::from_secs(30);
/// Answers of a strange boot, the node's own boot being unchanged, that make a clash.
pub(crate) const CLASH_STRANGERS: u8 = 3;
/// First pause after exception 05 or 06 (acknowledge, busy); each further one doubles it.
pub(crate) const BUSY_MIN: Micros = Micros::from_millis(25);
/// Longest such pause: well below any lease.
pub(crate) const BUSY_MAX: Micros = Micros::from_millis(400);
/// Exceptions 05 or 06 in a row after which a node counts as silent: with the pauses, about 4 s.
pub(crate) const BUSY_ROW: u8 = 14;
/// Failures in a row up to which an order is repeated at once; then the node waits for its turn,
/// so that a dead one does not keep the bus from the others.
pub(crate) const HOT_FAILURES: u8 = 1;
