//! Limits of a zone; a command beyond them is a bad argument.

/// Greatest belt speed in mm/s.
pub const SPEED_MAX: u32 = 5_000;
/// Greatest gap in counts of the take-away belt.
pub const GAP_MAX: u32 = 100_000;
/// Take-away counts after which the last parcel no longer matters (beyond any gap, far below the
/// half circle of the counter).
pub const FORGET_COUNTS: i32 = 10_000_000;
