//! Limits of a weighing and measuring node.

/// Bytes of a scale's line; a longer one has no value.
pub const LINE_BYTES_MAX: usize = 64;
/// Triggers that wait for a reading. A further one closes the oldest without a value.
pub const OPEN_MAX: usize = 4;
/// Greatest weight in g that a reading may have; beyond it there is no value.
pub const WEIGHT_G_MAX: u32 = 1_000_000;
