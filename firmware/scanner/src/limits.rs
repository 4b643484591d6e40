//! Limits of a scanner node.

/// Bytes of a reader's line. A longer line is cut off and makes its trigger `TooLong`.
pub const LINE_BYTES_MAX: usize = 512;
/// Triggers that wait for a read. A further one closes the oldest as `NoRead`.
pub const OPEN_MAX: usize = 4;
