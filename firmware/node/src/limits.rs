//! Every limit of a node, with its unit, its reason and what happens when it is reached.

/// Words of the event ring. When full, the oldest entries stay and the newest are counted in one
/// `Lost` entry.
pub const RING_WORDS: usize = registers::event::RING_WORDS;

/// Sequence numbers that may wait at most. Serial arithmetic is right within half the circle
/// (32,768); losses beyond this are still reported, but no longer counted one by one.
pub const SEQUENCE_SPAN_MAX: u16 = 32_000;

/// Inputs of a node; the tables of `registers::points` stay below it.
pub const INPUTS_MAX: usize = 16;

/// Outputs of a node; the tables of `registers::points` stay below it.
pub const OUTPUTS_MAX: usize = 8;

/// Bytes of one answer: the longest TCP frame that Modbus allows.
pub const REPLY_BYTES_MAX: usize = 260;

/// Bytes to the reader or scale in one call; what does not fit is not sent at all, and the trigger
/// then ends without a result.
pub const DEVICE_BYTES_MAX: usize = 64;

/// Output changes in one answer: one per output.
pub const CHANGES_MAX: usize = 16;

/// Debounce times after which a bouncing input's first transition is forgotten and the next one
/// is latched instead: a longer burst is no bounce of one edge.
pub const BURST_DEBOUNCES_MAX: u64 = 8;

/// Counts of an arm's window from its first to its last count. A wider one is a bad argument.
pub const WINDOW_COUNTS_MAX: i32 = 65_535;

/// Counts ahead of the encoder at which a window may end (1 km). A later one is a bad argument.
pub const AHEAD_COUNTS_MAX: i32 = 1_000_000;

/// Counts that the bed may fire late (timer and debounce jitter). Later it does not fire: the
/// wheels would turn under the parcel; the arm then ends as expired.
pub const LATE_COUNTS_MAX: i32 = 60;
