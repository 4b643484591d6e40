//! Tracking: which parcel an edge belongs to, and which parcel should have been seen.
//!
//! Hypotheses of position, length, gap and order, not a queue: a parcel taken off, put on or slipped
//! never shifts another parcel's fate. An edge that one parcel alone can have cut is taken at once;
//! where several could have, [`stretch`] keeps the edges together until [`hypothesis`] tells whose
//! they are.

pub(crate) mod dark;
mod hypothesis;
pub(crate) mod matching;
pub(crate) mod stretch;
pub(crate) mod window;
