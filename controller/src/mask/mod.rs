//! The one mask of whatever leaves the engine: frames, records, snapshots, the names of people.
//!
//! [`Mask`] replaces codes consistently and at equal length, so that the same waybill is the same
//! text in an incident's records and in its frames; [`Masker`] finds the codes in raw frames and
//! forms check word and CRC again. What the site's key masks can be compared with what it masked
//! before; a tool without a site masks under a key that nobody keeps.

mod code;
mod frames;
mod records;

pub use code::Mask;
pub use frames::Masker;
