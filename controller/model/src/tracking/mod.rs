//! Tracking: which parcel an edge belongs to, and which parcel should have been seen.
//!
//! A hypothesis of position, length and order, not a queue: a parcel taken off, put on or slipped
//! never shifts another parcel's fate.

pub(crate) mod dark;
pub(crate) mod matching;
pub(crate) mod window;
